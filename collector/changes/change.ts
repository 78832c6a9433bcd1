import { type Static, Type } from 'typebox';
import { AppError } from '../../core/errors.ts';
import type { Change, ChangeStage } from '../../protocol/change-api.ts';
import { type AttachBody, attachedFile } from '../state/attachments.ts';
import type { CaseEvent } from '../state/cases.ts';

const closed = { additionalProperties: false } as const;
const Text = Type.String({ minLength: 1, maxLength: 4000 });
const MaybeText = Type.String({ maxLength: 4000 });
const Short = Type.String({ minLength: 1, maxLength: 200 });
const Id = Type.String({ minLength: 1, maxLength: 64 });
const TimeMs = Type.Integer({ minimum: 0, maximum: 8.64e15 });
const Names = Type.Array(Type.String({ minLength: 1, maxLength: 200 }), { maxItems: 500, uniqueItems: true });

export const ChangeRequestSchema = Type.Object(
	{
		title: Short,
		nature: Type.Union([Type.Literal('routine'), Type.Literal('urgent')]),
		services: Names,
		hosts: Names,
		fromMs: TimeMs,
		toMs: TimeMs,
		coreData: Type.Boolean(),
		plan: Text,
		/** A change without a way back is not asked for. */
		rollback: Text,
		risk: MaybeText,
		maintenance: Type.Union([Id, Type.Null()]),
	},
	closed,
);

/** What people do with a change, as the API takes it. Moments may lie in the past, never in the future. */
export const ChangeActionSchema = Type.Union([
	Type.Object({ kind: Type.Literal('approve'), note: MaybeText }, closed),
	Type.Object({ kind: Type.Literal('approve-for-client'), note: MaybeText }, closed),
	Type.Object({ kind: Type.Literal('refuse'), reason: Text }, closed),
	Type.Object({ kind: Type.Literal('cancel'), reason: Text }, closed),
	/** A second person has read plan and way back. */
	Type.Object({ kind: Type.Literal('check-plan'), note: MaybeText }, closed),
	Type.Object({ kind: Type.Literal('start'), momentMs: Type.Optional(TimeMs) }, closed),
	Type.Object({ kind: Type.Literal('finish'), result: Text, momentMs: Type.Optional(TimeMs) }, closed),
	Type.Object({ kind: Type.Literal('roll-back'), reason: Text, momentMs: Type.Optional(TimeMs) }, closed),
	/** A second person has looked at the result: accepted, or the work goes on. */
	Type.Object({ kind: Type.Literal('check-result'), ok: Type.Boolean(), note: MaybeText }, closed),
	Type.Object({ kind: Type.Literal('note'), text: Text }, closed),
]);
export type ChangeAction = Static<typeof ChangeActionSchema>;
export type ChangeBody = ChangeAction | ({ readonly kind: 'request' } & Static<typeof ChangeRequestSchema>);

/** Stages after which nothing is owed. */
export const CHANGE_OVER: readonly ChangeStage[] = ['closed', 'refused', 'cancelled'];

/** One step. Pure; throws `FN_CHANGE_STEP` (409) when it is not possible now, `FN_CHANGE_INVALID` for a request that makes none. */
export function applyToChange(id: string, known: Change | null, event: CaseEvent<ChangeBody | AttachBody>): Change {
	if (known === null) return requested(id, event);
	return { ...step(known, event), seq: event.seq };
}

/** What a change needs before it may be started, or after that before it may be closed. */
export function missingSteps(change: Change): readonly string[] {
	switch (change.stage) {
		case 'requested':
		case 'approved': {
			const missing: string[] = [];
			if (change.approvedBy === '') missing.push('approve');
			if (change.coreData && change.clientApprovedBy === '') missing.push('approve-for-client');
			if (change.planCheckedBy === '') missing.push('check-plan');
			return missing;
		}
		case 'started':
			return ['finish'];
		case 'done':
		case 'rolled-back':
			return ['check-result'];
		default:
			return [];
	}
}

