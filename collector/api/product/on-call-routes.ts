import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { personOfAccount } from '../../../alerts/escalation/targets.ts';
import type { OnCall } from '../../../alerts/on-call.ts';
import type { DutyChangeRequest, RecordedChange } from '../../../alerts/roster/duty-changes.ts';
import { type Handover, type HandoverSide, missingSignatures } from '../../../alerts/roster/handovers.ts';
import { icalendar } from '../../../alerts/roster/ical.ts';
import { AppError } from '../../../core/errors.ts';
import type { IncidentAnswer } from '../../../protocol/incident-api.ts';
import type {
	DutyChangeAnswer,
	DutyChangeListAnswer,
	HandoverAnswer,
	HandoverListAnswer,
	OnCallAnswer,
	ShiftListAnswer,
} from '../../../protocol/on-call-api.ts';
import { personOf } from '../person.ts';
import type { RecordOperation } from './case-routes.ts';
import { incidentAnswer } from './incident-answers.ts';
import { parseTime } from './overview-routes.ts';

const BASE = '/api/fournines/v1/oncall';
const strict = { additionalProperties: false } as const;
const Id = Type.String({ minLength: 1, maxLength: 64 });
const Params = Type.Object({ id: Id }, strict);
const Moment = Type.String({ maxLength: 40 });
const SpanQuery = Type.Object({ from: Moment, to: Moment }, strict);
const Time = Type.Integer({ minimum: 0, maximum: 8.64e15 });
const Reason = Type.String({ minLength: 1, maxLength: 500 });
const Span = Type.Object({ fromMs: Time, toMs: Time }, strict);
const ChangeBody = Type.Union([
	Type.Object({ kind: Type.Literal('replace'), instead: Id, person: Id, fromMs: Time, toMs: Time, reason: Reason }, strict),
	Type.Object(
		{ kind: Type.Union([Type.Literal('add'), Type.Literal('alone')]), person: Id, fromMs: Time, toMs: Time, reason: Reason },
		strict,
	),
	Type.Object({ kind: Type.Literal('swap'), a: Id, b: Id, first: Span, second: Span, reason: Reason }, strict),
]);
const CancelBody = Type.Object({ reason: Reason }, strict);
const SignBody = Type.Object(
	{
		side: Type.Union([Type.Literal('outgoing'), Type.Literal('incoming')]),
		note: Type.String({ maxLength: 2000 }),
	},
	strict,
);
const FeedQuery = Type.Object({ roster: Type.Optional(Id), person: Type.Optional(Id) }, strict);

const LONGEST_SPAN_MS = 400 * 86_400_000;
const FEED_BACK_MS = 30 * 86_400_000;
const FEED_AHEAD_MS = 90 * 86_400_000;
const HANDOVERS_LISTED = 50;

