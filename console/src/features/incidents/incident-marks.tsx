import type { IncidentAnswer } from '../../../../protocol/incident-api.ts';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';

const COLORS: Readonly<Record<IncidentAnswer['state'], string>> = {
	open: STATE_COLORS.down,
	acknowledged: STATE_COLORS.degraded,
	resolved: STATE_COLORS.up,
};

/** What waits for somebody stands out where it is critical; among a hundred hints nothing would. */
export function IncidentStateMark({ state, severity }: Pick<IncidentAnswer, 'state' | 'severity'>) {
	const texts = useTexts();
	return <Mark color={COLORS[state]} text={texts.incident.states[state]} filled={state === 'open' && severity === 'critical'} />;
}
