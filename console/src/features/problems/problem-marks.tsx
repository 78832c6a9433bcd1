import type { ProblemStage } from '../../../../protocol/problem-api.ts';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';

const COLORS: Readonly<Record<ProblemStage, string>> = {
	received: STATE_COLORS.down,
	accepted: STATE_COLORS.degraded,
	handed: STATE_COLORS.degraded,
	answered: STATE_COLORS.excluded,
	closed: STATE_COLORS.up,
	withdrawn: STATE_COLORS.unknown,
};

export function ProblemStageMark({ stage }: { readonly stage: ProblemStage }) {
	const texts = useTexts();
	return <Mark color={COLORS[stage]} text={texts.problem.stages[stage]} filled={stage === 'received'} />;
}
