import { AppError } from '../../core/errors.ts';
import { nextTime, parseSchedule, type ScheduleConfig } from '../../core/schedule.ts';

/** One thing that happened to a maintenance window; never changed once it is written. Times are milliseconds. */
export type MaintenanceEvent = { readonly atMs: number; readonly actor: string } & (
	| { readonly kind: 'requested'; readonly request: MaintenanceRequest }
	/** `role` as it was when it was given. */
	| { readonly kind: 'approved'; readonly role: string; readonly note: string }
	| { readonly kind: 'refused'; readonly note: string }
	/** The client agreed: who, when, and where that is written. */
	| { readonly kind: 'consented'; readonly by: string; readonly consentAtMs: number; readonly evidence: string }
	| { readonly kind: 'started'; readonly occurrenceMs: number; readonly actualMs: number }
	| { readonly kind: 'ended'; readonly occurrenceMs: number; readonly actualMs: number }
	| { readonly kind: 'cancelled'; readonly note: string }
);

export interface MaintenanceRequest {
	readonly title: string;
	/** Ids of services; their descendants are not meant unless they are listed. */
	readonly services: readonly string[];
	/** Hosts whose alerts are held back as well; time is excluded for services only. */
	readonly hosts?: readonly string[];
	/** The first planned window. */
	readonly fromMs: number;
	readonly toMs: number;
	/** Further windows of the same length at the times of the schedule, up to `untilMs`. */
	readonly recurrence: { readonly schedule: ScheduleConfig; readonly untilMs: number } | null;
	readonly reason: string;
	/** What is done when it fails. */
	readonly rollback: string;
}

export interface MaintenanceWindow {
	readonly id: string;
	readonly request: MaintenanceRequest;
	readonly requestedBy: string;
	readonly requestedAtMs: number;
	readonly state: 'requested' | 'approved' | 'refused' | 'cancelled';
	readonly approvals: readonly { readonly by: string; readonly role: string; readonly atMs: number; readonly note: string }[];
	readonly consent: { readonly by: string; readonly atMs: number; readonly evidence: string; readonly recordedAtMs: number } | null;
	/** By the planned beginning of an occurrence. */
	readonly actual: ReadonlyMap<number, { readonly startMs: number | null; readonly endMs: number | null }>;
	/** It was asked for after it had begun. */
	readonly retroactive: boolean;
	/** From when on it does not hold any more, although it was approved. */
	readonly cancelledAtMs: number | null;
	readonly events: readonly MaintenanceEvent[];
}

export interface Occurrence {
	readonly fromMs: number;
	readonly toMs: number;
}

const LONGEST_MS = 30 * 86_400_000;
const MOST_OCCURRENCES = 1000;

/** The window as its events make it; the first one is its request. */
export function foldWindow(id: string, events: readonly MaintenanceEvent[]): MaintenanceWindow {
	const [first] = events;
	if (first?.kind !== 'requested') throw new AppError('FN_MAINTENANCE_STATE', `the maintenance window ${id} does not begin with a request`);
	let window: MaintenanceWindow = {
		id,
		request: first.request,
		requestedBy: first.actor,
		requestedAtMs: first.atMs,
		state: 'requested',
		approvals: [],
		consent: null,
		actual: new Map(),
		retroactive: first.atMs > first.request.fromMs,
		cancelledAtMs: null,
		events,
	};
	for (const event of events.slice(1)) window = applied(window, event);
	return window;
}

function applied(window: MaintenanceWindow, event: MaintenanceEvent): MaintenanceWindow {
	switch (event.kind) {
		case 'requested':
			return window;
		case 'approved':
			return {
				...window,
				state: 'approved',
				approvals: [...window.approvals, { by: event.actor, role: event.role, atMs: event.atMs, note: event.note }],
			};
		case 'refused':
			return { ...window, state: 'refused' };
		case 'cancelled':
			return { ...window, state: 'cancelled', cancelledAtMs: event.atMs };
		case 'consented':
			return { ...window, consent: { by: event.by, atMs: event.consentAtMs, evidence: event.evidence, recordedAtMs: event.atMs } };
		case 'started':
		case 'ended': {
			const known = window.actual.get(event.occurrenceMs) ?? { startMs: null, endMs: null };
			const actual = event.kind === 'started' ? { ...known, startMs: event.actualMs } : { ...known, endMs: event.actualMs };
			return { ...window, actual: new Map([...window.actual, [event.occurrenceMs, actual]]) };
		}
	}
}

/** Throws `FN_MAINTENANCE_INVALID` with what is wrong. */
export function assertRequest(
	request: MaintenanceRequest,
	known: { readonly services: readonly string[]; readonly hosts: readonly string[] },
): void {
	const bad = (message: string) => new AppError('FN_MAINTENANCE_INVALID', message, { status: 400 });
	if (!(request.fromMs < request.toMs)) throw bad('a maintenance window must begin before it ends');
	if (request.toMs - request.fromMs > LONGEST_MS) throw bad('a maintenance window is at most 30 days long');
	const unknown = request.services.filter((id) => !known.services.includes(id));
	const unknownHosts = (request.hosts ?? []).filter((id) => known.hosts.length > 0 && !known.hosts.includes(id));
	if (request.services.length === 0) throw bad('name at least one service');
	if (unknown.length > 0) throw bad(`there is no service "${unknown.join('", "')}"`);
	if (unknownHosts.length > 0) throw bad(`there is no host "${unknownHosts.join('", "')}"`);
	if (request.recurrence === null) return;
	const schedule = parseSchedule(request.recurrence.schedule);
	if (schedule.kind === 'bad') throw bad(schedule.message);
	const next = nextTime(schedule.schedule, request.fromMs);
	if (next === null || next > request.recurrence.untilMs) throw bad('the recurrence has no further window before it ends');
	if (occurrences(request, request.fromMs, request.recurrence.untilMs).length >= MOST_OCCURRENCES)
		throw bad(`a recurrence has at most ${MOST_OCCURRENCES} windows; end it earlier`);
}

/** Planned windows that overlap `[fromMs, toMs)`, ascending. */
export function occurrences(request: MaintenanceRequest, fromMs: number, toMs: number): readonly Occurrence[] {
	const length = request.toMs - request.fromMs;
	const list: Occurrence[] = [];
	const add = (begin: number) => {
		if (begin < toMs && begin + length > fromMs) list.push({ fromMs: begin, toMs: begin + length });
	};
	add(request.fromMs);
	if (request.recurrence === null) return list;
	const schedule = parseSchedule(request.recurrence.schedule);
	if (schedule.kind === 'bad') return list;
	// Those before the asked time need not be walked through.
	let at = Math.max(request.fromMs, fromMs - length - 1);
	for (let count = 0; count < MOST_OCCURRENCES; count++) {
		const next = nextTime(schedule.schedule, at);
		if (next === null || next > request.recurrence.untilMs || next >= toMs) break;
		add(next);
		at = next;
	}
	return list;
}
