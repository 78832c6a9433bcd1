import type { ChangeStage } from '../../../../protocol/change-api.ts';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';

const COLORS: Readonly<Record<ChangeStage, string>> = {
	requested: STATE_COLORS.degraded,
	approved: STATE_COLORS.excluded,
	started: STATE_COLORS.down,
	done: STATE_COLORS.excluded,
	'rolled-back': STATE_COLORS.degraded,
	closed: STATE_COLORS.up,
	refused: STATE_COLORS.unknown,
	cancelled: STATE_COLORS.unknown,
};

export function ChangeStageMark({ stage }: { readonly stage: ChangeStage }) {
	const texts = useTexts();
	return <Mark color={COLORS[stage]} text={texts.change.stages[stage]} filled={stage === 'started'} />;
}
