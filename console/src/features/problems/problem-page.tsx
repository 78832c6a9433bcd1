import { Card } from 'antd';
import { useParams } from 'react-router';
import type { ProblemDetailAnswer } from '../../../../protocol/problem-api.ts';
import { DESK_KEY, send, useProblem } from '../../api/desk.ts';
import { dateTimeText } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { Heading } from '../../layout/heading.tsx';
import { useTexts } from '../../texts/language.tsx';
import type { Texts } from '../../texts/zh.ts';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action, Field, FieldValues } from '../desk/action-dialog.tsx';
import { Attachments } from '../desk/attachments.tsx';
import { CaseHistory } from '../desk/case-history.tsx';
import { ClockRows } from '../desk/clock-rows.tsx';
import { Facts } from '../desk/facts.tsx';
import { Loaded } from '../desk/list-state.tsx';
import { ProblemStageMark } from '../desk/stage-marks.tsx';
import { type DeskRights, useDeskRights } from '../desk/use-desk-rights.ts';
import { type Names, useNames } from '../desk/use-names.ts';

export function ProblemPage() {
	const { id = '' } = useParams();
	return <Loaded query={useProblem(id)}>{(data) => <Shown entry={data} />}</Loaded>;
}

function Shown({ entry }: { readonly entry: ProblemDetailAnswer }) {
	const texts = useTexts();
	const words = texts.problem;
	const { problem, number, clocks, events } = entry;
	const now = useNow();
	const rights = useDeskRights();
	const names = useNames();
	return (
		<div className="stack">
			<div className="page-title">
				<Heading>
					{words.heading(number)} {problem.title}
				</Heading>
				<ProblemStageMark stage={problem.stage} />
			</div>
			<ActionBar actions={problemActions(entry, { rights, texts, names, nowMs: now })} refresh={DESK_KEY} />
			{clocks.length === 0 ? null : (
				<Card title={texts.fault.clocks} className="flush">
					<ClockRows clocks={clocks} nowMs={now} />
				</Card>
			)}
			<Card title={words.facts}>
				<Facts
					facts={[
						[words.reporter, problem.reporter],
						[words.contact, problem.contact],
						[words.department, problem.department],
						[texts.desk.channel, texts.desk.channels[problem.channel] ?? problem.channel],
						[words.category, problem.category],
						[texts.fault.service, problem.service === null ? '' : names.service(problem.service)],
						[words.owner, problem.owner],
						[words.receivedAt, dateTimeText(problem.atMs)],
						[words.confirmedBy, problem.confirmedBy],
					]}
				/>
				{problem.text === '' ? null : <p className="preformatted">{problem.text}</p>}
				{problem.rounds.map((round, i) =>
					round.answer === '' ? null : (
						<blockquote key={round.fromMs} className="answer">
							<small className="muted">
								{words.answerOf(i + 1)} {round.answeredMs === null ? '' : dateTimeText(round.answeredMs)}
							</small>
							<p className="preformatted">{round.answer}</p>
						</blockquote>
					),
				)}
			</Card>
			<Attachments
				path={`/problems/${problem.id}`}
				files={problem.attachments}
				mayAttach={rights.isStaff && ['received', 'accepted', 'handed', 'answered'].includes(problem.stage)}
			/>
			<CaseHistory events={events} />
		</div>
	);
}

function problemActions(
	{ problem }: ProblemDetailAnswer,
	{ rights, texts, names, nowMs }: { readonly rights: DeskRights; readonly texts: Texts; readonly names: Names; readonly nowMs: number },
): readonly Action[] {
	if (!rights.isStaff) return [];
	const words = texts.problem;
	const actions: Action[] = [];
	const add = (kind: keyof Texts['problem']['actions'], fields: readonly Field[], more: Partial<Action> = {}) => {
		const run = (values: FieldValues) => send('POST', `/problems/${problem.id}/actions`, { kind, ...values });
		actions.push({ key: kind, label: words.actions[kind], fields, run, ...more });
	};
	const channel: Field = {
		name: 'channel',
		label: texts.desk.channel,
		kind: 'select',
		initial: problem.channel,
		options: Object.entries(texts.desk.channels).map(([value, label]) => ({ value, label })),
	};
	const moment: Field = { name: 'momentMs', label: texts.desk.moment, kind: 'time', optional: true, hint: texts.desk.emptyIsNow };
	const text = (label: string): Field => ({ name: 'text', label, kind: 'area' });
	const note: Field = { name: 'note', label: words.note, kind: 'area', optional: true };
	const withNote = (kind: string) => (values: FieldValues) =>
		send('POST', `/problems/${problem.id}/actions`, { kind, note: '', ...values });
	const { stage } = problem;
	if (stage === 'received') add('accept', [moment], { primary: true });
	if (stage === 'accepted' || stage === 'handed')
		add('hand-over', [{ name: 'to', label: words.handTo, kind: 'text', initial: rights.account }, note], {
			primary: stage === 'accepted',
			run: withNote('hand-over'),
		});
	if (stage === 'handed') add('answer', [text(words.answer), channel], { primary: true });
	if (stage === 'answered')
		add('confirm', [{ name: 'by', label: words.confirmedBy, kind: 'text', initial: problem.reporter }, channel, note], {
			primary: true,
			intro: words.confirmIntro,
			run: withNote('confirm'),
		});
	if (stage === 'answered' || stage === 'closed')
		add('reject', [
			{ name: 'by', label: words.reporter, kind: 'text', initial: problem.reporter },
			{ name: 'reason', label: texts.desk.reason, kind: 'area' },
		]);
	if (stage === 'accepted' || stage === 'handed')
		add('tell-delay', [
			{ name: 'untilMs', label: words.toldUntil, kind: 'time', initial: nowMs + 3 * 86_400_000 },
			text(words.toldText),
			channel,
		]);
	if (stage !== 'withdrawn') {
		add(
			'classify',
			[
				{ name: 'category', label: words.category, kind: 'text', initial: problem.category },
				{
					name: 'service',
					label: texts.fault.service,
					kind: 'select',
					options: names.services,
					optional: true,
					...(problem.service === null ? {} : { initial: problem.service }),
				},
			],
			{ run: (values) => send('POST', `/problems/${problem.id}/actions`, { kind: 'classify', service: null, ...values }) },
		);
		add('note', [text(words.note)]);
	}
	if (['received', 'accepted', 'handed'].includes(stage))
		add('withdraw', [{ name: 'reason', label: texts.desk.reason, kind: 'area' }], { danger: true });
	return actions;
}
