import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../../core/clock.ts';
import { parseQuery } from '../../promql/parser.ts';
import { printExpression } from '../../promql/printer.ts';
import type { InstantRequest, QueryRequest, QueryService } from '../../promql/query-service.ts';
import { syntaxTree } from '../../promql/syntax-tree-json.ts';
import { sendAnswer, sendData } from './answers.ts';
import { badParameter, Parameters } from './parameters.ts';
import { whileThere } from './read-routes.ts';

/** Queries come by GET or as a form by POST. */
const METHODS = ['GET', 'POST'];

export function registerQueryRoutes(
	app: FastifyInstance,
	services: { readonly queries: QueryService; readonly clock: Clock; readonly caller?: (request: FastifyRequest) => string },
): void {
	const { queries, clock } = services;

	const answer = async (request: FastifyRequest, reply: FastifyReply, query: QueryRequest) => {
		const caller = services.caller?.(request) ?? '';
		return sendAnswer(reply, await whileThere(reply, (signal) => queries.execute(query, { signal, caller })));
	};

	app.route({
		method: METHODS,
		url: '/api/v1/query',
		handler: async (request, reply) => {
			const parameters = new Parameters(request);
			const timeMs = parameters.time('time', clock.now());
			return answer(request, reply, { kind: 'instant', query: parameters.one('query'), timeMs, ...queryLimits(parameters) });
		},
	});

	app.route({
		method: METHODS,
		url: '/api/v1/query_range',
		handler: async (request, reply) => {
			const parameters = new Parameters(request);
			const startMs = parameters.time('start');
			const endMs = parameters.time('end');
			const stepMs = parameters.duration('step');
			if (stepMs === undefined) throw badParameter('step', 'cannot parse "" to a valid duration');
			return answer(request, reply, { kind: 'range', query: parameters.one('query'), startMs, endMs, stepMs, ...queryLimits(parameters) });
		},
	});

	app.route({
		method: METHODS,
		url: '/api/v1/series',
		handler: async (request, reply) => {
			const parameters = new Parameters(request);
			return answer(request, reply, {
				kind: 'series',
				selectors: parameters.all('match[]'),
				...parameters.span(),
				limit: parameters.limit(),
			});
		},
	});

	app.route({
		method: METHODS,
		url: '/api/v1/labels',
		handler: async (request, reply) => {
			const parameters = new Parameters(request);
			return answer(request, reply, {
				kind: 'labels',
				selectors: parameters.all('match[]'),
				...parameters.span(),
				limit: parameters.limit(),
			});
		},
	});

	app.get<{ Params: { name: string } }>('/api/v1/label/:name/values', async (request, reply) => {
		const parameters = new Parameters(request);
		const { name } = request.params;
		if (name === '') throw badParameter('name', 'the label name must not be empty');
		return answer(request, reply, {
			kind: 'labelValues',
			name: decodeLabelName(name),
			selectors: parameters.all('match[]'),
			...parameters.span(),
			limit: parameters.limit(),
		});
	});

	app.route({
		method: METHODS,
		url: '/api/v1/query_exemplars',
		handler: async (request, reply) => {
			// Exemplars are not stored; the query is still checked, so that a mistake is told.
			parseQuery(new Parameters(request).one('query'));
			return sendData(reply, []);
		},
	});

	app.route({
		method: METHODS,
		url: '/api/v1/format_query',
		handler: async (request, reply) => sendData(reply, printExpression(parseQuery(new Parameters(request).one('query')))),
	});

	app.route({
		method: METHODS,
		url: '/api/v1/parse_query',
		handler: async (request, reply) => sendData(reply, syntaxTree(parseQuery(new Parameters(request).one('query')))),
	});
}

function queryLimits(parameters: Parameters): Pick<InstantRequest, 'limit' | 'timeoutMs' | 'lookbackMs' | 'stats'> {
	const timeoutMs = parameters.duration('timeout');
	const lookbackMs = parameters.duration('lookback_delta');
	if (lookbackMs !== undefined && lookbackMs <= 0) throw badParameter('lookback_delta', 'it must be longer than 0');
	if (timeoutMs !== undefined && timeoutMs <= 0) throw badParameter('timeout', 'it must be longer than 0');
	const stats = parameters.one('stats');
	return {
		limit: parameters.limit(),
		...(stats === '' ? {} : { stats: stats === 'all' ? ('all' as const) : ('totals' as const) }),
		...(timeoutMs === undefined ? {} : { timeoutMs }),
		...(lookbackMs === undefined ? {} : { lookbackMs }),
	};
}

/** Clients write names that are not plain as `U__…` with `_2e_` for a dot (Prometheus' value escaping). */
function decodeLabelName(name: string): string {
	if (!name.startsWith('U__')) return name;
	return name.slice(3).replace(/__|_([0-9a-fA-F]{1,6})_/g, (whole, hex: string | undefined) => {
		if (hex === undefined) return '_';
		const code = Number.parseInt(hex, 16);
		return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
	});
}
