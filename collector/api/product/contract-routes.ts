import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../../../core/errors.ts';
import type {
	AssessedPeriodAnswer,
	ContractListAnswer,
	ContractProfileAnswer,
	ContractStandingAnswer,
} from '../../../protocol/contract-api.ts';
import type { ContractCaller, Contracts } from '../../contracts/contracts.ts';

const BASE = '/api/fournines/v1/contracts';
const closed = { additionalProperties: false } as const;
const Id = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9+._-]{0,63}$' });
const Text = Type.String({ minLength: 1, maxLength: 4000 });
const Key = Type.String({ minLength: 1, maxLength: 300 });
const Centipoints = Type.Integer({ minimum: -100_000, maximum: 100_000 });
const Params = Type.Object({ id: Id }, closed);
const PeriodParams = Type.Object({ id: Id, period: Type.String({ minLength: 1, maxLength: 16 }) }, closed);
const EntryParams = Type.Object({ id: Id, period: Type.String({ minLength: 1, maxLength: 16 }), entry: Id }, closed);
/** Other answers to open questions, `id:answer` separated by commas, to see what they would cost. */
const AssessQuery = Type.Object({ settings: Type.Optional(Type.String({ maxLength: 1000 })) }, closed);
const RecordBody = Type.Object(
	{
		rule: Id,
		quantity: Type.Number({ exclusiveMinimum: 0, maximum: 10_000 }),
		atMs: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
		note: Type.String({ maxLength: 1000 }),
		evidence: Type.String({ maxLength: 4000 }),
	},
	closed,
);
const AdjustBody = Type.Object(
	{ key: Key, centipoints: Centipoints, clause: Type.String({ minLength: 1, maxLength: 500 }), note: Type.String({ maxLength: 1000 }) },
	closed,
);

type PeriodPath = { Params: { id: string; period: string } };

/** Contract profiles, periods priced under them, and what the parties say about the figures. */
export function registerContractRoutes(app: FastifyInstance, contracts: Contracts): void {
	const tags = ['contracts'];
	const at = `${BASE}/:id/periods/:period`;

	app.get(
		BASE,
		{ schema: { tags, summary: 'The contract profiles and their open questions' } },
		async (): Promise<ContractListAnswer> => ({
			contracts: contracts.list().map(({ id, settings }) => ({
				id,
				name: contracts.profile(id).name,
				term: contracts.term(id),
				settings: questionsOf(settings),
			})),
		}),
	);

	app.get<{ Params: { id: string } }>(
		`${BASE}/:id`,
		{ schema: { tags, summary: 'A profile as it applies', params: Params } },
		async (request): Promise<ContractProfileAnswer> => contracts.profile(request.params.id),
	);

	app.get<{ Params: { id: string } }>(
		`${BASE}/:id/standing`,
		{ schema: { tags, summary: 'All periods so far, means of the years, and how near termination is', params: Params } },
		(request): Promise<ContractStandingAnswer> => contracts.standing(request.params.id),
	);

	app.get<PeriodPath & { Querystring: { settings?: string } }>(
		at,
		{
			schema: {
				tags,
				summary: 'A period priced; `now` is the one that runs, with what comes next',
				params: PeriodParams,
				querystring: AssessQuery,
			},
		},
		(request): Promise<AssessedPeriodAnswer> =>
			contracts.assess(request.params.id, request.params.period, answersOf(request.query.settings)),
	);

	app.post<{ Params: { id: string }; Body: Parameters<Contracts['record']>[1] }>(
		`${BASE}/:id/records`,
		{ schema: { tags, summary: 'Enter a lapse or a bonus', params: Params, body: RecordBody } },
		async (request, reply) => reply.status(201).send({ id: await contracts.record(request.params.id, request.body, callerOf(request)) }),
	);

	app.post<{ Params: { id: string; period: string; entry: string }; Body: { reason: string } }>(
		`${at}/records/:entry/withdrawal`,
		{ schema: { tags, summary: 'Withdraw a record', params: EntryParams, body: Type.Object({ reason: Text }, closed) } },
		async (request, reply) => {
			const { id, period, entry } = request.params;
			await contracts.withdraw(id, period, entry, request.body.reason, callerOf(request));
			return reply.status(204).send();
		},
	);

	app.post<PeriodPath & { Body: Parameters<Contracts['adjust']>[2] }>(
		`${at}/adjustments`,
		{ schema: { tags, summary: "The client's figure for an item", params: PeriodParams, body: AdjustBody } },
		async (request, reply) => {
			await contracts.adjust(request.params.id, request.params.period, request.body, callerOf(request));
			return reply.status(204).send();
		},
	);

	app.post<PeriodPath & { Body: Parameters<Contracts['dispute']>[2] }>(
		`${at}/disputes`,
		{ schema: { tags, summary: 'Contest an item', params: PeriodParams, body: Type.Object({ key: Key, evidence: Text }, closed) } },
		async (request, reply) => {
			const { id, period } = request.params;
			return reply.status(201).send({ id: await contracts.dispute(id, period, request.body, callerOf(request)) });
		},
	);

	app.post<{ Params: { id: string; period: string; entry: string }; Body: { centipoints: number; reason: string } }>(
		`${at}/disputes/:entry/decision`,
		{
			schema: {
				tags,
				summary: 'Decide a dispute; both figures stay',
				params: EntryParams,
				body: Type.Object({ centipoints: Centipoints, reason: Text }, closed),
			},
		},
		async (request, reply) => {
			const { id, period, entry } = request.params;
			await contracts.decide(id, period, { dispute: entry, ...request.body }, callerOf(request));
			return reply.status(204).send();
		},
	);
}

function questionsOf(settings: ReturnType<Contracts['list']>[number]['settings']) {
	return Object.entries(settings).map(([id, { question, clause, default: byDefault, options }]) => ({
		id,
		question,
		clause,
		default: byDefault,
		options: Object.keys(options),
	}));
}

function answersOf(text: string | undefined): Readonly<Record<string, string>> {
	const pairs = (text ?? '').split(',').filter((pair) => pair !== '');
	return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf(':')), pair.slice(pair.indexOf(':') + 1)]));
}

function callerOf(request: FastifyRequest): ContractCaller {
	if (request.caller.kind !== 'person')
		throw new AppError('FN_CONTRACT_FORBIDDEN', 'assessments are for people, not for tokens', { status: 403 });
	return { name: request.caller.user.account, role: request.caller.user.role, address: request.ip };
}
