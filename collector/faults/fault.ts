import { AppError } from '../../core/errors.ts';
import { type Cause, MOMENTS, type Moment, type Party, type Profile } from '../contracts/profile.ts';
import { type AttachedFile, attachedFile } from '../state/attachments.ts';
import type { FaultEvent, FaultSource } from './fault-event.ts';

export const STAGES = ['candidate', 'dismissed', 'merged', 'declared', 'restored', 'resolved', 'closed'] as const;
export type Stage = (typeof STAGES)[number];

export interface WorkOrder {
	/** From 1, within the fault. */
	readonly number: number;
	readonly assignee: string;
	readonly text: string;
	readonly steps: readonly { readonly text: string; readonly doneMs: number | null; readonly doneBy: string }[];
	readonly finishedMs: number | null;
}

/** A fault as its history says. Plain data; times are milliseconds. */
export interface Fault {
	readonly id: string;
	readonly profile: string;
	readonly stage: Stage;
	readonly source: FaultSource;
	readonly sourceKey: string;
	readonly service: string | null;
	readonly title: string;
	readonly point: string;
	/** Who has it; `''` while nobody took it, then whoever it escalated to answers. */
	readonly owner: string;
	readonly escalatedTo: string;
	readonly escalations: number;
	readonly level: string;
	readonly levelState: 'proposed' | 'judged' | 'confirmed';
	readonly moments: Readonly<Record<Moment, number | null>>;
	readonly cause: Cause;
	readonly causeText: string;
	readonly causeEvidence: readonly string[];
	/** Parties that signed the cause as it stands. */
	readonly countersigned: readonly Party[];
	readonly reports: readonly { readonly report: string; readonly filedMs: number | null; readonly by: string }[];
	readonly waived: readonly string[];
	readonly orders: readonly WorkOrder[];
	readonly attachments: readonly AttachedFile[];
	readonly links: readonly { readonly fault: string; readonly relation: 'caused-by' | 'related' | 'merged' | 'split' }[];
	/** Services above the failed one that were down because of it. */
	readonly affected: readonly string[];
	/** A quality accident (质量事故), with its grade and when it was told. */
	readonly accident: { readonly grade: string; readonly toldMs: number | null } | null;
	readonly mergedInto: string | null;
	readonly repeatOf: string | null;
	readonly incident: string | null;
	readonly lastProgressMs: number | null;
	/** Reminders already given, so that each is given once. */
	readonly reminded: readonly string[];
	readonly dismissedReason: string;
	/** Number of the last event. */
	readonly seq: number;
}

/** The state after all events, oldest first. Throws `FN_FAULT_STEP` where one does not follow from the one before. */
export function replay(id: string, events: readonly FaultEvent[], profile: Profile): Fault {
	let fault: Fault | null = null;
	for (const event of events) fault = apply(id, fault, event, profile);
	if (fault === null) throw refuse(id, 'open', 'it has no history');
	return fault;
}

/** One step. Pure; throws `FN_FAULT_STEP` (409) when the step is not possible now, and says what is missing. */
export function apply(id: string, fault: Fault | null, event: FaultEvent, profile: Profile): Fault {
	const { body } = event;
	if (fault === null) {
		if (body.kind !== 'open') throw refuse(id, body.kind, 'it has not been opened');
		return opened(id, event);
	}
	if (event.seq !== fault.seq + 1) throw refuse(id, body.kind, `event ${event.seq} does not follow event ${fault.seq}`);
	return { ...step(fault, event, profile), seq: event.seq };
}

