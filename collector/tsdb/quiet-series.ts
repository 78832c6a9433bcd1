import type { Head } from './head.ts';
import { SLOT_COUNT, SLOT_LATE_COUNT, SLOT_WORDS } from './shared-head.ts';

/** Knows which series of a head are no longer written, and may give their slots to others. */
export class QuietSeries {
	readonly #head: Head;
	/** When the samples of each slot last went into blocks. */
	#heardMs = new Float64Array(0);

	constructor(head: Head) {
		this.#head = head;
	}

	/** Remembers when the series of slots `from .. to` that are on their way into blocks were heard of: a sample's own time may be long ago. */
	noteHeard(from: number, to: number, nowMs: number): void {
		const chain = this.#head.retiring?.chain;
		if (chain === undefined) return;
		if (this.#heardMs.length < chain.length) {
			const larger = new Float64Array(chain.length);
			larger.set(this.#heardMs);
			this.#heardMs = larger;
		}
		const end = Math.min(to, this.#head.slotCount);
		for (let slot = from; slot < end; slot++) if (chain[slot] !== 0) this.#heardMs[slot] = nowMs;
	}

	/** Adds to `quiet` the slots of `from .. to` whose series was not heard of since `beforeMs` and has nothing in memory. */
	find(from: number, to: number, beforeMs: number, quiet: number[]): void {
		const end = Math.min(to, this.#head.slotCount);
		for (let slot = from; slot < end; slot++) if (this.isQuiet(slot, beforeMs)) quiet.push(slot);
	}

	/** A series that has never had a sample is about to get its first. */
	isQuiet(slot: number, beforeMs: number): boolean {
		const { lifetimes, slots, active, retiring } = this.#head;
		const last = lifetimes[slot * 2 + 1] as number;
		if (last >= beforeMs || last === Number.NEGATIVE_INFINITY || (this.#heardMs[slot] ?? 0) >= beforeMs) return false;
		const at = slot * SLOT_WORDS;
		if (slots[at + SLOT_COUNT] !== 0 || slots[at + SLOT_LATE_COUNT] !== 0) return false;
		return active.chain[slot] === 0 && (retiring === null || retiring.chain[slot] === 0);
	}
}
