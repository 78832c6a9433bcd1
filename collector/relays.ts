import type { Alerting } from '../alerts/alerting.ts';
import type { RelayConfig } from '../alerts/relay/config.ts';
import type { RelayMetrics } from '../alerts/relay/metrics.ts';
import { RelayClient, type RelayClientOptions } from '../alerts/relay/relay-client.ts';
import { type AckPage, createAckPage } from './api/product/ack-page.ts';
import type { OperationLog } from './identity/operation-log.ts';

export interface RelaysOptions extends Pick<RelayClientOptions, 'secret' | 'http' | 'clock' | 'log'> {
	readonly alerting: Alerting;
	readonly operations: OperationLog;
	readonly metrics: RelayMetrics;
}

export interface Relays {
	/** The page behind links of messages, for the collector's own listener as well. */
	readonly ackPage: AckPage;
	/** Throws `FN_SECRET_UNREADABLE` and `FN_ALERTS_CA_UNREADABLE`; otherwise they are fetched from when what is returned was called. */
	prepare(configs: readonly RelayConfig[]): () => Promise<void>;
	stop(): Promise<void>;
}

/** The archive keeps what is refused for years, and strangers decide how much that is: one record a minute for each channel, with a count. */
const RECORD_EVERY_MS = 60_000;

/** Relays in the internet zone: what they have taken is judged and done here, by the handlers of the collector's own routes. */
export function createRelays(options: RelaysOptions): Relays {
	const { alerting, operations, clock } = options;
	const ackPage = createAckPage({
		onCall: alerting.onCall,
		record: (operation) => operations.record({ ...operation, action: 'incident.acknowledge', result: 'success', detail: 'link' }),
	});
	const refused = new Map<string, { recordedAtMs: number; unrecorded: number }>();
	const onRefused: RelayClientOptions['onRefused'] = async ({ relay, request, code }) => {
		const object = request.kind === 'ack' ? 'ack' : request.name;
		const key = `${relay} ${object}`;
		const before = refused.get(key) ?? { recordedAtMs: Number.NEGATIVE_INFINITY, unrecorded: 0 };
		if (clock.monotonic() - before.recordedAtMs < RECORD_EVERY_MS) {
			before.unrecorded++;
			return;
		}
		refused.set(key, { recordedAtMs: clock.monotonic(), unrecorded: 0 });
		const more = before.unrecorded === 0 ? '' : `, and ${before.unrecorded} before`;
		await operations.record({
			actor: `relay:${relay}`,
			action: 'callback.refuse',
			object,
			result: 'failure',
			srcAddr: request.address,
			detail: `${code}${more}`,
		});
	};
	let clients: readonly RelayClient[] = [];
	let inUse = '[]';
	return {
		ackPage,
		prepare: (configs) => {
			const wanted = JSON.stringify(configs);
			if (wanted === inUse) return async () => {};
			const handlers = { callback: alerting.callback, ack: ackPage };
			const next = configs.map((config) => new RelayClient({ ...options, config, handlers, onRefused }));
			return async () => {
				await Promise.all(clients.map((client) => client.stop()));
				clients = next;
				inUse = wanted;
				for (const client of clients) client.start();
			};
		},
		stop: async () => {
			await Promise.all(clients.map((client) => client.stop()));
		},
	};
}
