import type { IncidentAnswer } from '../../../../protocol/incident-api.ts';
import { Mark } from '../../layout/state-mark.tsx';
import { useTexts } from '../../texts/language.tsx';
import { STATE_COLORS } from '../../theme.ts';

const COLORS: Readonly<Record<IncidentAnswer['state'], string>> = {
	open: STATE_COLORS.down,
	acknowledged: STATE_COLORS.degraded,
	resolved: STATE_COLORS.up,
};

export function IncidentStateMark({ state }: { readonly state: IncidentAnswer['state'] }) {
	const texts = useTexts();
	return <Mark color={COLORS[state]} text={texts.incident.states[state]} filled={state === 'open'} />;
}
