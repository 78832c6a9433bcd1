import { Card } from 'antd';
import { useState } from 'react';
import { Link } from 'react-router';
import { PROBLEM_CHANNELS, type ProblemAnswer } from '../../../../protocol/problem-api.ts';
import { DESK_KEY, send, useFrequentProblems, useProblems } from '../../api/desk.ts';
import { monthStartMs, monthText, shortTimeText } from '../../format/time.ts';
import { useNow } from '../../format/use-now.ts';
import { Limited } from '../../layout/limited.tsx';
import { useTexts } from '../../texts/language.tsx';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action } from '../desk/action-dialog.tsx';
import { Countdown } from '../desk/countdown.tsx';
import { DeskTitle } from '../desk/desk-title.tsx';
import { useListSpan } from '../desk/list-span.ts';
import { EmptyCard, Loaded } from '../desk/list-state.tsx';
import { ProblemStageMark } from '../desk/stage-marks.tsx';
import { useDeskRights } from '../desk/use-desk-rights.ts';
import { useNames } from '../desk/use-names.ts';

export function ProblemListPage() {
	const texts = useTexts();
	const words = texts.problem;
	const { isStaff } = useDeskRights();
	const { which, span, choose } = useListSpan();
	const problems = useProblems(span);
	const names = useNames();
	const receive: Action = {
		key: 'receive',
		label: words.receive,
		intro: words.receiveIntro,
		primary: true,
		fields: [
			{ name: 'title', label: words.title, kind: 'text' },
			{ name: 'text', label: words.text, kind: 'area', optional: true },
			{
				name: 'channel',
				label: texts.desk.channel,
				kind: 'select',
				initial: 'phone',
				options: PROBLEM_CHANNELS.map((value) => ({ value, label: texts.desk.channels[value] ?? value })),
			},
			{ name: 'reporter', label: words.reporter, kind: 'text' },
			{ name: 'contact', label: words.contact, kind: 'text', optional: true },
			{ name: 'department', label: words.department, kind: 'text', optional: true },
			{ name: 'category', label: words.category, kind: 'text', hint: words.categoryHint },
			{ name: 'service', label: texts.fault.service, kind: 'select', options: names.services, optional: true },
			{ name: 'receivedMs', label: words.receivedAt, kind: 'time', initial: Date.now() },
		],
		run: (values) => send('POST', '/problems', { text: '', contact: '', department: '', service: null, ...values }),
	};
	return (
		<>
			<DeskTitle title={texts.desk.pages.problems} which={which} onWhich={choose}>
				{isStaff ? <ActionBar actions={[receive]} refresh={DESK_KEY} /> : null}
			</DeskTitle>
			<div className="stack">
				<Loaded query={problems}>
					{(data) =>
						data.problems.length === 0 ? (
							<EmptyCard text={which === 'open' ? words.noneOpen : words.none} />
						) : (
							<Card className="flush">
								<Limited items={data.problems}>{(entry) => <ProblemRow key={entry.problem.id} entry={entry} />}</Limited>
							</Card>
						)
					}
				</Loaded>
				<FrequentProblems />
			</div>
		</>
	);
}

function ProblemRow({ entry: { number, problem, clocks } }: { readonly entry: ProblemAnswer }) {
	const texts = useTexts();
	const now = useNow();
	const running = clocks.filter(({ stoppedMs }) => stoppedMs === null).sort((a, b) => a.dueMs - b.dueMs)[0];
	const { channel, reporter, department, category, owner } = problem;
	return (
		<Link className="case-row" to={`/desk/problems/${problem.id}`}>
			<span className="num muted">#{number}</span>
			<ProblemStageMark stage={problem.stage} />
			<span className="case-title">
				<b>{problem.title}</b>
				<small className="muted">
					{[texts.desk.channels[channel], reporter, department, category].filter((word) => word !== '' && word !== undefined).join(' · ')}
				</small>
			</span>
			<span className="case-next">
				{running === undefined ? null : (
					<>
						<span>
							{running.name} {owner === '' ? null : <small className="muted">{texts.desk.who(owner)}</small>}
						</span>
						<Countdown dueMs={running.dueMs} nowMs={now} />
					</>
				)}
			</span>
			<span className="num muted case-time">{shortTimeText(problem.atMs)}</span>
		</Link>
	);
}

/** The month's frequent problems with their answers: the manual that the contract asks for. */
function FrequentProblems() {
	const texts = useTexts();
	const words = texts.problem;
	const [nowMs] = useState(() => Date.now());
	const frequent = useFrequentProblems({ fromMs: monthStartMs(nowMs), toMs: nowMs });
	return (
		<Card title={words.frequent(monthText(nowMs))} className="flush">
			<Loaded query={frequent}>
				{({ categories }) =>
					categories.length === 0 ? (
						<p className="quiet muted">{words.noneThisMonth}</p>
					) : (
						<div className="plain-table">
							<table>
								<thead>
									<tr>
										<th>{words.category}</th>
										<th>{words.count}</th>
										<th>{words.reopened}</th>
										<th>{words.acceptedAnswer}</th>
									</tr>
								</thead>
								<tbody>
									{categories.map((row) => (
										<tr key={row.category}>
											<td>
												<b>{row.category}</b>
												<small className="muted cell-block">{row.titles.join('、')}</small>
											</td>
											<td className="cell-number">{row.count}</td>
											<td className="cell-number">{row.reopened}</td>
											<td className="cell-wrap">{row.answer}</td>
										</tr>
									))}
								</tbody>
							</table>
						</div>
					)
				}
			</Loaded>
		</Card>
	);
}
