import type { ContractProfileAnswer } from '../../../../protocol/contract-api.ts';
import type { FaultAnswer } from '../../../../protocol/fault-api.ts';
import { send } from '../../api/desk.ts';
import type { Texts } from '../../texts/zh.ts';
import type { Action, Field, FieldValues } from '../desk/action-dialog.tsx';
import type { DeskRights } from '../desk/use-desk-rights.ts';

interface FaultContext {
	readonly entry: FaultAnswer;
	readonly profile: ContractProfileAnswer;
	readonly rights: DeskRights;
	readonly texts: Texts;
	/** Other faults that are open: what this one may be linked to or merged into. */
	readonly others: readonly FaultAnswer[];
	readonly services: readonly { readonly value: string; readonly label: string }[];
}

const LIVE = ['declared', 'restored', 'resolved'];

/** What this account may do with the fault now, the next step of its life first. */
export function faultActions({ entry: { fault }, profile, rights, texts, others, services }: FaultContext): readonly Action[] {
	const { fault: words, desk } = texts;
	const actions: Action[] = [];
	const act = (kind: string, values: FieldValues = {}) => send('POST', `/faults/${fault.id}/actions`, { kind, ...values });
	const add = (kind: keyof Texts['fault']['actions'], fields: readonly Field[], more: Partial<Action> = {}) => {
		actions.push({ key: kind, label: words.actions[kind], fields, run: (values) => act(kind, values), ...more });
	};
	const live = LIVE.includes(fault.stage);
	const candidate = fault.stage === 'candidate';
	const reason: Field = { name: 'reason', label: desk.reason, kind: 'area' };
	const moment: Field = { name: 'momentMs', label: desk.moment, kind: 'time', optional: true, hint: desk.emptyIsNow };
	const channel: Field = { name: 'channel', label: desk.channel, kind: 'text', initial: desk.channels['phone'] ?? '' };
	const level: Field = {
		name: 'level',
		label: words.level,
		kind: 'select',
		initial: fault.level,
		options: profile.levels.map(({ id, name }) => ({ value: id, label: name })),
	};
	const { judge, confirm, by } = profile.grading;
	const signer = profile.closing.countersign;
	if (rights.isStaff) {
		if (candidate) {
			add('declare', [channel, moment], { primary: true });
			add('dismiss', [reason], { danger: true });
			if (fault.owner === '') add('take', []);
		}
		if ((candidate || live) && fault.moments.acknowledged === null) add('acknowledge', [moment], { primary: live });
		if (candidate || live) add('notify', [{ name: 'told', label: words.told, kind: 'words' }, channel, moment]);
		if (fault.stage === 'declared') add('restore', [moment], { primary: fault.moments.acknowledged !== null });
		if (fault.stage === 'declared' || fault.stage === 'restored')
			add('resolve', [{ name: 'text', label: words.solution, kind: 'area' }, moment], { primary: fault.stage === 'restored' });
		if (live) {
			add(
				'progress',
				[
					{ name: 'text', label: words.progress, kind: 'area' },
					{ name: 'told', label: words.told, kind: 'words', optional: true },
				],
				{ run: (values) => act('progress', { told: [], ...values }) },
			);
			add(
				'set-cause',
				[
					{
						name: 'cause',
						label: words.cause,
						kind: 'select',
						options: options(words.causes),
						initial: fault.cause === 'unknown' ? 'own' : fault.cause,
					},
					{ name: 'text', label: words.causeText, kind: 'area', initial: fault.causeText },
					{ name: 'evidence', label: words.evidence, kind: 'many', optional: true, options: files(fault) },
				],
				{ run: (values) => act('set-cause', { evidence: [], ...values }) },
			);
			const owed = profile.reports.filter(({ id }) => !fault.reports.some(({ report }) => report === id));
			if (owed.length > 0)
				add('file-report', [
					{
						name: 'report',
						label: words.reportKind,
						kind: 'select',
						options: owed.map(({ id, name }) => ({ value: id, label: name })),
						initial: owed[0]?.id ?? '',
					},
					{ name: 'text', label: words.reportText, kind: 'area' },
					{ name: 'attachment', label: words.file, kind: 'select', optional: true, options: files(fault) },
				]);
			add(
				'open-order',
				[
					{ name: 'assignee', label: words.assignee, kind: 'text', initial: fault.owner },
					{ name: 'text', label: words.task, kind: 'area' },
					{ name: 'steps', label: words.taskSteps, kind: 'words', optional: true, hint: words.taskStepsHint },
				],
				{ run: (values) => act('open-order', { steps: [], ...values }) },
			);
		}
		if (candidate || live) {
			add('assign', [{ name: 'owner', label: words.owner, kind: 'text', initial: fault.owner }], { secondary: true });
			add('set-point', [{ name: 'point', label: words.point, kind: 'text', initial: fault.point, hint: words.pointHint }], {
				secondary: true,
			});
			if (others.length > 0) {
				const other: Field = {
					name: 'fault',
					label: words.other,
					kind: 'select',
					options: others.map(({ number, fault: { id, title } }) => ({ value: id, label: `${words.heading(number)} ${title}` })),
				};
				add(
					'link',
					[other, { name: 'relation', label: words.relation, kind: 'select', options: options(words.relations), initial: 'caused-by' }],
					{ secondary: true },
				);
				if (fault.stage !== 'resolved') add('merge-into', [other, reason], { secondary: true });
			}
			add(
				'split',
				[
					{ name: 'title', label: words.title, kind: 'text', initial: fault.title },
					{ name: 'service', label: words.service, kind: 'select', options: services, optional: true },
					{ name: 'point', label: words.point, kind: 'text', optional: true },
				],
				{ secondary: true, run: (values) => send('POST', `/faults/${fault.id}/split`, { service: null, point: '', ...values }) },
			);
		}
		const grades = profile.accidents?.grades ?? [];
		if ((candidate || live) && grades.length > 0)
			add(
				'accident',
				[{ name: 'grade', label: words.grade, kind: 'select', options: grades.map((value) => ({ value, label: value })) }, reason],
				{
					secondary: true,
				},
			);
		if ((candidate || live) && fault.accident !== null && fault.accident.toldMs === null)
			add('tell-accident', [{ name: 'told', label: words.told, kind: 'words' }, channel, moment], { primary: true });
		if (fault.stage === 'resolved') add('close', [{ name: 'text', label: words.closingText, kind: 'area' }], { primary: true });
		if (['dismissed', 'restored', 'resolved'].includes(fault.stage)) add('reopen', [reason]);
	}
	if ((candidate || live) && by === 'impact' && fault.levelState === 'proposed' && rights.speaksFor(judge))
		add('judge', [level, reason], { primary: live });
	if (live && confirm !== null && fault.levelState === 'judged' && rights.speaksFor(confirm)) add('confirm', [level], { primary: true });
	if (live && signer !== null && fault.causeText !== '' && !fault.countersigned.includes(signer) && rights.speaksFor(signer))
		add('countersign', [], { primary: true, run: () => act('countersign', { as: signer }) });
	if (live && rights.speaksFor('client'))
		add('waive', [
			{
				name: 'rule',
				label: words.rule,
				kind: 'select',
				options: profile.rules.filter(({ kind }) => kind !== 'record').map(({ id, name }) => ({ value: id, label: name })),
			},
			reason,
		]);
	return actions;
}

/** Steps of a work order that are still open, and its end. */
export function orderActions(fault: FaultAnswer['fault'], order: FaultAnswer['fault']['orders'][number], texts: Texts): readonly Action[] {
	if (order.finishedMs !== null || !LIVE.includes(fault.stage)) return [];
	const act = (kind: string, values: FieldValues) => send('POST', `/faults/${fault.id}/actions`, { kind, order: order.number, ...values });
	const step = order.steps.findIndex(({ doneMs }) => doneMs === null);
	return step >= 0
		? [{ key: 'finish-step', label: texts.fault.finishStep(step + 1), fields: [], run: () => act('finish-step', { step: step + 1 }) }]
		: [{ key: 'finish-order', label: texts.fault.finishOrder, fields: [], primary: true, run: () => act('finish-order', {}) }];
}

function options(names: Readonly<Record<string, string>>) {
	return Object.entries(names).map(([value, label]) => ({ value, label }));
}

function files(fault: FaultAnswer['fault']) {
	return fault.attachments.map(({ id, name }) => ({ value: id, label: name }));
}
