import { AppError } from '../../core/errors.ts';
import { advance, beginChain, type Chain, type ChainPosition, chainVia, pauseChain } from '../escalation/chain.ts';
import type { NotifiedAlert } from '../notify/notification.ts';
import type { CalledPerson, IncidentEvent, IncidentEventBody, IncidentSource } from './incident-event.ts';

export type IncidentState = 'open' | 'acknowledged' | 'resolved';

/** A personal message that is on record and not yet handed to delivery; delivery knows its id, so that asking twice sends once. */
export interface PersonalMessage {
	readonly requestId: string;
	readonly personId: string;
	readonly kind: 'call' | 'recovery' | 'progress' | 'taken';
	/** Instead of the alerts; `''` for none. */
	readonly text: string;
	readonly clock: string;
	/** Number of the event that wrote it; a link to acknowledge names it. */
	readonly seq: number;
	/** A drill tries each of a person's addresses on its own. */
	readonly address: number | null;
}

export interface Call {
	readonly personId: string;
	readonly name: string;
	readonly atMs: number;
	/** Number of the event; a link to acknowledge names it. */
	readonly seq: number;
	/** Its link has done its work once. */
	readonly used: boolean;
}

/** An incident as its history says. Plain data; times are milliseconds. */
export interface Incident {
	readonly id: string;
	/** For people, from 1. */
	readonly number: number;
	readonly state: IncidentState;
	readonly source: IncidentSource;
	readonly title: string;
	readonly severity: string;
	readonly labels: Readonly<Record<string, string>>;
	/** When the oldest of its alerts began to hold. */
	readonly startsAtMs: number;
	readonly openedAtMs: number;
	/** Groups of alerts that it was told for. */
	readonly groups: readonly string[];
	/** Fingerprints that fire. */
	readonly firing: readonly string[];
	/** All that ever belonged to it, those that fire included. */
	readonly alertCount: number;
	/** A few of them, the most severe first, for messages. */
	readonly shown: readonly NotifiedAlert[];
	readonly chain: Chain | null;
	readonly position: ChainPosition | null;
	/** Why nobody is called although the chain has not ended: all of its alerts are hidden; `''` when that is not so. */
	readonly held: string;
	/** Account or person who has it; `''` while nobody has. */
	readonly owner: string;
	/** The first time that anybody took it. */
	readonly acknowledgedAtMs: number | null;
	/** When it becomes nobody's again. */
	readonly releaseAtMs: number | null;
	readonly resolvedAtMs: number | null;
	/** The last call of each person. */
	readonly calls: readonly Call[];
	/** Number of the event with the first of all calls; `null` before it. */
	readonly firstCallSeq: number | null;
	/** Requests of the last call whose people may still be reached; none left means that waiting helps nobody. */
	readonly awaited: readonly string[];
	/** Messages that delivery has not taken yet. */
	readonly pending: readonly PersonalMessage[];
	/** Fault of the contract that it belongs to. */
	readonly fault: string | null;
	readonly faultLevel: string | null;
	/** Deadline of the last progress report that somebody was reminded of. */
	readonly remindedMs: number | null;
	/** Number of the last event. */
	readonly seq: number;
}

const SHOWN = 5;
const NEVER_CALLED: readonly Call[] = [];

/** One step. Pure; throws `FN_INCIDENT_STEP` (409) when it is not possible now. */
export function applyIncident(id: string, incident: Incident | null, event: IncidentEvent): Incident {
	const { body } = event;
	if (incident === null) {
		if (body.kind !== 'opened') throw refuse(id, body.kind, 'it has not been opened');
		return opened(id, event, body);
	}
	if (event.seq !== incident.seq + 1) throw refuse(id, body.kind, `event ${event.seq} does not follow event ${incident.seq}`);
	return { ...step(incident, event), seq: event.seq };
}

