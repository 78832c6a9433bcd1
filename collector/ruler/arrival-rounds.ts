/** Inputs whose samples lie no further apart than this come from one measurement. */
const TOGETHER_MS = 1000;
/** So long a subject whose other inputs do not come holds up what is evaluated for all subjects at once. */
const PATIENCE_MS = 2000;
/** Subjects that are remembered of one rule. */
const MAX_SUBJECTS = 50_000;

interface Round {
	/** Time of the newest sample of each input. */
	readonly times: Float64Array;
	/** Inputs, as bits, that came together with what is there, and have not come yet this time. */
	owed: number;
}

/**
 * Holds a rule that reads several series back until those that are measured together have all come, so that two metrics
 * that arrive in two requests are never judged one new against the other old. What came together is known from the time before;
 * of a subject that is seen for the first time every input is awaited once.
 */
export class ArrivalRounds {
	readonly #inputs: number;
	readonly #rounds = new Map<string, Round>();
	/** Since when subjects are waited for, the longest first. */
	readonly #open = new Map<string, number>();

	constructor(inputs: number) {
		this.#inputs = inputs;
	}

	/** Samples of the inputs `bits` came, the newest at `timeMs`; `nowMs` is any clock that does not jump. */
	arrived(subject: string, bits: number, { timeMs, nowMs }: { readonly timeMs: number; readonly nowMs: number }): void {
		let round = this.#rounds.get(subject);
		if (round === undefined) {
			if (this.#rounds.size >= MAX_SUBJECTS) {
				this.#rounds.clear();
				this.#open.clear();
			}
			round = { times: new Float64Array(this.#inputs).fill(Number.NEGATIVE_INFINITY), owed: this.#all() & ~bits };
			this.#rounds.set(subject, round);
		}
		for (let input = 0; input < this.#inputs; input++) if ((bits & (1 << input)) !== 0) this.#advance(round, input, timeMs);
		this.#open.delete(subject);
		if (round.owed !== 0) this.#open.set(subject, nowMs);
	}

	#advance(round: Round, input: number, timeMs: number): void {
		const before = round.times[input] as number;
		if (timeMs <= before) return;
		const bit = 1 << input;
		const partners = this.#partners(round.times, { before, timeMs }) & ~bit;
		// What was not awaited begins a new round.
		if ((round.owed & bit) === 0 && before !== Number.NEGATIVE_INFINITY) round.owed = partners;
		else round.owed = (round.owed | partners) & ~bit;
		round.times[input] = timeMs;
	}

	/** Inputs that came together with the sample before this one, and are behind now. */
	#partners(times: Float64Array, { before, timeMs }: { readonly before: number; readonly timeMs: number }): number {
		let bits = 0;
		for (let other = 0; other < this.#inputs; other++) {
			const at = times[other] as number;
			if (Math.abs(at - before) <= TOGETHER_MS && at < timeMs - TOGETHER_MS) bits |= 1 << other;
		}
		return bits;
	}

	#all(): number {
		return 2 ** this.#inputs - 1;
	}

	/** Whether all that comes together for this subject is there. */
	isWhole(subject: string): boolean {
		return this.#rounds.get(subject)?.owed === 0;
	}

	/** Whether no subject is waited for, but for those that have been for too long. */
	allWhole(nowMs: number): boolean {
		for (const [subject, sinceMs] of this.#open) {
			if (nowMs - sinceMs < PATIENCE_MS) return false;
			this.#open.delete(subject);
		}
		return true;
	}
}
