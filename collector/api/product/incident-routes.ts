import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { FaultFacts } from '../../../alerts/escalation/progress.ts';
import { personOfAccount } from '../../../alerts/escalation/targets.ts';
import type { Incident } from '../../../alerts/incident/incident.ts';
import { NOTICE_KINDS, type NoticeKind } from '../../../alerts/incident/incident-event.ts';
import { incidentStatistics } from '../../../alerts/incident/statistics.ts';
import type { OnCall } from '../../../alerts/on-call.ts';
import type { NotificationHistory } from '../../../alerts/ports.ts';
import { AppError } from '../../../core/errors.ts';
import type { IncidentAnswer, IncidentDetailAnswer, IncidentListAnswer, IncidentStatisticsAnswer } from '../../../protocol/incident-api.ts';
import type { FaultAction } from '../../faults/fault-event.ts';
import { type PersonCaller, personOf } from '../person.ts';
import type { RecordOperation } from './case-routes.ts';
import { incidentAnswer, incidentDetail } from './incident-answers.ts';
import { parseTime } from './overview-routes.ts';

const BASE = '/api/fournines/v1/incidents';
const strict = { additionalProperties: false } as const;
const Text = Type.String({ minLength: 1, maxLength: 2000 });
const Params = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64 }) }, strict);
const Moment = Type.String({ maxLength: 40 });
const ListQuery = Type.Object(
	{
		state: Type.Optional(Type.Union(['open', 'acknowledged', 'resolved', 'unresolved'].map((state) => Type.Literal(state)))),
		from: Type.Optional(Moment),
		to: Type.Optional(Moment),
		limit: Type.Optional(Type.String({ pattern: '^[1-9]\\d{0,2}$' })),
	},
	strict,
);
const SpanQuery = Type.Object({ from: Moment, to: Moment }, strict);
/** `person` is named when somebody says it for them: 代确认. */
const AcknowledgeBody = Type.Object({ person: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })) }, strict);
const HandOverBody = Type.Object({ to: Type.String({ minLength: 1, maxLength: 64 }), note: Type.Optional(Text) }, strict);
const NoteBody = Type.Object({ text: Text }, strict);
const ResolveBody = Type.Object({ reason: Text }, strict);
const NoticeBody = Type.Object(
	{
		notice: Type.Union(NOTICE_KINDS.map((kind) => Type.Literal(kind))),
		told: Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { minItems: 1, maxItems: 50 }),
		channel: Type.String({ minLength: 1, maxLength: 200 }),
		text: Type.String({ minLength: 1, maxLength: 4000 }),
	},
	strict,
);
/** How many are read at once; a span may hold more. */
const PAGE = 500;

interface IdRequest<Body = unknown> {
	Params: { id: string };
	Body: Body;
}

export interface IncidentServices {
	readonly onCall: OnCall;
	readonly history: NotificationHistory;
	readonly faults: () => Promise<readonly FaultFacts[]>;
	/** Writes what people were told into the fault's own history. */
	readonly actOnFault: (fault: string, action: FaultAction, caller: PersonCaller) => Promise<unknown>;
	readonly record: RecordOperation;
	readonly nowMs: () => number;
}