function opened(id: string, event: IncidentEvent, body: Extract<IncidentEventBody, { kind: 'opened' }>): Incident {
	const { kind: _kind, ...rest } = body;
	return {
		id,
		...rest,
		state: 'open',
		openedAtMs: event.atMs,
		groups: [],
		firing: [],
		alertCount: 0,
		shown: [],
		position: body.chain === null ? null : beginChain(event.atMs),
		held: '',
		owner: '',
		acknowledgedAtMs: null,
		releaseAtMs: null,
		resolvedAtMs: null,
		calls: NEVER_CALLED,
		firstCallSeq: null,
		awaited: [],
		pending: [],
		fault: body.source.kind === 'fault' ? body.source.fault : null,
		faultLevel: null,
		remindedMs: null,
		seq: event.seq,
	};
}

function step(incident: Incident, event: IncidentEvent): Incident {
	const { body, atMs } = event;
	// Receipts, notes and ticked-off reports come after the end as well.
	const always: readonly IncidentEventBody['kind'][] = ['note', 'delivery', 'reply', 'notice', 'told', 'fault'];
	if (incident.state === 'resolved' && !always.includes(body.kind)) throw refuse(incident.id, body.kind, 'it is over');
	const calling: readonly IncidentEventBody['kind'][] = ['called', 'nobody', 'exhausted', 'held', 'resumed'];
	if (incident.state !== 'open' && calling.includes(body.kind)) throw refuse(incident.id, body.kind, `"${incident.owner}" has it`);
	switch (body.kind) {
		case 'opened':
			throw refuse(incident.id, body.kind, 'it is open already');
		case 'joined': {
			const known = new Set(incident.firing);
			const added = body.alerts.filter((fingerprint) => !known.has(fingerprint));
			const shown = [...incident.shown.filter((one) => !body.shown.some((next) => next.fingerprint === one.fingerprint)), ...body.shown];
			return {
				...incident,
				groups: incident.groups.includes(body.group) ? incident.groups : [...incident.groups, body.group],
				firing: [...incident.firing, ...added],
				alertCount: incident.alertCount + added.length,
				shown: shown.slice(0, SHOWN),
			};
		}
		case 'alerts-resolved': {
			const gone = new Set(body.alerts);
			return {
				...incident,
				firing: incident.firing.filter((fingerprint) => !gone.has(fingerprint)),
				shown: incident.shown.map((alert) =>
					gone.has(alert.fingerprint) && alert.endsAtMs === null ? { ...alert, status: 'resolved', endsAtMs: atMs } : alert,
				),
			};
		}
		case 'called':
			return withMessages(
				{
					...incident,
					position: moved(incident, atMs, true),
					firstCallSeq: incident.firstCallSeq ?? event.seq,
					awaited: body.people.map(({ requestId }) => requestId),
					calls: [
						...incident.calls.filter(({ personId }) => !body.people.some((person) => person.personId === personId)),
						...body.people.map(({ personId, name }) => ({ personId, name, atMs, seq: event.seq, used: false })),
					],
				},
				event,
				body.people,
				{ kind: 'call', text: '', clock: '' },
			);
		case 'nobody':
			return { ...incident, position: moved(incident, atMs, false) };
		case 'exhausted':
			return { ...incident, position: incident.position === null ? null : pauseChain(incident.position) };
		case 'held':
			return { ...incident, held: body.reason, position: incident.position === null ? null : pauseChain(incident.position) };
		case 'resumed':
			return { ...incident, held: '', position: incident.position === null ? null : { ...incident.position, dueAtMs: atMs } };
		case 'acknowledged': {
			if (incident.state === 'acknowledged' && incident.owner !== body.person)
				throw refuse(incident.id, body.kind, `"${incident.owner}" has it; hand it over instead`);
			const afterMs = incident.chain?.unacknowledgeAfterMs ?? 0;
			return {
				...incident,
				state: 'acknowledged',
				held: '',
				owner: body.person,
				acknowledgedAtMs: incident.acknowledgedAtMs ?? atMs,
				releaseAtMs: afterMs === 0 ? null : atMs + afterMs,
				position: incident.position === null ? null : pauseChain(incident.position),
				calls: incident.calls.map((call) => (call.seq === body.call && call.personId === body.person ? { ...call, used: true } : call)),
				// A call that has not left would only wake somebody for what is taken.
				pending: incident.pending.filter(({ kind }) => kind !== 'call'),
			};
		}
		case 'taken-told':
			return withMessages(incident, event, body.people, { kind: 'taken', text: body.text, clock: '' });
		case 'released':
			if (incident.state !== 'acknowledged') throw refuse(incident.id, body.kind, 'nobody has it');
			return {
				...incident,
				state: 'open',
				owner: '',
				releaseAtMs: null,
				position: incident.chain === null ? null : beginChain(atMs),
			};
		case 'handed-over':
			return {
				...incident,
				state: 'open',
				held: '',
				owner: '',
				releaseAtMs: null,
				chain: chainVia(incident.chain, `person:${body.to}`),
				position: beginChain(atMs),
			};
		case 'fault': {
			const linked = { ...incident, fault: body.fault, faultLevel: body.level };
			if (body.chain === null || incident.state === 'resolved') return linked;
			const waits = incident.state === 'open';
			return { ...linked, held: '', chain: body.chain, position: waits ? beginChain(atMs) : pauseChain(beginChain(atMs)) };
		}
		case 'progress-due':
			return withMessages({ ...incident, remindedMs: body.dueMs }, event, body.people, {
				kind: 'progress',
				text: body.text,
				clock: body.clock,
			});
		case 'resolved':
			return withMessages(
				{
					...incident,
					state: 'resolved',
					resolvedAtMs: atMs,
					releaseAtMs: null,
					position: incident.position === null ? null : pauseChain(incident.position),
					pending: incident.pending.filter(({ kind }) => kind !== 'call'),
				},
				event,
				body.people,
				{ kind: 'recovery', text: '', clock: '' },
			);
		case 'delivery':
			return body.what === 'exhausted' ? unreachable(incident, body.requestId, atMs) : incident;
		case 'told':
		case 'note':
		case 'reply':
		case 'notice':
			return incident;
	}
}

