/** What a stream of deltas has added up to. */
interface StreamState {
	/** Earliest start that the sender has told; 0 when it tells none. */
	readonly startMs: number;
	readonly timeMs: number;
	/** Tells apart streams whose values cannot be added: the bounds of a histogram. */
	readonly shape: string;
	readonly totals: readonly number[];
}

export interface DeltaPoint {
	readonly startMs: number;
	readonly timeMs: number;
	readonly shape: string;
	readonly values: readonly number[];
}

export type DeltaResult =
	| { readonly kind: 'totals'; readonly totals: readonly number[] }
	| { readonly kind: 'refused'; readonly reason: string };

const DEFAULT_MAX_STREAMS = 200_000;
/** A stream that was silent for so long may make room for another. */
const IDLE_MS = 600_000;

/**
 * Adds deltas up to the cumulative values that the store keeps. The sums live in memory: after a restart of the collector a series begins at
 * its next delta again, which `rate` and `increase` read as a counter reset.
 */
export class DeltaStreams {
	/** Least recently used first. */
	readonly #streams = new Map<string, StreamState>();
	readonly #maxStreams: number;

	constructor(maxStreams = DEFAULT_MAX_STREAMS) {
		this.#maxStreams = maxStreams;
	}

	get size(): number {
		return this.#streams.size;
	}

	/** One request's changes, which can be taken back when the store does not keep the samples: the sender will send the same again. */
	request(): DeltaRequest {
		return new DeltaRequest(this.#streams, this.#maxStreams);
	}
}

export class DeltaRequest {
	readonly #streams: Map<string, StreamState>;
	readonly #maxStreams: number;
	readonly #changes = new Map<string, { readonly before: StreamState | undefined; after: StreamState }>();

	constructor(streams: Map<string, StreamState>, maxStreams: number) {
		this.#streams = streams;
		this.#maxStreams = maxStreams;
	}

	/** The totals of the stream after this point. A point that is not newer than the last one was counted already, or cannot be any more. */
	add(key: string, point: DeltaPoint): DeltaResult {
		const before = this.#streams.get(key);
		if (before === undefined && !this.#hasRoom(point.timeMs)) {
			return {
				kind: 'refused',
				reason: `there are ${this.#maxStreams} streams of deltas already; let the sender export cumulative values`,
			};
		}
		if (before !== undefined && point.timeMs <= before.timeMs) {
			return { kind: 'refused', reason: 'a delta is not newer than the one before' };
		}
		// An earlier start than the stream began with, or other bounds: the sender has begun anew.
		const anew = before === undefined || before.shape !== point.shape || (point.startMs > 0 && point.startMs < before.startMs);
		const totals = anew ? point.values : point.values.map((value, i) => value + (before.totals[i] as number));
		const after = { startMs: anew ? point.startMs : before.startMs, timeMs: point.timeMs, shape: point.shape, totals };
		this.#streams.delete(key);
		this.#streams.set(key, after);
		const change = this.#changes.get(key);
		if (change === undefined) this.#changes.set(key, { before, after });
		else change.after = after;
		return { kind: 'totals', totals };
	}

	/** Takes everything back that no later request has built upon. */
	rollback(): void {
		for (const [key, { before, after }] of this.#changes) {
			if (this.#streams.get(key) !== after) continue;
			if (before === undefined) this.#streams.delete(key);
			else this.#streams.set(key, before);
		}
		this.#changes.clear();
	}

	#hasRoom(nowMs: number): boolean {
		if (this.#streams.size < this.#maxStreams) return true;
		const [oldest] = this.#streams;
		if (oldest === undefined || oldest[1].timeMs > nowMs - IDLE_MS) return false;
		this.#streams.delete(oldest[0]);
		return true;
	}
}
