/** A place between two records of the spool. Comparable: later segments have larger numbers. */
export interface SpoolPosition {
	readonly segment: number;
	readonly offset: number;
}

/** Records that wait, from `from` to the end of the segment before `until`; to the end of everything where that is null. */
export interface SpoolLane {
	readonly from: SpoolPosition;
	readonly until: number | null;
}

/** Each costs room in the cursor; every outage that begins before the last one was made up for takes another. */
export const MAX_LANES = 4;

/**
 * Which records wait to be acknowledged, as stretches of whole segments, oldest first; the last one is open. Usually there is one. When fresh
 * data should not wait behind a backlog, the open lane is split, and both sides are acknowledged on their own.
 */
export class SpoolLanes {
	#lanes: readonly SpoolLane[];

	/** Throws a `RangeError` when the lanes do not follow each other. */
	constructor(lanes: readonly SpoolLane[]) {
		let before = -1;
		for (const [i, { from, until }] of lanes.entries()) {
			const last = i === lanes.length - 1;
			if (from.segment < before || (until === null) !== last || (until !== null && until <= from.segment)) {
				throw new RangeError('lanes of a spool must follow each other');
			}
			before = until ?? from.segment;
		}
		if (lanes.length === 0 || lanes.length > MAX_LANES) throw new RangeError('a spool has one to four lanes');
		this.#lanes = lanes;
	}

	get list(): readonly SpoolLane[] {
		return this.#lanes;
	}

	get open(): SpoolLane {
		return this.#lanes[this.#lanes.length - 1] as SpoolLane;
	}

	/** The lane that covers a part of the segment. */
	of(segment: number): SpoolLane | null {
		return this.#lanes.find(({ from, until }) => from.segment <= segment && (until === null || until > segment)) ?? null;
	}

	/** Moves the beginning of a lane forward, and forgets the lane when it is over. Returns whether anything changed: a cap may have passed it. */
	advance(until: number | null, to: SpoolPosition): boolean {
		const index = this.#lanes.findIndex((lane) => lane.until === until);
		const lane = this.#lanes[index];
		if (lane === undefined || !isBefore(lane.from, to)) return false;
		const over = until !== null && to.segment >= until;
		const changed = [...this.#lanes];
		if (over) changed.splice(index, 1);
		else changed[index] = { from: to, until };
		this.#lanes = changed;
		return true;
	}

	/** Begins a lane at the segment, if there may be another. */
	split(segment: number): boolean {
		const { open } = this;
		if (this.#lanes.length === MAX_LANES || segment <= open.from.segment) return false;
		this.#lanes = [...this.#lanes.slice(0, -1), { from: open.from, until: segment }, { from: { segment, offset: 0 }, until: null }];
		return true;
	}
}

function isBefore(a: SpoolPosition, b: SpoolPosition): boolean {
	return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}
