import type { AvailabilityFigures } from '../../protocol/api.ts';
import type { Timeline } from './intervals.ts';

/** Seconds per state. `total = up + degraded + down + unknown + excluded`; `unconfirmed` is part of up and degraded. */
export interface SecondCounts {
	readonly total: number;
	readonly up: number;
	readonly degraded: number;
	readonly down: number;
	readonly unknown: number;
	readonly excluded: number;
	readonly unconfirmed: number;
}

export function countSeconds(timeline: Timeline): SecondCounts {
	const counts = { total: 0, up: 0, degraded: 0, down: 0, unknown: 0, excluded: 0, unconfirmed: 0 };
	for (const interval of timeline) {
		const seconds = interval.to - interval.from;
		counts.total += seconds;
		counts[interval.state] += seconds;
		if (interval.unconfirmed) counts.unconfirmed += seconds;
	}
	return counts;
}

/**
 * The figures of `availability.md`: SLI = (agreed − down − w·unknown) / agreed for w = 0 and 1, left out =
 * (agreed − down − unknown) / (agreed − unknown), coverage =
 * (agreed − unknown) / agreed, budget = agreed of the whole period · (1 − target). Integers throughout; percentages are
 * truncated, never rounded up, so that one second of downtime never reads 100 %.
 */
export function availabilityFigures(
	counts: SecondCounts,
	period: { readonly fromSeconds: number; readonly toSeconds: number; readonly target: string; readonly agreedSecondsOfPeriod: number },
): AvailabilityFigures {
	const agreed = counts.total - counts.excluded;
	return {
		fromMs: period.fromSeconds * 1000,
		toMs: period.toSeconds * 1000,
		totalSeconds: counts.total,
		upSeconds: counts.up,
		degradedSeconds: counts.degraded,
		downSeconds: counts.down,
		unknownSeconds: counts.unknown,
		excludedSeconds: counts.excluded,
		unconfirmedSeconds: counts.unconfirmed,
		sliBest: percent(agreed - counts.down, agreed),
		sliWorst: percent(agreed - counts.down - counts.unknown, agreed),
		sliLeftOut: percent(agreed - counts.down - counts.unknown, agreed - counts.unknown),
		coverage: percent(agreed - counts.unknown, agreed),
		target: period.target,
		budgetSeconds: budget(period.agreedSecondsOfPeriod, period.target),
		budgetUsedSeconds: counts.down,
	};
}

/** `part / whole` in percent with three decimals, truncated; `null` when there is no whole. Exact: 1e5 · 3e9 stays below 2^53. */
export function percent(part: number, whole: number): string | null {
	if (whole <= 0) return null;
	const thousandths = Math.floor((part * 100_000) / whole);
	const digits = String(thousandths).padStart(4, '0');
	return `${digits.slice(0, -3)}.${digits.slice(-3)}`;
}

/** Seconds with two decimals, truncated: 30 days at 99.99 % are `259.20`. */
export function budget(agreedSeconds: number, target: string): string {
	const [whole = '0', fraction = ''] = target.split('.');
	const tenThousandths = 1_000_000 - Number(whole + fraction.padEnd(4, '0'));
	const hundredths = Math.floor((agreedSeconds * tenThousandths) / 10_000);
	const digits = String(hundredths).padStart(3, '0');
	return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
