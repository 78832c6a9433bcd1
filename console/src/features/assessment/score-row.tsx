import { Card } from 'antd';
import type { AssessedPeriodAnswer } from '../../../../protocol/contract-api.ts';
import { useLanguage } from '../../texts/language.tsx';
import { clauseText } from '../desk/clause.tsx';
import { pointsText, yuanText } from './points-text.ts';

/** 自评, 采购人评 and 终值, with what each costs. */
export function ScoreRow({ scores }: { readonly scores: AssessedPeriodAnswer['scores'] }) {
	const { texts, language } = useLanguage();
	const words = texts.assessment;
	return (
		<Card>
			<div className="figures">
				{(['self', 'client', 'final'] as const).map((which) => {
					const score = scores[which];
					return (
						<div key={which} className="figure">
							<span className="muted">{words.scores[which]}</span>
							<b className="num figure-large">{pointsText(score.centipoints)}</b>
							<small
								className="muted num"
								title={score.money.map(({ clause, reason }) => `${reason[language]}（${clauseText(clause, language)}）`).join('\n')}
							>
								{words.made(pointsText(score.deducted), pointsText(score.bonus), yuanText(score.fen))}
							</small>
						</div>
					);
				})}
			</div>
		</Card>
	);
}
