import type { ServiceState } from '../../../protocol/api.ts';
import { useTexts } from '../texts/language.tsx';
import { SEVERITY_COLORS, STATE_COLORS, severityOf } from '../theme.ts';

/** A state by colour and by its name. */
export function StateMark({ state }: { readonly state: ServiceState }) {
	const texts = useTexts();
	return <Mark color={STATE_COLORS[state]} text={texts.state[state]} filled={state === 'down'} />;
}

export function SeverityMark({ severity }: { readonly severity: string | undefined }) {
	const texts = useTexts();
	const known = severityOf(severity);
	return <Mark color={SEVERITY_COLORS[known]} text={texts.severity[known]} filled={known === 'critical'} />;
}

/** Filled ones are those that somebody must act on. */
export function Mark({ color, text, filled = false }: { readonly color: string; readonly text: string; readonly filled?: boolean }) {
	return (
		<span className={filled ? 'mark mark-filled' : 'mark'} style={filled ? { backgroundColor: color } : { color }}>
			<i className="mark-dot" style={{ backgroundColor: filled ? '#fff' : color }} />
			{text}
		</span>
	);
}
