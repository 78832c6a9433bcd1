import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { AppError } from '../../../core/errors.ts';
import { ScheduleSchema } from '../../../core/schedule.ts';
import type { MaintenanceDetailAnswer, MaintenanceListAnswer, MaintenanceWindowAnswer } from '../../../protocol/maintenance-api.ts';
import type { Maintenance, Person } from '../../maintenance/maintenance.ts';
import type { MaintenanceRequest, MaintenanceWindow } from '../../maintenance/window.ts';
import { parseTime } from './overview-routes.ts';

const BASE = '/api/fournines/v1/maintenance';
const Time = Type.Integer({ minimum: 0, maximum: 8.64e15 });
const Text = Type.String({ maxLength: 2000 });
const strict = { additionalProperties: false };
const RequestBody = Type.Object(
	{
		title: Type.String({ minLength: 1, maxLength: 200 }),
		services: Type.Array(Type.String({ maxLength: 64 }), { minItems: 1, maxItems: 500, uniqueItems: true }),
		hosts: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 500, uniqueItems: true })),
		fromMs: Time,
		toMs: Time,
		recurrence: Type.Union([Type.Null(), Type.Object({ schedule: ScheduleSchema, untilMs: Time }, strict)]),
		reason: Text,
		rollback: Text,
	},
	strict,
);
const NoteBody = Type.Object({ note: Text }, strict);
const ConsentBody = Type.Object(
	{ by: Type.String({ minLength: 1, maxLength: 200 }), atMs: Time, evidence: Type.String({ minLength: 1, maxLength: 2000 }) },
	strict,
);
const ActualBody = Type.Object({ occurrenceMs: Time, actualMs: Time }, strict);
const IdParams = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }, strict);
const ListQuery = Type.Object({ from: Type.String({ maxLength: 40 }), to: Type.String({ maxLength: 40 }) }, strict);

/** Maintenance windows: asked for, approved by another person, agreed to by the client, carried out. `onChange` writes the operations log. */
export function registerMaintenanceRoutes(
	app: FastifyInstance,
	options: {
		readonly maintenance: Maintenance;
		/** What a window has held back so far. */
		readonly price: (id: string) => Promise<{ readonly messages: number; readonly criticalSeconds: number }>;
		readonly onChange: (request: FastifyRequest, action: string, id: string) => Promise<void>;
	},
): void {
	const { maintenance, onChange, price } = options;
	const tags = ['maintenance'];
	const changed = async (request: FastifyRequest, action: string, window: MaintenanceWindow): Promise<MaintenanceWindowAnswer> => {
		await onChange(request, `maintenance.${action}`, window.id);
		return shown(window);
	};
	app.get<{ Querystring: { from: string; to: string } }>(
		BASE,
		{ schema: { tags, summary: 'Windows with a planned time in the span', querystring: ListQuery } },
		async ({ query }): Promise<MaintenanceListAnswer> => ({
			windows: maintenance.list(parseTime(query.from, 'from'), parseTime(query.to, 'to')).map(shown),
		}),
	);
	app.get<{ Params: { id: string } }>(
		`${BASE}/:id`,
		{ schema: { tags, summary: 'One window', params: IdParams } },
		async ({ params }): Promise<MaintenanceDetailAnswer> => ({
			...shown(maintenance.get(params.id)),
			held: await price(params.id),
		}),
	);
	app.post<{ Body: MaintenanceRequest }>(
		BASE,
		{ schema: { tags, summary: 'Ask for a window', body: RequestBody } },
		async (request, reply) =>
			reply.status(201).send(await changed(request, 'request', await maintenance.request(request.body, personOf(request)))),
	);
	for (const action of ['approve', 'refuse', 'cancel'] as const)
		app.post<{ Params: { id: string }; Body: { note: string } }>(
			`${BASE}/:id/${action}`,
			{ schema: { tags, summary: `${action} a window`, params: IdParams, body: NoteBody } },
			async (request) => changed(request, action, await maintenance[action](request.params.id, personOf(request), request.body.note)),
		);
	app.post<{ Params: { id: string }; Body: { by: string; atMs: number; evidence: string } }>(
		`${BASE}/:id/consent`,
		{ schema: { tags, summary: "Record the client's consent", params: IdParams, body: ConsentBody } },
		async (request) => changed(request, 'consent', await maintenance.consent(request.params.id, personOf(request), request.body)),
	);
	for (const [path, kind] of [
		['start', 'started'],
		['end', 'ended'],
	] as const)
		app.post<{ Params: { id: string }; Body: { occurrenceMs: number; actualMs: number } }>(
			`${BASE}/:id/${path}`,
			{ schema: { tags, summary: `Record the actual ${path}`, params: IdParams, body: ActualBody } },
			async (request) => changed(request, path, await maintenance.record(request.params.id, personOf(request), { kind, ...request.body })),
		);
}

function personOf(request: FastifyRequest): Person {
	if (request.caller.kind === 'person') return request.caller.user;
	throw new AppError('FN_AUTH_FORBIDDEN', 'only a person can do this', { status: 403 });
}

function shown(window: MaintenanceWindow): MaintenanceWindowAnswer {
	const { request, consent } = window;
	return {
		id: window.id,
		title: request.title,
		services: request.services,
		hosts: request.hosts ?? [],
		fromMs: request.fromMs,
		toMs: request.toMs,
		recurring: request.recurrence !== null,
		reason: request.reason,
		rollback: request.rollback,
		state: window.state,
		requestedBy: window.requestedBy,
		requestedAtMs: window.requestedAtMs,
		retroactive: window.retroactive,
		approvals: window.approvals,
		consent: consent === null ? null : { by: consent.by, atMs: consent.atMs, evidence: consent.evidence },
		actual: [...window.actual].map(([occurrenceMs, actual]) => ({ occurrenceMs, ...actual })),
		history: window.events.map(({ atMs, actor, kind }) => ({ atMs, actor, kind })),
	};
}