function opened(id: string, event: FaultEvent): Fault {
	if (event.body.kind !== 'open') throw refuse(id, event.body.kind, 'it has not been opened');
	const { kind: _kind, onsetMs, detectedMs, ...rest } = event.body;
	const moments = Object.fromEntries(MOMENTS.map((name) => [name, null])) as Record<Moment, number | null>;
	return {
		id,
		...rest,
		stage: 'candidate',
		owner: '',
		escalatedTo: '',
		escalations: 0,
		levelState: 'proposed',
		moments: { ...moments, onset: onsetMs, detected: detectedMs },
		cause: 'unknown',
		causeText: '',
		causeEvidence: [],
		countersigned: [],
		reports: [],
		waived: [],
		orders: [],
		attachments: [],
		links: [],
		affected: [],
		accident: null,
		mergedInto: null,
		repeatOf: null,
		incident: null,
		lastProgressMs: null,
		reminded: [],
		dismissedReason: '',
		seq: event.seq,
	};
}

/** How a fault remembers an alert that is told by it. */
export function alertMark(fingerprint: string, startsAtMs: number): string {
	return `alert:${fingerprint}@${startsAtMs}`;
}

/** Stages in which work goes on. */
const LIVE: readonly Stage[] = ['declared', 'restored', 'resolved'];