function requested(id: string, { seq, atMs, actor, body }: CaseEvent<ChangeBody | AttachBody>): Change {
	if (body.kind !== 'request') throw refuse(body.kind, 'it has not been asked for');
	if (!(body.fromMs < body.toMs)) throw new AppError('FN_CHANGE_INVALID', 'a change must begin before it ends', { status: 400 });
	const { kind: _kind, ...rest } = body;
	return {
		id,
		...rest,
		stage: 'requested',
		atMs,
		seq,
		requestedBy: actor,
		approvedBy: '',
		clientApprovedBy: '',
		planCheckedBy: '',
		resultCheckedBy: '',
		executor: '',
		startedMs: null,
		endedMs: null,
		result: '',
		attachments: [],
	};
}

function step(change: Change, { atMs, actor, body }: CaseEvent<ChangeBody | AttachBody>): Change {
	const need = (...allowed: readonly ChangeStage[]): void => {
		if (!allowed.includes(change.stage)) throw refuse(body.kind, `it is ${change.stage}; this needs ${allowed.join(' or ')}`);
	};
	const other = (than: string, who: string): void => {
		if (actor === than) throw new AppError('FN_CHANGE_OWN', `"${body.kind}" is for another person than ${who}`, { status: 403 });
	};
	const moment = (givenMs: number | undefined, notBeforeMs: number): number => {
		const at = givenMs ?? atMs;
		if (at > atMs) throw refuse(body.kind, 'its moment lies in the future');
		if (at < notBeforeMs) throw refuse(body.kind, 'its moment lies before the step that it follows');
		return at;
	};
	switch (body.kind) {
		case 'request':
			throw refuse(body.kind, 'it was asked for already');
		case 'approve':
			need('requested');
			other(change.requestedBy, 'whoever asked');
			return { ...change, stage: 'approved', approvedBy: actor };
		case 'approve-for-client':
			need('requested', 'approved');
			other(change.requestedBy, 'whoever asked');
			return { ...change, clientApprovedBy: actor };
		case 'refuse':
			need('requested', 'approved');
			return { ...change, stage: 'refused', result: body.reason };
		case 'cancel':
			need('requested', 'approved');
			return { ...change, stage: 'cancelled', result: body.reason };
		case 'check-plan':
			need('requested', 'approved');
			other(change.requestedBy, 'whoever asked');
			return { ...change, planCheckedBy: actor };
		case 'start': {
			need('approved');
			const missing = missingSteps(change);
			if (missing.length > 0) throw refuse(body.kind, `missing: ${missing.join(', ')}`);
			other(change.planCheckedBy, 'whoever checked the plan');
			return { ...change, stage: 'started', executor: actor, startedMs: moment(body.momentMs, change.atMs) };
		}
		case 'finish':
			need('started');
			other(change.planCheckedBy, 'whoever checked the plan');
			return { ...change, stage: 'done', result: body.result, endedMs: moment(body.momentMs, change.startedMs ?? 0) };
		case 'roll-back':
			need('started', 'done');
			return { ...change, stage: 'rolled-back', result: body.reason, endedMs: moment(body.momentMs, change.startedMs ?? 0) };
		case 'check-result':
			need('done', 'rolled-back');
			other(change.executor, 'whoever did the work');
			return body.ok ? { ...change, stage: 'closed', resultCheckedBy: actor } : { ...change, stage: 'started', endedMs: null };
		case 'attach':
			need('requested', 'approved', 'started', 'done', 'rolled-back');
			return { ...change, attachments: [...change.attachments, attachedFile(body)] };
		case 'note':
			return change;
	}
}

function refuse(kind: string, why: string): AppError {
	return new AppError('FN_CHANGE_STEP', `"${kind}" is not possible for this change: ${why}`, { status: 409 });
}
