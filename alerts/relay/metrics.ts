import { Counter, Gauge, type Registry } from 'prom-client';

/** What fetching from relays says of itself; documented in docs/metrics/alerts.md. */
export interface RelayMetrics {
	readonly polls: Counter<'relay' | 'result'>;
	readonly lastPoll: Gauge<'relay'>;
	readonly requests: Counter<'relay' | 'result'>;
}

export function createRelayMetrics(registry: Registry): RelayMetrics {
	const registers = [registry];
	return {
		polls: new Counter({
			name: 'fournines_alerts_relay_polls_total',
			help: 'Times that a relay in the internet zone was asked, by result.',
			labelNames: ['relay', 'result'],
			registers,
		}),
		lastPoll: new Gauge({
			name: 'fournines_alerts_relay_last_poll_timestamp_seconds',
			help: 'When a relay in the internet zone last answered.',
			labelNames: ['relay'],
			registers,
		}),
		requests: new Counter({
			name: 'fournines_alerts_relayed_requests_total',
			help: 'Requests from the internet that came over a relay, by what became of them.',
			labelNames: ['relay', 'result'],
			registers,
		}),
	};
}
