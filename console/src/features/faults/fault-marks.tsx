import type { FaultStage } from '../../../../protocol/fault-api.ts';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';

const COLORS: Readonly<Record<FaultStage, string>> = {
	candidate: STATE_COLORS.degraded,
	declared: STATE_COLORS.down,
	restored: STATE_COLORS.excluded,
	resolved: STATE_COLORS.up,
	closed: STATE_COLORS.unknown,
	dismissed: STATE_COLORS.unknown,
	merged: STATE_COLORS.unknown,
};

export function FaultStageMark({ stage }: { readonly stage: FaultStage }) {
	const texts = useTexts();
	return <Mark color={COLORS[stage]} text={texts.fault.stages[stage]} filled={stage === 'declared'} />;
}
