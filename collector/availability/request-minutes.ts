import { firstFrom } from './check-samples.ts';

/** Samples of one counter, ascending, stale markers left out. */
export interface CounterSamples {
	/** Names who counts: one agent, one exporter. */
	readonly source: string;
	readonly times: Float64Array;
	readonly values: Float64Array;
}

/** Counters that are added up; `sign` is -1 for those that are taken away. */
export interface SignedCounter {
	readonly sign: 1 | -1;
	readonly samples: CounterSamples;
}

export interface RequestReading {
	readonly good: readonly SignedCounter[];
	readonly total: readonly SignedCounter[];
	/** When each source was read, ascending milliseconds. */
	readonly sources: ReadonlyMap<string, Float64Array>;
}

/** What was counted in each minute of a UTC day; the arrays have one entry a minute. */
export interface RequestMinutes {
	readonly good: Float64Array;
	readonly total: Float64Array;
	/** Seconds of the minute in which every source was read. */
	readonly covered: Float64Array;
	/** Requests by which a counter had risen after nobody read it for longer than `REQUEST_HOLD_MS`: nobody knows when they came. */
	readonly unplaced: Float64Array;
}

/** Samples further apart than this leave a gap. As long as PromQL looks back. */
export const REQUEST_HOLD_MS = 300_000;
/** A source that was not read for this long is gone; so far back the value is looked for that a counter rose from. */
export const REQUEST_REACH_MS = 86_400_000;
export const DAY_MINUTES = 1440;
const DAY_MS = 86_400_000;
const DAY_SECONDS = 86_400;

function emptyMinutes(): RequestMinutes {
	const minutes = () => new Float64Array(DAY_MINUTES);
	return { good: minutes(), total: minutes(), covered: minutes(), unplaced: minutes() };
}

/**
 * Counts a UTC day: a pure function of the samples from `REQUEST_REACH_MS` before it until `REQUEST_HOLD_MS` after it. What a counter rose by
 * belongs to the minute of the sample that showed it; nothing is extrapolated, so the minutes of any windows add up.
 */
export function countRequests(reading: RequestReading, day: number): RequestMinutes {
	const minutes = emptyMinutes();
	const fromMs = day * DAY_MS;
	for (const { sign, samples } of reading.total)
		eachRise(samples, { fromMs, read: reading.sources.get(samples.source) }, (minute, rise, placed) => {
			const list = placed ? minutes.total : minutes.unplaced;
			list[minute] = (list[minute] as number) + sign * rise;
		});
	for (const { sign, samples } of reading.good)
		eachRise(samples, { fromMs, read: reading.sources.get(samples.source) }, (minute, rise, placed) => {
			if (placed) minutes.good[minute] = (minutes.good[minute] as number) + sign * rise;
		});
	cover(minutes.covered, reading.sources, day);
	return minutes;
}

/**
 * Every rise of a counter in the day. A value below the one before is a counter that began again at zero. A counter that appears while its source
 * was read shortly before without it began at zero as well; one whose source is as new has counted for nobody knows how long.
 */
function eachRise(
	{ times, values }: CounterSamples,
	at: { readonly fromMs: number; readonly read: Float64Array | undefined },
	visit: (minute: number, rise: number, placed: boolean) => void,
): void {
	const { fromMs } = at;
	for (let i = 0; i < times.length; i++) {
		const time = times[i] as number;
		if (time < fromMs) continue;
		if (time >= fromMs + DAY_MS) break;
		const value = Math.floor(values[i] as number);
		const minute = Math.floor((time - fromMs) / 60_000);
		const known = i > 0 && time - (times[i - 1] as number) <= REQUEST_REACH_MS;
		if (!known) {
			if (wasReadBefore(at.read, time)) visit(minute, value, true);
			continue;
		}
		const before = Math.floor(values[i - 1] as number);
		const rise = value < before ? value : value - before;
		if (rise > 0) visit(minute, rise, time - (times[i - 1] as number) <= REQUEST_HOLD_MS);
	}
}

function wasReadBefore(read: Float64Array | undefined, timeMs: number): boolean {
	const index = read === undefined ? 0 : firstFrom(read, timeMs);
	return index > 0 && timeMs - ((read as Float64Array)[index - 1] as number) <= REQUEST_HOLD_MS;
}

const READ = 1;
const MISSED = 2;

/** A second counts as covered between two readings of every source that is not gone. */
function cover(covered: Float64Array, sources: ReadonlyMap<string, Float64Array>, day: number): void {
	const seconds = new Uint8Array(DAY_SECONDS);
	const begin = day * DAY_SECONDS;
	const mark = (fromMs: number, toMs: number, as: number) => {
		const from = Math.max(0, Math.floor(fromMs / 1000) - begin);
		const to = Math.min(DAY_SECONDS, Math.floor(toMs / 1000) - begin);
		for (let i = from; i < to; i++) if ((seconds[i] as number) < as) seconds[i] = as;
	};
	for (const times of sources.values())
		for (let i = 0; i < times.length; i++) {
			const time = times[i] as number;
			const next = i + 1 < times.length ? (times[i + 1] as number) : Number.POSITIVE_INFINITY;
			if (next - time <= REQUEST_HOLD_MS) mark(time, next, READ);
			else mark(time, Math.min(next, time + REQUEST_REACH_MS), MISSED);
		}
	for (let i = 0; i < DAY_SECONDS; i++)
		if (seconds[i] === READ) {
			const minute = Math.floor(i / 60);
			covered[minute] = (covered[minute] as number) + 1;
		}
}

/** `[minute, minutes, good, total, covered, unplaced]` for every run of minutes that say the same; minutes of the day that say nothing are left out. */
export type MinuteRow = readonly [number, number, number, number, number, number];

export function minuteRows(minutes: RequestMinutes, from = 0, to = DAY_MINUTES): readonly MinuteRow[] {
	const rows: [number, number, number, number, number, number][] = [];
	for (let i = from; i < to; i++) {
		const row = [minutes.good[i], minutes.total[i], minutes.covered[i], minutes.unplaced[i]] as [number, number, number, number];
		if (row.every((value) => value === 0)) continue;
		const last = rows.at(-1);
		if (last !== undefined && last[0] + last[1] === i && row.every((value, k) => value === last[k + 2])) last[1]++;
		else rows.push([i, 1, ...row]);
	}
	return rows;
}