/** Incidents: what is going on, who has it, and everything that happened to it. */
export function registerIncidentRoutes(app: FastifyInstance, services: IncidentServices): void {
	const { onCall, history, record, nowMs } = services;
	const { incidents, duty } = onCall;
	const tags = ['incidents'];
	const answer = async (
		request: FastifyRequest,
		action: string,
		work: (caller: PersonCaller) => Promise<Incident>,
	): Promise<IncidentAnswer> => {
		const incident = await work(personOf(request));
		await record(request, {
			action: `incident.${action}`,
			object: incident.id,
			result: 'success',
			detail: JSON.stringify(request.body ?? {}),
		});
		return incidentAnswer(incident, duty);
	};
	/** The person behind an account, or the account itself: whoever may work here may take an incident. */
	const self = (account: string) => personOfAccount(duty.plan.directory, account) ?? { id: account, name: account };
	const needPerson = (id: string) => {
		const person = duty.person(id);
		if (person === null) throw new AppError('FN_ONCALL_UNKNOWN', `there is no person "${id}" under alerts.oncall.people`, { status: 404 });
		return person;
	};

	app.get<{ Querystring: { state?: 'open' | 'acknowledged' | 'resolved' | 'unresolved'; from?: string; to?: string; limit?: string } }>(
		BASE,
		{ schema: { tags, summary: 'Incidents, newest first', querystring: ListQuery } },
		async ({ query }): Promise<IncidentListAnswer> => {
			const found = await incidents.list({
				...(query.state === undefined ? {} : { state: query.state }),
				...(query.from === undefined ? {} : { fromMs: parseTime(query.from, 'from') }),
				...(query.to === undefined ? {} : { toMs: parseTime(query.to, 'to') }),
				limit: Number(query.limit ?? 100),
			});
			return { nowMs: nowMs(), incidents: found.map((incident) => incidentAnswer(incident, duty)) };
		},
	);

	app.get<{ Querystring: { from: string; to: string } }>(
		`${BASE}/statistics`,
		{ schema: { tags, summary: 'How fast incidents of a span were taken and over; those that nobody took count', querystring: SpanQuery } },
		async ({ query }): Promise<IncidentStatisticsAnswer> => {
			const span = { fromMs: parseTime(query.from, 'from'), toMs: parseTime(query.to, 'to') };
			const found: Incident[] = [];
			for (let last: Incident | undefined; ; last = found.at(-1)) {
				const page = await incidents.list({ ...span, ...(last === undefined ? {} : { below: last.number }), limit: PAGE });
				found.push(...page);
				if (page.length < PAGE) return incidentStatistics(found, nowMs());
			}
		},
	);

	app.get<{ Params: { id: string } }>(
		`${BASE}/:id`,
		{ schema: { tags, summary: 'An incident by id or number, with its whole history', params: Params } },
		async ({ params }): Promise<IncidentDetailAnswer> => {
			const incident = await incidents.get(params.id);
			const fault = incident.fault === null ? null : ((await services.faults()).find(({ id }) => id === incident.fault) ?? null);
			return incidentDetail(incident, { events: await incidents.events(incident.id), history, duty, fault, nowMs: nowMs() });
		},
	);

	app.post<IdRequest<{ person?: string }>>(
		`${BASE}/:id/acknowledge`,
		{ schema: { tags, summary: 'Take an incident, or write down that somebody else has', params: Params, body: AcknowledgeBody } },
		(request) =>
			answer(request, 'acknowledge', async ({ account }) => {
				const { person } = request.body;
				const own = self(account);
				const taker = person === undefined ? own : needPerson(person);
				const way = taker.id === own.id ? 'console' : 'on-behalf';
				return (await incidents.acknowledge(request.params.id, { person: taker.id, name: taker.name, by: account, way })).incident;
			}),
	);

	app.post<IdRequest<{ to: string; note?: string }>>(
		`${BASE}/:id/hand-over`,
		{ schema: { tags, summary: 'Give an incident to somebody, who is called', params: Params, body: HandOverBody } },
		(request) =>
			answer(request, 'hand-over', async ({ account }) => {
				const { to, note } = request.body;
				const person = needPerson(to);
				if (note !== undefined) await incidents.note(request.params.id, note, account);
				return incidents.handOver(request.params.id, person, account);
			}),
	);

	app.post<IdRequest<{ text: string }>>(
		`${BASE}/:id/notes`,
		{ schema: { tags, summary: 'Write something into the history of an incident', params: Params, body: NoteBody } },
		(request) => answer(request, 'note', ({ account }) => incidents.note(request.params.id, request.body.text, account)),
	);

	app.post<IdRequest>(
		`${BASE}/:id/release`,
		{ schema: { tags, summary: 'Nobody has it any more; calling begins anew', params: Params } },
		(request) => answer(request, 'release', ({ account }) => incidents.release(request.params.id, account, 'hand')),
	);

	app.post<IdRequest<{ reason: string }>>(
		`${BASE}/:id/resolve`,
		{ schema: { tags, summary: 'Close an incident whose alerts may still fire, with the reason', params: Params, body: ResolveBody } },
		(request) => answer(request, 'resolve', ({ account }) => incidents.resolve(request.params.id, account, request.body.reason)),
	);

	app.post<IdRequest<{ notice: NoticeKind; told: readonly string[]; channel: string; text: string }>>(
		`${BASE}/:id/notices`,
		{
			schema: { tags, summary: 'A report (首报, 续报, 终报) was given: to whom, how, and what it said', params: Params, body: NoticeBody },
		},
		(request) =>
			answer(request, 'notice', async (caller) => {
				const incident = await incidents.get(request.params.id);
				const { notice, told, channel, text } = request.body;
				// The contract counts the fault's own record, so it is written first.
				if (incident.fault !== null) await services.actOnFault(incident.fault, faultActionOf(notice, { told, channel, text }), caller);
				return incidents.notice(incident.id, { notice, told, channel, text }, caller.account);
			}),
	);
}

function faultActionOf(
	notice: NoticeKind,
	{ told, channel, text }: { readonly told: readonly string[]; readonly channel: string; readonly text: string },
): FaultAction {
	return notice === 'progress' ? { kind: 'progress', text, told: [...told] } : { kind: 'notify', told: [...told], channel };
}
