import { PAGE_WORDS, PAGES_PER_SEGMENT } from './shared-head.ts';

/** Pages of raw samples in shared segments. Numbers start at 1, so that 0 can mean "none" in a slot. */
export class PagePool {
	readonly words: Uint32Array[] = [];
	readonly doubles: Float64Array[] = [];
	readonly #free: number[] = [];
	#allocated = 0;
	readonly #onSegment: () => void;

	constructor(onSegment: () => void) {
		this.#onSegment = onSegment;
	}

	take(): number {
		const reused = this.#free.pop();
		if (reused !== undefined) return reused;
		if (this.#allocated === this.words.length * PAGES_PER_SEGMENT) {
			const buffer = new SharedArrayBuffer(PAGES_PER_SEGMENT * PAGE_WORDS * 4);
			this.words.push(new Uint32Array(buffer));
			this.doubles.push(new Float64Array(buffer));
			this.#onSegment();
		}
		this.#allocated++;
		return this.#allocated;
	}

	release(page: number): void {
		this.#free.push(page);
	}
}

/** Index of the page's segment, and of its first word there. */
export function pageSegment(page: number): number {
	return ((page - 1) / PAGES_PER_SEGMENT) | 0;
}

export function pageWord(page: number): number {
	return ((page - 1) % PAGES_PER_SEGMENT) * PAGE_WORDS;
}
