import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import { failureOf, type QueryService } from './query-service.ts';

/** Wraps a query service so that it counts itself; for the thread that serves the API. Documented in docs/metrics/query.md. */
export function measuredQueryService(service: QueryService, registry: Registry, clock: Clock): QueryService {
	const registers = [registry];
	const requests = new Counter({
		name: 'fournines_query_requests_total',
		help: 'Requests to the query service, by kind and outcome.',
		labelNames: ['kind', 'outcome'],
		registers,
	});
	const duration = new Histogram({
		name: 'fournines_query_duration_seconds',
		help: 'Time from the request to its answer.',
		labelNames: ['kind'],
		buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 120],
		registers,
	});
	const samples = new Counter({ name: 'fournines_query_samples_read_total', help: 'Samples that queries read from the store.', registers });
	const active = new Gauge({ name: 'fournines_query_active_count', help: 'Requests that wait or run.', registers });
	return {
		execute: async (request, options) => {
			const { kind } = request;
			const begun = clock.monotonic();
			active.inc();
			try {
				const answer = await service.execute(request, options);
				samples.inc(answer.stats?.samplesRead ?? 0);
				requests.inc({ kind, outcome: 'ok' });
				return answer;
			} catch (error) {
				requests.inc({ kind, outcome: failureOf(error).code });
				throw error;
			} finally {
				active.dec();
				duration.observe({ kind }, (clock.monotonic() - begun) / 1000);
			}
		},
	};
}
