/** Slots of series, as they are found. */
export type Ids = ArrayLike<number> & Iterable<number>;

const SMALL = 16;

/**
 * A growing list of ids. Long lists are typed arrays, which the garbage collector does not walk through: with a million
 * postings in plain arrays, marking them cost more than the ingest (bench/ingest.ts). Short ones, of which there are many, are plain.
 */
export class IdList {
	#ids: number[] | Uint32Array = [];
	#length = 0;

	push(id: number): void {
		const ids = this.#ids;
		const length = this.#length++;
		if (length < SMALL || length < ids.length) {
			ids[length] = id;
			return;
		}
		const larger = new Uint32Array(length + (length >> 1));
		larger.set(ids);
		larger[length] = id;
		this.#ids = larger;
	}

	/** Takes out what is marked. */
	remove(marked: Uint8Array): void {
		const ids = this.#ids;
		let kept = 0;
		for (let i = 0; i < this.#length; i++) {
			const id = ids[i] as number;
			if (marked[id] !== 1) ids[kept++] = id;
		}
		this.#length = kept;
		// Small arrays grow by writing behind their end, so they must not be longer than what they hold.
		if (!(ids instanceof Uint32Array)) ids.length = kept;
		else if (kept * 4 < ids.length) this.#ids = kept < SMALL ? Array.from(ids.subarray(0, kept)) : ids.slice(0, kept);
	}

	get length(): number {
		return this.#length;
	}

	/** The ids so far. Not to be changed. */
	view(): Ids {
		return this.#ids instanceof Uint32Array ? this.#ids.subarray(0, this.#length) : this.#ids;
	}
}
