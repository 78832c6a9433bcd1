import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../../../core/errors.ts';
import type { FaultDetailAnswer, FaultListAnswer } from '../../../protocol/fault-api.ts';
import { type FaultAction, FaultActionSchema } from '../../faults/fault-event.ts';
import type { FaultCaller, Faults } from '../../faults/faults.ts';
import { registerAttachmentRoutes } from './attachment-routes.ts';
import { parseTime } from './overview-routes.ts';

const BASE = '/api/fournines/v1/faults';
const closed = { additionalProperties: false } as const;
const Id = Type.String({ minLength: 1, maxLength: 64 });
const Params = Type.Object({ id: Id }, closed);
const ListQuery = Type.Object(
	{ from: Type.Optional(Type.String({ maxLength: 40 })), to: Type.Optional(Type.String({ maxLength: 40 })) },
	closed,
);
const Service = Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()]);
const ReportBody = Type.Object(
	{
		service: Service,
		title: Type.String({ minLength: 1, maxLength: 500 }),
		point: Type.String({ maxLength: 200 }),
		onsetMs: Type.Integer({ minimum: 0, maximum: 8.64e15 }),
		/** By telephone, WeChat, in person, … */
		channel: Type.String({ minLength: 1, maxLength: 200 }),
		/** When it was declared, where it is entered later. Default: now. */
		declaredMs: Type.Optional(Type.Integer({ minimum: 0, maximum: 8.64e15 })),
		level: Type.Optional(Id),
	},
	closed,
);
const SplitBody = Type.Object(
	{ title: Type.String({ minLength: 1, maxLength: 500 }), service: Service, point: Type.String({ maxLength: 200 }) },
	closed,
);

/** Faults: candidates, their life, work orders and files. */
export async function registerFaultRoutes(app: FastifyInstance, faults: Faults, maxFileBytes: number): Promise<void> {
	const tags = ['faults'];

	app.get<{ Querystring: { from?: string; to?: string } }>(
		BASE,
		{ schema: { tags, summary: 'Open faults, or those that began in a range', querystring: ListQuery } },
		async (request): Promise<FaultListAnswer> => {
			const { from, to } = request.query;
			if (from === undefined && to === undefined) return { faults: await faults.list('open') };
			if (from === undefined || to === undefined) throw new AppError('FN_REQUEST_INVALID', 'from and to belong together', { status: 400 });
			return { faults: await faults.list({ fromMs: parseTime(from, 'from'), toMs: parseTime(to, 'to') }) };
		},
	);

	app.get<{ Params: { id: string } }>(
		`${BASE}/:id`,
		{ schema: { tags, summary: 'A fault with its whole history', params: Params } },
		async (request): Promise<FaultDetailAnswer> => ({
			...(await faults.get(request.params.id)),
			events: await faults.events(request.params.id),
		}),
	);

	app.post<{ Body: Parameters<Faults['report']>[0] }>(
		BASE,
		{ schema: { tags, summary: 'Report a fault by hand; it is declared at once', body: ReportBody } },
		async (request, reply) => reply.status(201).send(await faults.report(request.body, callerOf(request))),
	);

	app.post<{ Params: { id: string }; Body: FaultAction }>(
		`${BASE}/:id/actions`,
		{ schema: { tags, summary: 'The next step of a fault', params: Params, body: FaultActionSchema } },
		(request) => faults.act(request.params.id, request.body, callerOf(request)),
	);

	app.post<{ Params: { id: string }; Body: Parameters<Faults['split']>[1] }>(
		`${BASE}/:id/split`,
		{ schema: { tags, summary: 'Make a second fault out of one', params: Params, body: SplitBody } },
		async (request, reply) => reply.status(201).send(await faults.split(request.params.id, request.body, callerOf(request))),
	);

	await registerAttachmentRoutes(app, {
		base: BASE,
		tag: 'faults',
		name: 'fault',
		maxFileBytes,
		attach: (request, id, name, bytes) => faults.attach(id, name, bytes, callerOf(request)),
		attachment: (id, attachment) => faults.attachment(id, attachment),
	});
}

/** Only people take part in a fault's life; the guard lets no token through. */
function callerOf(request: FastifyRequest): FaultCaller {
	if (request.caller.kind !== 'person')
		throw new AppError('FN_FAULT_FORBIDDEN', 'steps of a fault are for people, not for tokens', { status: 403 });
	const { account, role } = request.caller.user;
	return { account, role, address: request.ip };
}
