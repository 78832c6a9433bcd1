import type { MaintenanceWindowAnswer } from '../../../../protocol/maintenance-api.ts';
import { send } from '../../api/desk.ts';
import type { Texts } from '../../texts/zh.ts';
import type { Action, Field, FieldValues } from '../desk/action-dialog.tsx';
import type { DeskRights } from '../desk/use-desk-rights.ts';

/** The planned time that matters now: where work goes on, otherwise the one that lies around this moment or comes first. */
export function occurrenceNow(
	window: MaintenanceWindowAnswer,
	nowMs: number,
): { readonly occurrenceMs: number; readonly active: boolean; readonly started: boolean; readonly overrun: boolean } {
	const length = window.toMs - window.fromMs;
	const running = window.actual.find(({ startMs, endMs }) => startMs !== null && endMs === null);
	const occurrenceMs = running?.occurrenceMs ?? window.fromMs;
	const work = window.actual.find((entry) => entry.occurrenceMs === occurrenceMs);
	const ended = work !== undefined && work.endMs !== null;
	return {
		occurrenceMs,
		active: !ended && nowMs >= occurrenceMs && nowMs < occurrenceMs + length,
		started: running !== undefined,
		overrun: running !== undefined && nowMs >= occurrenceMs + length,
	};
}

export function windowActions(
	window: MaintenanceWindowAnswer,
	{ rights, texts, nowMs }: { readonly rights: DeskRights; readonly texts: Texts; readonly nowMs: number },
): readonly Action[] {
	const words = texts.maintenance;
	const actions: Action[] = [];
	const add = (
		key: keyof Texts['maintenance']['actions'],
		fields: readonly Field[],
		more: Partial<Action> & { readonly fixed?: FieldValues } = {},
	) => {
		const { fixed, ...rest } = more;
		const run = (values: FieldValues) => send('POST', `/maintenance/${window.id}/${key}`, { ...fixed, ...values });
		actions.push({ key, label: words.actions[key], fields, run, ...rest });
	};
	const note: Field = { name: 'note', label: words.note, kind: 'area', optional: true };
	const open = window.state === 'requested' || window.state === 'approved';
	const { occurrenceMs, started } = occurrenceNow(window, nowMs);
	const moment: Field = { name: 'actualMs', label: texts.desk.moment, kind: 'time', initial: nowMs };
	const planned: Field = { name: 'occurrenceMs', label: words.occurrence, kind: 'time', initial: occurrenceMs, hint: words.occurrenceHint };
	const time = window.recurring ? [planned, moment] : [moment];
	const fixed = window.recurring ? {} : { occurrenceMs };
	if (open && rights.mayApprove && window.requestedBy !== rights.account) {
		const approvedByMe = window.approvals.some(({ by }) => by === rights.account);
		if (!approvedByMe) add('approve', [note], { primary: window.state === 'requested', fixed: { note: '' } });
		add('refuse', [note], { danger: true, fixed: { note: '' } });
	}
	if (!rights.isStaff) return actions;
	if (open)
		add('consent', [
			{ name: 'by', label: words.consentBy, kind: 'text' },
			{ name: 'atMs', label: texts.desk.moment, kind: 'time', initial: nowMs },
			{ name: 'evidence', label: words.consentEvidence, kind: 'area' },
		]);
	if (window.state === 'approved') {
		if (!started) add('start', time, { fixed });
		add('end', time, { primary: started, fixed });
	}
	if (open) add('cancel', [note], { fixed: { note: '' } });
	return actions;
}
