import type { AvailabilityFigures } from '../../../../protocol/api.ts';

/** `99.993%` when every second is known, `99.120 – 99.993%` when some are not, a dash when no time was agreed. */
export function sliText({ sliBest, sliWorst }: Pick<AvailabilityFigures, 'sliBest' | 'sliWorst'>): string {
	if (sliBest === null || sliWorst === null) return '—';
	return sliBest === sliWorst ? `${sliBest}%` : `${sliWorst} – ${sliBest}%`;
}
