/** Class of a series that nobody waits for. Classes that somebody waits for are larger. */
export const NO_CLASS = 1;
const UNKNOWN = 0;
/** A sample older than this when it comes tells of the past: a spool that is emptied after an outage must not look like the present. */
const FRESH_MS = 30_000;

/** Who waits for samples. */
export interface ArrivalReader {
	/** The class of the series with these canonical label bytes, `NO_CLASS` or larger. Asked once per series. */
	classify(labels: Uint8Array): number;
	/** Samples of a class came, the first since `take`. Must return at once. */
	onMarks(): void;
}

/**
 * Remembers which classes of series have got fresh samples. A store notes every batch; that costs a look-up in a typed array per
 * sample (`bench/ingest.ts`), because what a series is to the reader is found out once, when it is first seen.
 */
export class ArrivalMarks {
	#classOf = new Uint32Array(1 << 12);
	/** Time of the newest sample per class since `take`. */
	#newest = new Float64Array(1 << 8).fill(Number.NEGATIVE_INFINITY);
	#marked: number[] = [];
	/** The reader knows that there are marks. */
	#isTold = false;
	#reader: ArrivalReader | null = null;

	/** From now on `reader` says what class a series has; what was found out before is forgotten. */
	read(reader: ArrivalReader | null): void {
		this.#reader = reader;
		this.#classOf.fill(UNKNOWN);
		this.#newest.fill(Number.NEGATIVE_INFINITY);
		this.#marked = [];
		this.#isTold = false;
	}

	/** The slot is another series' now. */
	renew(slot: number): void {
		if (slot < this.#classOf.length) this.#classOf[slot] = UNKNOWN;
	}

	/** Samples `0 .. count` were taken. `labelsOf` gives the canonical label bytes of a slot. */
	note(
		samples: { readonly ids: Uint32Array; readonly timestamps: Float64Array },
		count: number,
		context: { readonly nowMs: number; readonly labelsOf: (slot: number) => Uint8Array },
	): void {
		const reader = this.#reader;
		if (reader === null) return;
		const { ids, timestamps } = samples;
		const freshMs = context.nowMs - FRESH_MS;
		let classOf = this.#classOf;
		for (let i = 0; i < count; i++) {
			const slot = ids[i] as number;
			let found = slot < classOf.length ? (classOf[slot] as number) : UNKNOWN;
			if (found === NO_CLASS) continue;
			if (found === UNKNOWN) {
				found = reader.classify(context.labelsOf(slot));
				this.#remember(slot, found);
				classOf = this.#classOf;
				if (found === NO_CLASS) continue;
			}
			const timeMs = timestamps[i] as number;
			const newest = this.#newest[found] as number;
			if (timeMs < freshMs || timeMs <= newest) continue;
			if (newest === Number.NEGATIVE_INFINITY) this.#marked.push(found);
			this.#newest[found] = timeMs;
		}
		if (this.#isTold || this.#marked.length === 0) return;
		this.#isTold = true;
		reader.onMarks();
	}

	/** Gives every class that was marked, with the time of its newest sample, and begins anew. */
	take(visit: (found: number, newestMs: number) => void): void {
		const marked = this.#marked;
		this.#marked = [];
		this.#isTold = false;
		for (const found of marked) {
			const newestMs = this.#newest[found] as number;
			this.#newest[found] = Number.NEGATIVE_INFINITY;
			visit(found, newestMs);
		}
	}

	#remember(slot: number, found: number): void {
		if (slot >= this.#classOf.length) {
			const larger = new Uint32Array(Math.max(slot + 1, this.#classOf.length * 2));
			larger.set(this.#classOf);
			this.#classOf = larger;
		}
		this.#classOf[slot] = found;
		if (found < this.#newest.length) return;
		const newest = new Float64Array(Math.max(found + 1, this.#newest.length * 2)).fill(Number.NEGATIVE_INFINITY);
		newest.set(this.#newest);
		this.#newest = newest;
	}
}
