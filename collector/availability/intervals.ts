import type { ServiceState } from '../../protocol/api.ts';

/** A stretch of one state, half-open `[from, to)`, whole seconds since the epoch. */
export interface Interval {
	readonly from: number;
	readonly to: number;
	readonly state: ServiceState;
	/** Why; see `LedgerIntervalAnswer.reason`. */
	readonly reason: string;
	/** Seconds of failed checks that did not make an outage; such an interval is `up` or `degraded`. */
	readonly unconfirmed: boolean;
}

/** Intervals that cover `[from, to)` without gap or overlap, ascending. */
export type Timeline = readonly Interval[];

/** Collects intervals in order, drops empty ones, and joins neighbours that say the same. */
export class TimelineBuilder {
	readonly #intervals: Interval[] = [];
	readonly #to: number;
	#at: number;

	constructor(from: number, to: number) {
		this.#at = from;
		this.#to = to;
	}

	/** Everything from where the last interval ended up to `to` (clipped to the window). */
	until(to: number, state: ServiceState, reason: string, unconfirmed = false): void {
		const end = Math.min(to, this.#to);
		if (end <= this.#at) return;
		const last = this.#intervals.at(-1);
		if (last !== undefined && last.state === state && last.reason === reason && last.unconfirmed === unconfirmed) {
			this.#intervals[this.#intervals.length - 1] = { ...last, to: end };
		} else {
			this.#intervals.push({ from: this.#at, to: end, state, reason, unconfirmed });
		}
		this.#at = end;
	}

	build(): Timeline {
		return this.#intervals;
	}
}

/** Walks several timelines over the same window at once and calls `visit` for every stretch in which none of them changes. */
export function sweep(timelines: readonly Timeline[], visit: (from: number, to: number, current: readonly Interval[]) => void): void {
	const positions = timelines.map(() => 0);
	const first = timelines[0]?.[0];
	if (first === undefined) return;
	let at = first.from;
	for (;;) {
		const current: Interval[] = [];
		let end = Number.POSITIVE_INFINITY;
		for (let i = 0; i < timelines.length; i++) {
			const timeline = timelines[i] as Timeline;
			while ((timeline[positions[i] as number]?.to ?? Number.POSITIVE_INFINITY) <= at) positions[i] = (positions[i] as number) + 1;
			const interval = timeline[positions[i] as number];
			if (interval === undefined) return;
			current.push(interval);
			if (interval.to < end) end = interval.to;
		}
		visit(at, end, current);
		at = end;
	}
}
