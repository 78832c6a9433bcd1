import { PairRange, readPair } from '../storage/label-bytes.ts';
import { LabelName } from './label-name.ts';

const HOST = new LabelName('host');
const INSTANCE = new LabelName('instance');

/**
 * Counts the series of each sender, so that one that goes wild cannot take the places of all others. The sender is the label `host`,
 * or else `instance`; series with neither are one sender.
 */
export class HostSeries {
	readonly #numbers = new Map<string, number>();
	readonly #counts: number[] = [];
	readonly #freeNumbers: number[] = [];
	/** The sender of each slot, plus one. */
	#hostOf = new Int32Array(1 << 12);
	readonly #pair = new PairRange();
	#lastLabels: Uint8Array | null = null;
	#lastName = '';

	add(slot: number, labels: Uint8Array): void {
		if (slot >= this.#hostOf.length) {
			const larger = new Int32Array(Math.max(slot + 1, this.#hostOf.length * 2));
			larger.set(this.#hostOf);
			this.#hostOf = larger;
		}
		const host = this.#number(this.hostName(labels));
		this.#counts[host] = (this.#counts[host] ?? 0) + 1;
		this.#hostOf[slot] = host + 1;
	}

	remove(slot: number): void {
		const host = (this.#hostOf[slot] ?? 0) - 1;
		if (host < 0) return;
		this.#counts[host] = (this.#counts[host] as number) - 1;
		this.#hostOf[slot] = 0;
	}

	count(host: string): number {
		const number = this.#numbers.get(host);
		return number === undefined ? 0 : (this.#counts[number] as number);
	}

	/** The sender of a series by its canonical label bytes. Asked before and after a series is added, so the last answer is kept. */
	hostName(labels: Uint8Array): string {
		if (this.#lastLabels !== labels) {
			this.#lastName = this.#readName(labels);
			this.#lastLabels = labels;
		}
		return this.#lastName;
	}

	#readName(labels: Uint8Array): string {
		const pair = this.#pair;
		let instance = '';
		for (let pos = 0; pos < labels.length; ) {
			pos = readPair(labels, pos, pair);
			if (HOST.is(labels, pair.nameStart, pair.nameEnd)) return text(labels, pair);
			if (INSTANCE.is(labels, pair.nameStart, pair.nameEnd)) instance = text(labels, pair);
		}
		return instance;
	}

	#number(host: string): number {
		const known = this.#numbers.get(host);
		if (known !== undefined) return known;
		// Names that change all the time must not fill the memory: those without series give theirs up.
		if (this.#numbers.size >= 100_000) this.#forgetEmpty();
		const number = this.#freeNumbers.pop() ?? this.#counts.push(0) - 1;
		this.#numbers.set(host, number);
		return number;
	}

	#forgetEmpty(): void {
		for (const [host, number] of this.#numbers) {
			if (this.#counts[number] !== 0) continue;
			this.#numbers.delete(host);
			this.#freeNumbers.push(number);
		}
	}
}

function text(bytes: Uint8Array, pair: PairRange): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset + pair.valueStart, pair.valueEnd - pair.valueStart).toString('utf8');
}