function step(fault: Fault, event: FaultEvent, profile: Profile): Fault {
	const { body, actor, atMs } = event;
	const need = (allowed: readonly Stage[]): void => {
		if (!allowed.includes(fault.stage)) throw refuse(fault.id, body.kind, `it is ${fault.stage}; this needs ${allowed.join(' or ')}`);
	};
	const moment = (name: Moment, timeMs: number = atMs): Readonly<Record<Moment, number | null>> => {
		if (timeMs > atMs) throw refuse(fault.id, body.kind, 'its moment lies in the future');
		const onsetMs = fault.moments.onset;
		if (onsetMs !== null && timeMs < onsetMs) throw refuse(fault.id, body.kind, 'its moment lies before the fault began');
		return { ...fault.moments, [name]: timeMs };
	};
	switch (body.kind) {
		case 'open':
			throw refuse(fault.id, body.kind, 'it is open already');
		case 'take':
			need(['candidate']);
			return { ...fault, owner: actor };
		case 'declare': {
			need(['candidate']);
			const moments = moment('declared', body.momentMs);
			return { ...fault, stage: 'declared', owner: fault.owner === '' ? actor : fault.owner, moments };
		}
		case 'dismiss':
			need(['candidate']);
			return { ...fault, stage: 'dismissed', owner: fault.owner === '' ? actor : fault.owner, dismissedReason: body.reason };
		case 'reopen':
			need(['dismissed', 'restored', 'resolved']);
			return fault.stage === 'dismissed'
				? { ...fault, stage: 'candidate', owner: actor }
				: { ...fault, stage: 'declared', moments: { ...fault.moments, restored: null, resolved: null } };
		case 'notify':
			need(['candidate', ...LIVE]);
			return { ...fault, moments: fault.moments.notified === null ? moment('notified', body.momentMs) : fault.moments };
		case 'acknowledge': {
			// On-call may take the incident before anybody declares: that acknowledgement is the fault's as well.
			need(['candidate', ...LIVE]);
			if (fault.moments.acknowledged !== null) throw refuse(fault.id, body.kind, 'it is acknowledged already; the first one counts');
			const owner = fault.owner === '' ? actor : fault.owner;
			return { ...fault, owner, incident: body.incident ?? fault.incident, moments: moment('acknowledged', body.momentMs) };
		}
		case 'assign':
			need(['candidate', ...LIVE]);
			return { ...fault, owner: body.owner };
		case 'propose':
			need(['candidate', 'declared']);
			if (fault.levelState !== 'proposed') throw refuse(fault.id, body.kind, 'its level was judged by a person');
			return { ...fault, level: knownLevel(fault, profile, body.level) };
		case 'rise':
			need(['candidate', ...LIVE]);
			return { ...fault, level: knownLevel(fault, profile, body.level) };
		case 'judge':
			need(['candidate', ...LIVE]);
			return { ...fault, level: knownLevel(fault, profile, body.level), levelState: 'judged' };
		case 'confirm':
			need(LIVE);
			if (fault.levelState === 'proposed') throw refuse(fault.id, body.kind, `the ${profile.grading.judge} has not judged its level`);
			return { ...fault, level: knownLevel(fault, profile, body.level), levelState: 'confirmed' };
		case 'set-point':
			need(['candidate', ...LIVE]);
			return { ...fault, point: body.point };
		case 'progress':
			need(LIVE);
			return { ...fault, lastProgressMs: atMs };
		case 'restore':
			need(['declared']);
			return { ...fault, stage: 'restored', moments: moment('restored', body.momentMs) };
		case 'resolve': {
			need(['declared', 'restored']);
			const moments = moment('resolved', body.momentMs);
			// What was never interrupted is restored when it is resolved.
			return { ...fault, stage: 'resolved', moments: { ...moments, restored: moments.restored ?? moments.resolved } };
		}
		case 'set-cause':
			need(LIVE);
			// A signature holds for the cause that was signed.
			return { ...fault, cause: body.cause, causeText: body.text, causeEvidence: body.evidence, countersigned: [] };
		case 'countersign':
			need(LIVE);
			if (fault.causeText === '') throw refuse(fault.id, body.kind, 'no cause has been stated');
			return { ...fault, countersigned: [...new Set([...fault.countersigned, body.as])] };
		case 'file-report': {
			need(LIVE);
			if (!profile.reports.some((entry) => entry.id === body.report) && body.report !== 'progress') {
				throw refuse(fault.id, body.kind, `${profile.id} knows no report "${body.report}"`);
			}
			const reports = fault.reports.some(({ report }) => report === body.report)
				? fault.reports
				: [...fault.reports, { report: body.report, filedMs: atMs, by: actor }];
			return { ...fault, reports, moments: fault.moments.reported === null ? moment('reported') : fault.moments };
		}
		case 'accident': {
			need(['candidate', ...LIVE]);
			const grades = profile.accidents?.grades ?? [];
			if (!grades.includes(body.grade))
				throw refuse(fault.id, body.kind, `${profile.id} has no accident grade "${body.grade}"; known: ${grades.join(', ') || 'none'}`);
			return { ...fault, accident: { grade: body.grade, toldMs: fault.accident?.toldMs ?? null } };
		}
		case 'tell-accident': {
			need(['candidate', ...LIVE]);
			if (fault.accident === null) throw refuse(fault.id, body.kind, 'it is no quality accident');
			if (fault.accident.toldMs !== null) throw refuse(fault.id, body.kind, 'it was told already; the first time counts');
			return { ...fault, accident: { ...fault.accident, toldMs: moment('notified', body.momentMs).notified } };
		}
		case 'waive':
			need(LIVE);
			if (!profile.rules.some((rule) => rule.id === body.rule))
				throw refuse(fault.id, body.kind, `${profile.id} has no rule "${body.rule}"`);
			return { ...fault, waived: [...new Set([...fault.waived, body.rule])] };
		case 'open-order': {
			need(LIVE);
			const steps = body.steps.map((text) => ({ text, doneMs: null, doneBy: '' }));
			const order = { number: fault.orders.length + 1, assignee: body.assignee, text: body.text, steps, finishedMs: null };
			return { ...fault, orders: [...fault.orders, order] };
		}
		case 'finish-step': {
			need(LIVE);
			const order = openOrder(fault, body.order, body.kind);
			if (order.steps[body.step - 1]?.doneMs !== null) throw refuse(fault.id, body.kind, `step ${body.step} does not exist or is done`);
			const steps = order.steps.map((entry, i) => (i === body.step - 1 ? { ...entry, doneMs: atMs, doneBy: actor } : entry));
			return withOrder(fault, { ...order, steps });
		}
		case 'finish-order': {
			need(LIVE);
			const order = openOrder(fault, body.order, body.kind);
			const left = order.steps.filter(({ doneMs }) => doneMs === null).length;
			if (left > 0) throw refuse(fault.id, body.kind, `${left} of its steps are not done`);
			return withOrder(fault, { ...order, finishedMs: atMs });
		}
		case 'link':
			need(['candidate', ...LIVE]);
			return { ...fault, links: [...fault.links, { fault: body.fault, relation: body.relation }] };
		case 'merge-into':
			need(['candidate', 'declared', 'restored']);
			if (body.fault === fault.id) throw refuse(fault.id, body.kind, 'a fault cannot be merged into itself');
			return { ...fault, stage: 'merged', mergedInto: body.fault, links: [...fault.links, { fault: body.fault, relation: 'merged' }] };
		case 'received':
			need(['candidate', ...LIVE]);
			return { ...fault, links: [...fault.links, { fault: body.fault, relation: 'merged' }] };
		case 'split-off':
			need(['candidate', ...LIVE]);
			return { ...fault, links: [...fault.links, { fault: body.fault, relation: 'split' }] };
		case 'affect':
			// Also of one that is over: what a person decided about it holds for what it explains.
			return { ...fault, affected: [...new Set([...fault.affected, ...body.services])] };
		case 'alert':
			return { ...fault, reminded: [...fault.reminded, alertMark(body.fingerprint, body.startsAtMs)] };
		case 'escalate':
			need(['candidate', ...LIVE]);
			return { ...fault, escalatedTo: body.to, escalations: fault.escalations + 1, reminded: [...fault.reminded, body.step] };
		case 'remind':
			need(['candidate', ...LIVE]);
			return { ...fault, reminded: [...fault.reminded, `${body.what}@${body.dueMs}`] };
		case 'repeat':
			need(['candidate', ...LIVE]);
			return { ...fault, repeatOf: body.of };
		case 'attach': {
			need(['candidate', ...LIVE]);
			return { ...fault, attachments: [...fault.attachments, attachedFile(body)] };
		}
		case 'close': {
			need(['resolved']);
			const missing = missingForClose(fault, profile);
			if (missing.length > 0) throw refuse(fault.id, body.kind, `missing: ${missing.join('; ')}`);
			return { ...fault, stage: 'closed', moments: moment('closed') };
		}
	}
}