/** Who has duty now and ahead, changes of it, hand-over records, drills and the calendar feed. */
export function registerOnCallRoutes(
	app: FastifyInstance,
	services: { readonly onCall: OnCall; readonly record: RecordOperation; readonly nowMs: () => number },
): void {
	const { onCall, nowMs } = services;
	const { duty, changes, handovers } = onCall;
	const tags = ['on-call'];
	const names = (ids: readonly string[]) => ids.map((id) => duty.name(id));
	const record = (request: FastifyRequest, action: string, object: string) =>
		services.record(request, { action: `oncall.${action}`, object, result: 'success', detail: JSON.stringify(request.body ?? {}) });

	app.get(
		BASE,
		{ schema: { tags, summary: 'Who has duty now, who is next, and what is wrong ahead' } },
		async (): Promise<OnCallAnswer> => {
			const { gaps, overloads, ...outlook } = onCall.outlook();
			return {
				nowMs: nowMs(),
				people: duty.plan.config.people.map(({ id, name, addresses }) => ({ id, name, channels: addresses.map(({ channel }) => channel) })),
				rosters: duty.rosters.map((roster) => {
					const { people, next } = duty.now(roster);
					const { id, name, zone } = roster;
					return { id, name, zone, now: names(people), next: next === null ? null : { atMs: next.fromMs, people: names(next.people) } };
				}),
				outlook: {
					...outlook,
					gaps: gaps.map((gap) => ({ ...gap, people: names(gap.people) })),
					overloads: overloads.map((overload) => ({ ...overload, person: duty.name(overload.person) })),
				},
				nextDrillMs: onCall.nextDrillMs(),
			};
		},
	);

	app.get<{ Params: { id: string }; Querystring: { from: string; to: string } }>(
		`${BASE}/rosters/:id/shifts`,
		{ schema: { tags, summary: 'Who has duty over a span, changes included', params: Params, querystring: SpanQuery } },
		async ({ params, query }): Promise<ShiftListAnswer> => {
			const span = { fromMs: parseTime(query.from, 'from'), toMs: parseTime(query.to, 'to') };
			if (span.toMs <= span.fromMs || span.toMs - span.fromMs > LONGEST_SPAN_MS)
				throw new AppError('FN_REQUEST_INVALID', 'from must be before to, by at most 400 days', { status: 400 });
			return { shifts: duty.shifts(duty.roster(params.id), span).map(({ people, ...shift }) => ({ ...shift, people: names(people) })) };
		},
	);

	app.get<{ Params: { id: string } }>(
		`${BASE}/rosters/:id/changes`,
		{ schema: { tags, summary: 'Overrides, additions and swaps of a roster, newest first, cancelled ones included', params: Params } },
		async ({ params }): Promise<DutyChangeListAnswer> => ({
			changes: changes.history(duty.roster(params.id).id).map((change) => changeAnswer(change, names)),
		}),
	);

	app.post<{ Params: { id: string }; Body: DutyChangeRequest }>(
		`${BASE}/rosters/:id/changes`,
		{ schema: { tags, summary: 'Somebody else has duty for a while', params: Params, body: ChangeBody } },
		async (request, reply) => {
			const { account } = personOf(request);
			const roster = duty.roster(request.params.id).id;
			const made = await changes.change(roster, request.body, account, new Set(duty.plan.directory.people.keys()));
			await record(request, 'change', made.id);
			return reply.status(201).send(changeAnswer(made, names));
		},
	);

	app.post<{ Params: { id: string }; Body: { reason: string } }>(
		`${BASE}/changes/:id/cancel`,
		{ schema: { tags, summary: 'Take a change of duty back; it stays on record', params: Params, body: CancelBody } },
		async (request) => {
			const { account } = personOf(request);
			const cancelled = await changes.cancel(request.params.id, request.body.reason, account);
			await record(request, 'cancel', cancelled.id);
			return changeAnswer(cancelled, names);
		},
	);

	app.get(
		`${BASE}/handovers`,
		{ schema: { tags, summary: 'Hand-over records, newest first' } },
		async (): Promise<HandoverListAnswer> => ({
			handovers: handovers.list(HANDOVERS_LISTED).map((handover) => handoverAnswer(handover, names)),
		}),
	);

	app.post<{ Params: { id: string }; Body: { side: HandoverSide; note: string } }>(
		`${BASE}/handovers/:id/sign`,
		{ schema: { tags, summary: 'Sign a hand-over record for one side', params: Params, body: SignBody } },
		async (request): Promise<HandoverAnswer> => {
			const { account } = personOf(request);
			const person = personOfAccount(duty.plan.directory, account);
			if (person === null) {
				throw new AppError('FN_ONCALL_HANDOVER', `the account "${account}" belongs to nobody under alerts.oncall.people; name it there`, {
					status: 409,
				});
			}
			const { side, note } = request.body;
			const signed = await handovers.sign(request.params.id, side, { person: person.id, by: account, note });
			await record(request, 'sign', signed.id);
			return handoverAnswer(signed, names);
		},
	);

	app.post(
		`${BASE}/drills`,
		{ schema: { tags, summary: 'Start a fire drill now: every address of whoever has duty' } },
		async (request, reply) => {
			const { account } = personOf(request);
			const incident = await onCall.drill(account);
			await record(request, 'drill', incident.id);
			return reply.status(201).send(incidentAnswer(incident, duty) satisfies IncidentAnswer);
		},
	);

	app.get<{ Querystring: { roster?: string; person?: string } }>(
		`${BASE}/calendar.ics`,
		{ schema: { tags, summary: 'Duty as an iCalendar feed, of one roster or person or of all', querystring: FeedQuery } },
		async ({ query }, reply) => {
			const span = { fromMs: nowMs() - FEED_BACK_MS, toMs: nowMs() + FEED_AHEAD_MS };
			const rosters = query.roster === undefined ? duty.rosters : [duty.roster(query.roster)];
			const entries = rosters.flatMap((roster) =>
				duty.shifts(roster, span).flatMap(({ fromMs, toMs, people }) => {
					const shown = query.person === undefined ? people : people.filter((person) => person === query.person);
					if (shown.length === 0) return [];
					const who = names(shown).join('、');
					return [
						{
							uid: `${roster.id}-${fromMs}@fournines`,
							fromMs,
							toMs,
							summary: `${roster.name}值班：${who}`,
							description: names(people).join('、'),
						},
					];
				}),
			);
			const title = query.roster === undefined ? '值班' : `${duty.roster(query.roster).name}值班`;
			return reply.type('text/calendar; charset=utf-8').send(icalendar(title, entries, nowMs()));
		},
	);
}

function changeAnswer(record: RecordedChange, names: (ids: readonly string[]) => readonly string[]): DutyChangeAnswer {
	return {
		...record,
		changes: record.changes.map(({ fromMs, toMs, instead, person }) => {
			const [insteadName = '', personName = ''] = names([instead, person]);
			return { fromMs, toMs, instead: insteadName, person: personName };
		}),
	};
}

function handoverAnswer(handover: Handover, names: (ids: readonly string[]) => readonly string[]): HandoverAnswer {
	const { id, roster, atMs, outgoing, incoming, facts, signatures, told } = handover;
	return {
		id,
		roster,
		atMs,
		outgoing: names(outgoing),
		incoming: names(incoming),
		facts,
		signatures: signatures.map((signature) => ({ ...signature, person: names([signature.person])[0] ?? '' })),
		missing: missingSignatures(handover),
		toldLead: told.length > 0,
	};
}
