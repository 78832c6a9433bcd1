import { Card } from 'antd';
import { useParams } from 'react-router';
import type { ChangeDetailAnswer } from '../../../../protocol/change-api.ts';
import { DESK_KEY, send, useChange } from '../../api/desk.ts';
import { dateTimeText } from '../../format/time.ts';
import { Heading } from '../../layout/heading.tsx';
import { useTexts } from '../../texts/language.tsx';
import type { Texts } from '../../texts/zh.ts';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action, Field, FieldValues } from '../desk/action-dialog.tsx';
import { Attachments } from '../desk/attachments.tsx';
import { CaseHistory } from '../desk/case-history.tsx';
import { Facts } from '../desk/facts.tsx';
import { Loaded } from '../desk/list-state.tsx';
import { ChangeStageMark } from '../desk/stage-marks.tsx';
import { type DeskRights, useDeskRights } from '../desk/use-desk-rights.ts';
import { useNames } from '../desk/use-names.ts';

export function ChangePage() {
	const { id = '' } = useParams();
	return <Loaded query={useChange(id)}>{(data) => <Shown entry={data} />}</Loaded>;
}

function Shown({ entry }: { readonly entry: ChangeDetailAnswer }) {
	const texts = useTexts();
	const words = texts.change;
	const { change, number, missing, events } = entry;
	const rights = useDeskRights();
	const names = useNames();
	const time = (ms: number | null) => (ms === null ? '' : <span className="num">{dateTimeText(ms)}</span>);
	return (
		<div className="stack">
			<div className="page-title">
				<Heading>
					{words.heading(number)} {change.title}
				</Heading>
				<ChangeStageMark stage={change.stage} />
				{missing.length === 0 ? null : (
					<span className="muted">{words.missingText(missing.map((step) => words.missing[step] ?? step).join('、'))}</span>
				)}
			</div>
			<ActionBar actions={changeActions(entry, rights, texts)} refresh={DESK_KEY} />
			<Card title={words.facts}>
				<Facts
					facts={[
						[words.nature, words.natures[change.nature]],
						[texts.fault.service, change.services.map(names.service).join('、')],
						[words.hosts, change.hosts.join('、')],
						[words.from, time(change.fromMs)],
						[words.to, time(change.toMs)],
						[words.coreData, change.coreData ? texts.desk.yes : ''],
						[words.requestedBy, change.requestedBy],
						[words.approvedBy, change.approvedBy],
						[words.clientApprovedBy, change.clientApprovedBy],
						[words.planCheckedBy, change.planCheckedBy],
						[words.executor, change.executor],
						[words.started, time(change.startedMs)],
						[words.ended, time(change.endedMs)],
						[words.resultCheckedBy, change.resultCheckedBy],
					]}
				/>
				<div className="desk-columns">
					<Part title={words.plan} text={change.plan} />
					<Part title={words.rollback} text={change.rollback} />
					<Part title={words.risk} text={change.risk} />
					<Part title={words.result} text={change.result} />
				</div>
			</Card>
			<Attachments
				path={`/changes/${change.id}`}
				files={change.attachments}
				mayAttach={rights.isStaff && ['requested', 'approved', 'started', 'done', 'rolled-back'].includes(change.stage)}
			/>
			<CaseHistory events={events} />
		</div>
	);
}

function Part({ title, text }: { readonly title: string; readonly text: string }) {
	if (text === '') return null;
	return (
		<section>
			<h4 className="muted">{title}</h4>
			<p className="preformatted">{text}</p>
		</section>
	);
}

function changeActions({ change }: ChangeDetailAnswer, rights: DeskRights, texts: Texts): readonly Action[] {
	const words = texts.change;
	const actions: Action[] = [];
	const add = (
		kind: keyof Texts['change']['actions'],
		fields: readonly Field[],
		more: Partial<Action> & { readonly fixed?: FieldValues } = {},
	) => {
		const { fixed, ...rest } = more;
		const run = (values: FieldValues) =>
			send('POST', `/changes/${change.id}/actions`, { kind: kind.replace(/!.*$/, ''), ...fixed, ...values });
		actions.push({ key: kind, label: words.actions[kind], fields, run, ...rest });
	};
	const note: Field = { name: 'note', label: words.note, kind: 'area', optional: true };
	const reason: Field = { name: 'reason', label: texts.desk.reason, kind: 'area' };
	const { stage } = change;
	const before = stage === 'requested' || stage === 'approved';
	const asked = change.requestedBy === rights.account;
	if (stage === 'requested' && rights.mayApprove && !asked) add('approve', [note], { primary: true, fixed: { note: '' } });
	if (before && change.coreData && change.clientApprovedBy === '' && rights.speaksFor('client'))
		add('approve-for-client', [note], { primary: true, fixed: { note: '' } });
	if (before && rights.isStaff && !asked && change.planCheckedBy === '')
		add('check-plan', [note], { primary: true, intro: words.checkPlanIntro, fixed: { note: '' } });
	if (stage === 'approved' && rights.isStaff && change.planCheckedBy !== rights.account) add('start', [], { primary: true });
	if (stage === 'started' && rights.isStaff) {
		add('finish', [{ name: 'result', label: words.result, kind: 'area' }], { primary: true });
		add('roll-back', [reason], { danger: true });
	}
	if (stage === 'done' && rights.isStaff) add('roll-back', [reason], { danger: true });
	if ((stage === 'done' || stage === 'rolled-back') && rights.isStaff && change.executor !== rights.account) {
		add('check-result', [note], { primary: true, fixed: { ok: true, note: '' } });
		add('check-result!again', [note], { fixed: { ok: false, note: '' } });
	}
	if (before && rights.mayApprove) add('refuse', [reason], { danger: true });
	if (before && rights.isStaff) add('cancel', [reason]);
	if (rights.isStaff) add('note', [{ name: 'text', label: words.note, kind: 'area' }]);
	return actions;
}