/** What a resolved fault still needs before it may be closed, in words. */
export function missingForClose(fault: Fault, profile: Profile): readonly string[] {
	const missing: string[] = [];
	if (fault.moments.acknowledged === null) missing.push('acknowledgement');
	if (fault.causeText === '') missing.push('cause');
	const signer = profile.closing.countersign;
	if (signer !== null && fault.causeText !== '' && !fault.countersigned.includes(signer))
		missing.push(`countersignature of the cause by the ${signer}`);
	if (profile.grading.by === 'impact' && fault.levelState === 'proposed') missing.push(`level judged by the ${profile.grading.judge}`);
	if (profile.grading.confirm !== null && fault.levelState === 'judged') missing.push(`level confirmed by the ${profile.grading.confirm}`);
	if (fault.accident !== null && fault.accident.toldMs === null) missing.push('telling of the quality accident');
	for (const { number, finishedMs } of fault.orders) if (finishedMs === null) missing.push(`work order ${number}`);
	for (const duty of profile.reports) {
		if (duty.levels.includes(fault.level) && !fault.reports.some(({ report }) => report === duty.id)) missing.push(`report ${duty.id}`);
	}
	return missing;
}

function knownLevel(fault: Fault, profile: Profile, level: string): string {
	if (profile.levels.some((entry) => entry.id === level)) return level;
	throw refuse(fault.id, 'level', `${profile.id} has no level "${level}"; known: ${profile.levels.map((entry) => entry.id).join(', ')}`);
}

function openOrder(fault: Fault, number: number, kind: string): WorkOrder {
	const order = fault.orders[number - 1];
	if (order === undefined || order.finishedMs !== null) throw refuse(fault.id, kind, `work order ${number} does not exist or is finished`);
	return order;
}

function withOrder(fault: Fault, order: WorkOrder): Fault {
	return { ...fault, orders: fault.orders.map((entry) => (entry.number === order.number ? order : entry)) };
}

function refuse(id: string, kind: string, why: string): AppError {
	return new AppError('FN_FAULT_STEP', `"${kind}" is not possible for fault ${id}: ${why}`, { status: 409 });
}
