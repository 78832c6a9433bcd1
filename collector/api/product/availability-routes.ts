import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import type { BudgetListAnswer, RequestsAnswer, WhatIfAnswer } from '../../../protocol/availability-api.ts';
import type { Availability } from '../../availability/availability.ts';
import type { Budgets } from '../../availability/budgets.ts';
import { parseTime } from './overview-routes.ts';

const BASE = '/api/fournines/v1';
const strict = { additionalProperties: false };
const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }, strict);
const Span = Type.Object({ from: Type.String({ maxLength: 40 }), to: Type.String({ maxLength: 40 }) }, strict);
interface SpanRequest {
	Params: { id: string };
	Querystring: { from: string; to: string };
}

/** Budgets, what an outage would cost, requests and the ledger with all it was computed from. */
export function registerAvailabilityRoutes(
	app: FastifyInstance,
	services: {
		readonly availability: Availability;
		readonly budgets: Budgets;
		/** The export of docs/formats/ledger-export.md. */
		readonly exportLedger: (fromMs: number, toMs: number) => Promise<string>;
	},
): void {
	const tags = ['availability'];
	app.get(
		`${BASE}/budgets`,
		{ schema: { tags, summary: 'Budgets of the current month' } },
		async (): Promise<BudgetListAnswer> => ({
			budgets: await services.budgets.states(),
		}),
	);
	app.get<SpanRequest>(
		`${BASE}/services/:id/what-if`,
		{ schema: { tags, summary: 'What an outage of this span would cost', params: IdParams, querystring: Span } },
		async ({ params, query }): Promise<WhatIfAnswer> =>
			services.budgets.whatIf(params.id, parseTime(query.from, 'from'), parseTime(query.to, 'to')),
	);
	app.get<SpanRequest>(
		`${BASE}/services/:id/requests`,
		{ schema: { tags, summary: 'Good and all requests', params: IdParams, querystring: Span } },
		async ({ params, query }): Promise<RequestsAnswer> => {
			const span = { fromMs: parseTime(query.from, 'from'), toMs: parseTime(query.to, 'to') };
			const counted = await services.availability.requests(params.id, span);
			if (counted === null) return { requests: null, expressions: null };
			const { good, total } = counted.expressions;
			return { requests: counted.figures, expressions: { good, total } };
		},
	);
	app.get<Omit<SpanRequest, 'Params'>>(
		`${BASE}/ledger-export`,
		{ schema: { tags, summary: 'Ledger, exclusions, versions and hashes', querystring: Span } },
		async ({ query }, reply) =>
			reply
				.type('application/jsonl; charset=utf-8')
				.send(await services.exportLedger(parseTime(query.from, 'from'), parseTime(query.to, 'to'))),
	);
}
