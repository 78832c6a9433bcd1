import { Card, Segmented } from 'antd';
import { useState } from 'react';
import type { AssessedPeriodAnswer, ContractListAnswer } from '../../../../protocol/contract-api.ts';
import { DESK_KEY, send, useAssessment, useContract, useContracts, useStanding } from '../../api/desk.ts';
import { dateTimeText, shortTimeText } from '../../format/time.ts';
import { Heading } from '../../layout/heading.tsx';
import { useTexts } from '../../texts/language.tsx';
import type { Texts } from '../../texts/zh.ts';
import { ActionBar } from '../desk/action-bar.tsx';
import type { Action } from '../desk/action-dialog.tsx';
import { Loaded } from '../desk/list-state.tsx';
import { useDeskRights } from '../desk/use-desk-rights.ts';
import { ItemTable } from './item-table.tsx';
import { NextList } from './next-list.tsx';
import { periodText, pointsText } from './points-text.ts';
import { RecordList } from './record-list.tsx';
import { ScoreRow } from './score-row.tsx';
import { StandingCard } from './standing-card.tsx';
import { TermNotice } from './term-notice.tsx';

/** A period priced under one contract, or under two side by side. */
export function AssessmentPage() {
	const texts = useTexts();
	const words = texts.assessment;
	const contracts = useContracts();
	const [chosen, setChosen] = useState<readonly [string, string]>(['', '']);
	return (
		<Loaded query={contracts}>
			{({ contracts: list }) => {
				const running = list.find(({ term }) => term.state === 'running') ?? list[0];
				const first = chosen[0] === '' ? (running?.id ?? '') : chosen[0];
				const pick = (label: string, value: string, onChange: (id: string) => void, none: boolean) => (
					<label className="plain-label">
						{label}
						<select className="plain-select" value={value} onChange={({ target }) => onChange(target.value)}>
							{none ? <option value="">{words.noComparison}</option> : null}
							{list.map(({ id, name }) => (
								<option key={id} value={id}>
									{name}
								</option>
							))}
						</select>
					</label>
				);
				return (
					<>
						<div className="page-title">
							<Heading>{texts.desk.pages.assessment}</Heading>
							<div className="end">
								{pick(words.contract, first, (id) => setChosen([id, chosen[1]]), false)}
								{pick(words.compare, chosen[1], (id) => setChosen([first, id]), true)}
							</div>
						</div>
						<div className={chosen[1] === '' ? 'stack' : 'desk-columns'}>
							<ContractColumn key={first} id={first} list={list} />
							{chosen[1] === '' ? null : <ContractColumn key={`second ${chosen[1]}`} id={chosen[1]} list={list} />}
						</div>
					</>
				);
			}}
		</Loaded>
	);
}

function ContractColumn({ id, list }: { readonly id: string; readonly list: ContractListAnswer['contracts'] }) {
	const texts = useTexts();
	const words = texts.assessment;
	const contract = list.find((known) => known.id === id);
	const term = contract?.term;
	const [picked, setPeriod] = useState('');
	const [answers, setAnswers] = useState<Readonly<Record<string, string>>>({});
	const settings = Object.entries(answers)
		.map((pair) => pair.join(':'))
		.join(',');
	const standing = useStanding(id);
	// Outside of the contract's term nothing runs: its last period is shown then.
	const period = picked !== '' ? picked : term?.state === 'running' ? 'now' : (standing.data?.periods.at(-1)?.period.id ?? '');
	const assessed = useAssessment(id, period, settings);
	const profile = useContract(id);
	const rights = useDeskRights();
	const questions = contract?.settings ?? [];
	return (
		<div className="stack desk-column">
			<div className="page-title">
				<h2>{contract?.name ?? id}</h2>
				<label className="plain-label">
					{words.period}
					<select className="plain-select num" value={period} onChange={({ target }) => setPeriod(target.value)}>
						{term?.state === 'running' ? <option value="now">{words.now}</option> : null}
						{[...(standing.data?.periods ?? [])].reverse().map(({ period: known, final }) => (
							<option key={known.id} value={known.id}>
								{periodText(known.id, words)}（{pointsText(final)}）
							</option>
						))}
					</select>
				</label>
			</div>
			{term === undefined ? null : <TermNotice term={term} />}
			{period === '' ? null : (
				<Loaded query={assessed}>
					{(data) => (
						<>
							<p className="muted num">
								{periodText(data.assessment.period.id, words)}：{dateTimeText(data.assessment.period.fromMs)} →{' '}
								{dateTimeText(data.assessment.period.toMs)}，{words.asOf(dateTimeText(data.assessment.asOfMs))}
								{data.assessment.selfCheckDueMs === null ? '' : ` · ${words.selfCheck(shortTimeText(data.assessment.selfCheckDueMs))}`}
								{settings === '' ? '' : ` · ${words.hypothetical}`}
							</p>
							<ScoreRow scores={data.scores} />
							{profile.data?.payment.lapse === undefined || !rights.speaksFor('client') || data.scores.client.fen === 0 ? null : (
								<ActionBar small refresh={DESK_KEY} actions={[lapseAction(data, profile.data.payment.lapse.clause, texts)]} />
							)}
							<NextList next={data.assessment.next} asOfMs={data.assessment.asOfMs} />
							{profile.data === undefined ? null : (
								<>
									<ItemTable data={data} contract={id} rights={rights} />
									<RecordList data={data} profile={profile.data} rights={rights} />
								</>
							)}
						</>
					)}
				</Loaded>
			)}
			{standing.data === undefined ? null : <StandingCard standing={standing.data} rules={profile.data?.rules ?? []} />}
			{questions.length === 0 ? null : (
				<Card title={words.questions}>
					<p className="muted">{words.questionsIntro}</p>
					{questions.map(({ id: setting, question, default: byDefault, options }) => (
						<div key={setting} className="question">
							<span>{words.questionNames[setting] ?? question}</span>
							<Segmented
								size="small"
								className="wrapping"
								value={answers[setting] ?? byDefault}
								options={options.map((answer) => ({ value: answer, label: words.answerNames[answer] ?? answer }))}
								onChange={(answer) => setAnswers(answer === byDefault ? without(answers, setting) : { ...answers, [setting]: answer })}
							/>
						</div>
					))}
				</Card>
			)}
		</div>
	);
}

function lapseAction(data: AssessedPeriodAnswer, clause: string, texts: Texts): Action {
	const { profile, period } = data.assessment;
	return {
		key: 'lapse',
		label: texts.assessment.lapse,
		intro: texts.assessment.lapseIntro,
		fields: [{ name: 'note', label: texts.desk.reason, kind: 'area' }],
		run: ({ note }) =>
			send('POST', `/contracts/${profile}/periods/${period.id}/adjustments`, { key: 'fine', centipoints: 0, clause, note }),
	};
}

function without(answers: Readonly<Record<string, string>>, setting: string): Readonly<Record<string, string>> {
	return Object.fromEntries(Object.entries(answers).filter(([id]) => id !== setting));
}
