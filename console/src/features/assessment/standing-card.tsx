import { Card } from 'antd';
import type { ContractProfileAnswer, ContractStandingAnswer, TerminationAnswer } from '../../../../protocol/contract-api.ts';
import { durationText } from '../../format/duration.ts';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';
import { Clause } from '../desk/clause.tsx';
import { pointsText, yuanText } from './points-text.ts';

const COLORS = { far: STATE_COLORS.up, near: STATE_COLORS.degraded, reached: STATE_COLORS.down } as const;

/** Means of the contract's years, and how near the contract is to what lets the client end it. */
export function StandingCard({
	standing,
	rules,
}: {
	readonly standing: ContractStandingAnswer;
	readonly rules: ContractProfileAnswer['rules'];
}) {
	const names = Object.fromEntries(rules.map(({ id, name }) => [id, name]));
	const { assessment: words } = useTexts();
	if (standing.years.length + standing.termination.length === 0) return null;
	return (
		<Card title={words.standing} className="flush">
			{standing.years.map((year) => (
				<div key={year.id} className="check-row">
					<span>
						{words.year(year.id.slice(1))} <small className="muted">{words.yearOf(year.over, year.periods.length)}</small>{' '}
						<Clause clause={year.clause} />
					</span>
					<b className="num">
						{year.final === null ? '—' : words.mean(pointsText(year.self ?? 0), pointsText(year.client ?? 0), pointsText(year.final))}
						{year.fen === null || year.fen === 0 ? '' : ` · ${words.yuan(yuanText(year.fen))}`}
					</b>
				</div>
			))}
			{standing.termination.map((rule) => (
				<div key={rule.clause} className="check-row">
					<span>
						{words.termination} <TerminationText rule={rule} names={names} /> <Clause clause={rule.clause} />
					</span>
					<Mark color={COLORS[rule.state]} text={words.nearness[rule.state]} filled={rule.state === 'reached'} />
				</div>
			))}
		</Card>
	);
}

function TerminationText({ rule, names }: { readonly rule: TerminationAnswer; readonly names: Readonly<Record<string, string>> }) {
	const texts = useTexts();
	const words = texts.assessment;
	switch (rule.kind) {
		case 'money-share':
			return <span className="num">{words.moneyOf(yuanText(rule.fen), yuanText(rule.limitFen))}</span>;
		case 'records':
			return <span className="num">{words.recordsOf(names[rule.rule] ?? rule.rule, rule.most, rule.limit)}</span>;
		case 'outage':
			return (
				<span className="num">
					{words.outageOf(durationText(rule.seconds, texts.duration), durationText(rule.limitSeconds, texts.duration))}
				</span>
			);
		case 'low-scores':
			return (
				<span className="num">
					{words.lowOf(String(rule.below), `${rule.inARow}/${rule.mostInARow}`, `${rule.inAll}/${rule.mostInAll}`)}
				</span>
			);
	}
}
