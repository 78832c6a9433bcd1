import { type Timeline, TimelineBuilder } from './intervals.ts';

/** Results of one check from one vantage point, ascending by time, one per timestamp. */
export interface CheckSamples {
	/** Milliseconds: the start of the probe. */
	readonly times: Float64Array;
	/** `UP`, `DEGRADED` or `DOWN` per sample. */
	readonly results: Uint8Array;
}

export const UP = 0;
export const DEGRADED = 1;
export const DOWN = 2;

export interface CheckRules {
	readonly id: string;
	readonly intervalMs: number;
	/** An outage is confirmed by `failed` failures among `of` samples in a row … */
	readonly failed: number;
	readonly of: number;
	/** … and its end by this many good samples in a row. */
	readonly recovered: number;
}

/** How long a sample speaks: at most three intervals, then nobody knows. */
const HOLD_INTERVALS = 3;
/** Failures further apart than this do not confirm each other, however few samples lie between them. */
const WINDOW_INTERVALS = 15;

/** How far before and after a window its samples can matter beside an open outage; the caller reads that much more. */
export function contextMs(rules: CheckRules): number {
	return rules.intervalMs * (WINDOW_INTERVALS + HOLD_INTERVALS * (rules.recovered + 1));
}

interface Outage {
	readonly startMs: number;
	/** First good sample of the recovery; infinite while there is none. */
	readonly endMs: number;
}

/**
 * The states of one check over `[from, to)` in whole seconds: a pure function of the samples (docs/availability.md, rules 1 and 2).
 *
 * - A sample holds until the next one, at most for three intervals; then the check is unknown. Silence is never up.
 * - Failures belong to one **episode** unless a recovery lies between them: `recovered` good samples in a row, or a good
 *   sample after which no failure came within its hold (that ends the outage at this good sample; so does the last
 *   sample there is, provisionally).
 * - An episode is an outage when `failed` of `of` samples in a row failed. It then began at the first failure of the
 *   first such group and ends at the first good sample of the recovery.
 * - Inside an outage a second is down while it lies in the hold of a failure, and unknown otherwise, so that a good
 *   sample can never add downtime.
 * - Failures outside of an outage are not downtime; their seconds are marked unconfirmed.
 */
export function checkTimeline(samples: CheckSamples, rules: CheckRules, from: number, to: number): Timeline {
	const { times, results } = samples;
	const holdMs = rules.intervalMs * HOLD_INTERVALS;
	const outages = findOutages(samples, rules, holdMs);
	const builder = new TimelineBuilder(from, to);
	const silent = `no data: ${rules.id}`;
	const failing = `check: ${rules.id}`;
	let outageIndex = 0;
	let lastFailureMs = Number.NEGATIVE_INFINITY;
	for (let i = 0; i < times.length; i++) {
		const start = times[i] as number;
		const next = i + 1 < times.length ? (times[i + 1] as number) : Number.POSITIVE_INFINITY;
		const failed = results[i] === DOWN;
		if (failed) lastFailureMs = start;
		while (outageIndex < outages.length && start >= (outages[outageIndex] as Outage).endMs) outageIndex++;
		const outage = outages[outageIndex];
		const inOutage = outage !== undefined && start >= outage.startMs;
		const second = Math.floor(start / 1000);
		// Skips what lies before the window cheaply; the builder clips the rest.
		if (next < from * 1000) continue;
		if (second >= to) {
			break;
		}
		builder.until(second, 'unknown', silent);
		const nextSecond = Math.floor(next / 1000);
		if (inOutage) {
			builder.until(Math.min(nextSecond, Math.floor((lastFailureMs + holdMs) / 1000)), 'down', failing);
			builder.until(nextSecond, 'unknown', silent);
			continue;
		}
		if (results[i] === UP) {
			// A year of a check has three million good samples; where none was missed, only the last of a run matters.
			const last = unbrokenTo(samples, i, holdMs);
			if (last > i) {
				builder.until(Math.floor((times[last] as number) / 1000), 'up', '');
				i = last - 1;
				continue;
			}
		}
		const heldUntil = Math.min(nextSecond, Math.floor((start + holdMs) / 1000));
		if (failed) builder.until(heldUntil, 'up', failing, true);
		else builder.until(heldUntil, results[i] === DEGRADED ? 'degraded' : 'up', results[i] === DEGRADED ? failing : '');
		builder.until(nextSecond, 'unknown', silent);
	}
	builder.until(to, 'unknown', silent);
	return builder.build();
}

/** The last of the good samples from `first` on between which none was missed. */
function unbrokenTo({ times, results }: CheckSamples, first: number, holdMs: number): number {
	const failed = results.indexOf(DOWN, first);
	let end = failed < 0 ? results.length : failed;
	const degraded = results.indexOf(DEGRADED, first);
	if (degraded >= 0 && degraded < end) end = degraded;
	let last = first;
	for (;;) {
		// No gap is longer than two together are (bench/ledger.ts).
		if (last + 2 < end && (times[last + 2] as number) - (times[last] as number) <= holdMs) last += 2;
		else if (last + 1 < end && (times[last + 1] as number) - (times[last] as number) <= holdMs) last++;
		else return last;
	}
}

/** Confirmed outages, ascending. One pass over the failures; good samples between them decide where an episode ends. */
function findOutages(samples: CheckSamples, rules: CheckRules, holdMs: number): readonly Outage[] {
	const { times, results } = samples;
	const outages: Outage[] = [];
	const windowMs = rules.intervalMs * WINDOW_INTERVALS;
	let i = 0;
	while (i < times.length) {
		i = results.indexOf(DOWN, i);
		if (i < 0) break;
		// An episode begins at failure i; walk to its end.
		const first = i;
		let startMs = Number.NaN;
		let endMs = Number.POSITIVE_INFINITY;
		let last = i;
		for (;;) {
			if (Number.isNaN(startMs)) startMs = confirmedStart(samples, { first, last, rules, windowMs });
			const goodFrom = last + 1;
			const found = results.indexOf(DOWN, goodFrom);
			const next = found < 0 ? times.length : found;
			const goods = next - goodFrom;
			if (goods > 0) {
				const firstGoodMs = times[goodFrom] as number;
				const nextFailureMs = next < times.length ? (times[next] as number) : Number.POSITIVE_INFINITY;
				if (goods >= rules.recovered || nextFailureMs - firstGoodMs > holdMs) {
					endMs = firstGoodMs;
					i = next;
					break;
				}
			}
			if (next >= times.length) {
				i = next;
				break;
			}
			last = next;
		}
		if (!Number.isNaN(startMs)) outages.push({ startMs, endMs });
	}
	return outages;
}

/**
 * The time of the earliest failure in the group of `of` samples that ends with failure `last`, if that group has enough
 * failures; else NaN. The group never reaches back before the episode's first failure, nor further than the window.
 */
function confirmedStart(
	{ times, results }: CheckSamples,
	place: { readonly first: number; readonly last: number; readonly rules: CheckRules; readonly windowMs: number },
): number {
	const { first, last, rules, windowMs } = place;
	let failures = 0;
	let earliest = Number.NaN;
	for (let j = last; j >= first && j > last - rules.of; j--) {
		if ((times[last] as number) - (times[j] as number) > windowMs) break;
		if (results[j] === DOWN) {
			failures++;
			earliest = times[j] as number;
		}
	}
	return failures >= rules.failed ? earliest : Number.NaN;
}
