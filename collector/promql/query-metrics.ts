import { Counter, type Registry } from 'prom-client';
import { failureOf, type QueryService } from './query-service.ts';

/** Wraps a query service so that requests and samples are counted; for the thread that serves the API. Documented in docs/metrics/query.md. */
export function measuredQueryService(service: QueryService, registry: Registry): QueryService {
	const registers = [registry];
	const requests = new Counter({
		name: 'fournines_query_requests_total',
		help: 'Requests to the query service, by kind and outcome.',
		labelNames: ['kind', 'outcome'],
		registers,
	});
	const samples = new Counter({ name: 'fournines_query_samples_read_total', help: 'Samples that queries read from the store.', registers });
	return {
		execute: async (request, options) => {
			const { kind } = request;
			try {
				const answer = await service.execute(request, options);
				samples.inc(answer.stats?.samplesRead ?? 0);
				requests.inc({ kind, outcome: 'ok' });
				return answer;
			} catch (error) {
				requests.inc({ kind, outcome: failureOf(error).code });
				throw error;
			}
		},
	};
}
