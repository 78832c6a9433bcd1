import type { OpenAlert } from '../../../../protocol/api.ts';
import { severityOf } from '../../theme.ts';

export interface AlertFilter {
	/** `''` for all. */
	readonly severity: string;
	/** Words that must all be found in labels or annotations, in either case. */
	readonly text: string;
	/** Also those that are silenced or inhibited. */
	readonly withHeld: boolean;
}

/** In the order that they came in, which is worst and oldest first; what is held back comes after everything that is not. */
export function filteredAlerts(alerts: readonly OpenAlert[], { severity, text, withHeld }: AlertFilter): readonly OpenAlert[] {
	const words = text.toLowerCase().split(/\s+/).filter(Boolean);
	const found = alerts.filter((alert) => {
		if (alert.suppressed && !withHeld) return false;
		if (severity !== '' && severityOf(alert.labels['severity']) !== severity) return false;
		const read = Object.entries({ ...alert.annotations, ...alert.labels })
			.map(([name, value]) => `${name}=${value}`)
			.join('\n')
			.toLowerCase();
		return words.every((word) => read.includes(word));
	});
	return found.sort((a, b) => Number(a.suppressed) - Number(b.suppressed));
}
