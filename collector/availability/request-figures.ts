import type { RequestFigures } from '../../protocol/availability-api.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import { percent } from './figures.ts';
import type { MinuteRow } from './request-minutes.ts';

/** The whole minutes inside a window of seconds, as minutes since the epoch, half-open. */
export function wholeMinutes(window: SecondSpan): { readonly from: number; readonly to: number } {
	const from = Math.ceil(window.from / 60);
	return { from, to: Math.max(from, Math.floor(window.to / 60)) };
}

/**
 * The figures of the whole minutes inside the window. `rows` count minutes since the epoch. A minute is left out when any second of it is
 * excluded: when in the minute a request came is not known.
 */
export function requestFigures(
	rows: readonly MinuteRow[],
	what: { readonly window: SecondSpan; readonly exclusions: readonly SecondSpan[]; readonly target: string },
): RequestFigures {
	const { from, to } = wholeMinutes(what.window);
	const excluded = new Uint8Array(to - from);
	for (const span of what.exclusions)
		if (span.to > span.from)
			excluded.fill(1, Math.max(0, Math.floor(span.from / 60) - from), Math.max(0, Math.min(to, Math.ceil(span.to / 60)) - from));
	const sums = { good: 0, total: 0, coveredSeconds: 0, unplaced: 0, excluded: 0 };
	for (const [begin, count, good, total, covered, unplaced] of rows)
		for (let minute = Math.max(begin, from); minute < Math.min(begin + count, to); minute++) {
			if (excluded[minute - from] === 1) {
				sums.excluded += total + unplaced;
				continue;
			}
			sums.good += good;
			sums.total += total;
			sums.coveredSeconds += covered;
			sums.unplaced += unplaced;
		}
	const agreedSeconds = 60 * (excluded.length - excluded.reduce((sum, minute) => sum + minute, 0));
	const total = Math.max(0, sums.total);
	// Two counters of one server are not read in the same instant.
	const good = Math.min(Math.max(0, sums.good), total);
	return {
		fromMs: from * 60_000,
		toMs: to * 60_000,
		good,
		total,
		excluded: sums.excluded,
		unplaced: sums.unplaced,
		sli: percent(good, total),
		coverage: percent(sums.coveredSeconds, agreedSeconds),
		target: what.target,
		budgetRequests: requestBudget(total, what.target),
		budgetUsedRequests: total - good,
	};
}

/** Requests that may fail, with two decimals, truncated: of 12,345 requests at 99.99 % `1.23`. */
export function requestBudget(total: number, target: string): string {
	const [whole = '0', fraction = ''] = target.split('.');
	const allowed = 1_000_000n - BigInt(whole + fraction.padEnd(4, '0'));
	const digits = String((BigInt(total) * allowed) / 10_000n).padStart(3, '0');
	return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
