import { Counter, type Registry } from 'prom-client';
import type { Logger } from '../../core/log.ts';
import { failureOf, type QueryRequest, type QueryService } from './query-service.ts';

export interface SlowQueryLog {
	readonly log: Logger;
	/** Queries that take at least this long, waiting included, are logged with their text, who asked, and what they read. */
	readonly fromMs: number;
	readonly monotonic: () => number;
}

/** Of a query's text in the log. */
const LOGGED_CHARACTERS = 2000;

/** Wraps a query service so that requests and samples are counted; for the thread that serves the API. Documented in docs/metrics/query.md. */
export function measuredQueryService(service: QueryService, registry: Registry, slow?: SlowQueryLog): QueryService {
	const registers = [registry];
	const requests = new Counter({
		name: 'fournines_query_requests_total',
		help: 'Requests to the query service, by kind and outcome.',
		labelNames: ['kind', 'outcome'],
		registers,
	});
	const samples = new Counter({ name: 'fournines_query_samples_read_total', help: 'Samples that queries read from the store.', registers });
	const slowQueries = new Counter({
		name: 'fournines_query_slow_total',
		help: 'Queries that were logged because they took long.',
		registers,
	});
	return {
		execute: async (request, options) => {
			const { kind } = request;
			const begun = slow?.monotonic() ?? 0;
			const tell = (outcome: string, samplesRead: number | null) => {
				if (slow === undefined) return;
				const durationMs = Math.round(slow.monotonic() - begun);
				if (durationMs < slow.fromMs) return;
				slowQueries.inc();
				slow.log.warn({ kind, ...textOf(request), caller: options?.caller ?? '', outcome, samplesRead, durationMs }, 'a slow query');
			};
			try {
				const answer = await service.execute(request, options);
				tell('ok', answer.stats?.samplesRead ?? null);
				samples.inc(answer.stats?.samplesRead ?? 0);
				requests.inc({ kind, outcome: 'ok' });
				return answer;
			} catch (error) {
				const { code } = failureOf(error);
				requests.inc({ kind, outcome: code });
				tell(code, null);
				throw error;
			}
		},
	};
}

function textOf(request: QueryRequest): object {
	switch (request.kind) {
		case 'instant':
			return { query: request.query.slice(0, LOGGED_CHARACTERS), timeMs: request.timeMs };
		case 'range':
			return { query: request.query.slice(0, LOGGED_CHARACTERS), startMs: request.startMs, endMs: request.endMs, stepMs: request.stepMs };
		case 'read':
			return { queries: request.queries.length };
		default:
			return { query: request.selectors.join(' ').slice(0, LOGGED_CHARACTERS) };
	}
}