/** None of a person's addresses took the call. When that was the last of those who were called, the next step need not wait. */
function unreachable(incident: Incident, requestId: string, nowMs: number): Incident {
	if (!incident.awaited.includes(requestId)) return incident;
	const awaited = incident.awaited.filter((one) => one !== requestId);
	const waits = incident.state === 'open' && incident.position !== null && incident.position.dueAtMs !== null;
	if (awaited.length > 0 || !waits || incident.position === null) return { ...incident, awaited };
	return { ...incident, awaited, position: { ...incident.position, dueAtMs: Math.min(incident.position.dueAtMs ?? nowMs, nowMs) } };
}

function moved(incident: Incident, nowMs: number, reached: boolean): ChainPosition | null {
	if (incident.chain === null || incident.position === null) return null;
	return advance(incident.chain, incident.position, { nowMs, reached });
}

function withMessages(
	incident: Incident,
	event: IncidentEvent,
	people: readonly CalledPerson[],
	message: Pick<PersonalMessage, 'kind' | 'text' | 'clock'>,
): Incident {
	const added = people.map(({ personId, requestId, address }) => ({ requestId, personId, address, seq: event.seq, ...message }));
	return { ...incident, pending: [...incident.pending, ...added] };
}

/** Delivery has it in its own outbox. */
export function withoutPending(incident: Incident, requestId: string): Incident {
	return { ...incident, pending: incident.pending.filter((message) => message.requestId !== requestId) };
}

function refuse(id: string, kind: string, why: string): AppError {
	return new AppError('FN_INCIDENT_STEP', `"${kind}" is not possible for incident ${id}: ${why}`, { status: 409 });
}
