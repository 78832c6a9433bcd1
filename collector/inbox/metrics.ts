import { Counter, Gauge, type Registry } from 'prom-client';

export interface InboxMetrics {
	readonly files: Counter<'path' | 'result'>;
	readonly gaps: Counter<'path'>;
	readonly missing: Gauge<'sender'>;
	readonly transit: Gauge<'path' | 'sender'>;
	readonly waiting: Gauge<'path'>;
}

export function createInboxMetrics(registry: Registry): InboxMetrics {
	const registers = [registry];
	return {
		files: new Counter({
			name: 'fournines_inbox_files_total',
			help: 'Transfer files, by what became of them.',
			labelNames: ['path', 'result'],
			registers,
		}),
		gaps: new Counter({
			name: 'fournines_inbox_gap_files_total',
			help: 'Transfer files that did not come when those after them did.',
			labelNames: ['path'],
			registers,
		}),
		missing: new Gauge({
			name: 'fournines_inbox_missing_files',
			help: 'Transfer files of a sender that have still not come.',
			labelNames: ['sender'],
			registers,
		}),
		transit: new Gauge({
			name: 'fournines_inbox_transit_seconds',
			help: 'How old the newest file of a sender was when it was taken.',
			labelNames: ['path', 'sender'],
			registers,
		}),
		waiting: new Gauge({
			name: 'fournines_inbox_waiting_files',
			help: 'Transfer files that lie in the inbox.',
			labelNames: ['path'],
			registers,
		}),
	};
}
