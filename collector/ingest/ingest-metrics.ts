import { Counter, type Registry } from 'prom-client';

/** Own metrics of ingest; documented in docs/metrics/ingest.md. */
export interface IngestMetrics {
	readonly requests: Counter<'protocol' | 'status'>;
	readonly samples: Counter<'protocol'>;
	readonly refused: Counter<'reason'>;
	readonly bytes: Counter<'protocol'>;
}

const known = new WeakMap<Registry, IngestMetrics>();

/** One set per registry, which all ways in share. */
export function createIngestMetrics(registry: Registry): IngestMetrics {
	const created = known.get(registry) ?? registerIngestMetrics(registry);
	known.set(registry, created);
	return created;
}

function registerIngestMetrics(registry: Registry): IngestMetrics {
	const registers = [registry];
	return {
		requests: new Counter({
			name: 'fournines_ingest_requests_total',
			help: 'Write requests by answer.',
			labelNames: ['protocol', 'status'],
			registers,
		}),
		samples: new Counter({
			name: 'fournines_ingest_samples_total',
			help: 'Samples that were acknowledged.',
			labelNames: ['protocol'],
			registers,
		}),
		refused: new Counter({
			name: 'fournines_ingest_samples_refused_total',
			help: 'Samples that were refused, by reason.',
			labelNames: ['reason'],
			registers,
		}),
		bytes: new Counter({
			name: 'fournines_ingest_body_bytes_total',
			help: 'Compressed bytes received.',
			labelNames: ['protocol'],
			registers,
		}),
	};
}
