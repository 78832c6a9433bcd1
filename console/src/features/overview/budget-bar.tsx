import { durationText } from '../../format/duration.ts';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';

/** How much of the allowed downtime is gone; seconds in words, because a bar alone does not say how long that is. */
export function BudgetBar({ usedSeconds, budgetSeconds }: { readonly usedSeconds: number; readonly budgetSeconds: string }) {
	const texts = useTexts();
	const budget = Number(budgetSeconds);
	const share = budget > 0 ? usedSeconds / budget : usedSeconds > 0 ? 1 : 0;
	const color = share >= 1 ? STATE_COLORS.down : share >= 0.7 ? STATE_COLORS.degraded : STATE_COLORS.up;
	const left = budget - usedSeconds;
	return (
		<span className="budget" data-name={texts.overview.budget}>
			<span className="budget-track">
				<span className="budget-fill" style={{ width: `${Math.min(100, share * 100)}%`, backgroundColor: color }} />
			</span>
			<small className="num">
				<span>{texts.overview.budgetOf(String(usedSeconds), budgetSeconds)}</span>
				<span style={{ color }}>
					{left < 0
						? texts.overview.budgetOver(durationText(-left, texts.duration))
						: texts.overview.budgetLeft(durationText(left, texts.duration))}
				</span>
			</small>
		</span>
	);
}
