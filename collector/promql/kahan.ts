/**
 * Kahan summation as improved by Neumaier: `sum + compensation` is the total. One mutable cell, because returning pairs
 * would allocate per sample.
 */
export class KahanSum {
	sum = 0;
	compensation = 0;

	reset(): void {
		this.sum = 0;
		this.compensation = 0;
	}

	add(value: number): void {
		const total = this.sum + value;
		if (total === Number.POSITIVE_INFINITY || total === Number.NEGATIVE_INFINITY) this.compensation = 0;
		else if (Math.abs(this.sum) >= Math.abs(value)) this.compensation += this.sum - total + value;
		else this.compensation += value - total + this.sum;
		this.sum = total;
	}

	get total(): number {
		return this.sum + this.compensation;
	}
}

/** Mean that sums as long as the sum is finite and goes on incrementally when it is not, as Prometheus 3 does. */
export class StableMean {
	readonly #kahan = new KahanSum();
	#count = 0;
	#incremental = false;

	reset(): void {
		this.#kahan.reset();
		this.#count = 0;
		this.#incremental = false;
	}

	/** Goes on where somebody else has summed up `count` finite values. */
	resume(sum: number, compensation: number, count: number): void {
		this.#kahan.sum = sum;
		this.#kahan.compensation = compensation;
		this.#count = count;
		this.#incremental = false;
	}

	add(value: number): void {
		const kahan = this.#kahan;
		this.#count += 1;
		if (!this.#incremental) {
			const { sum, compensation } = kahan;
			kahan.add(value);
			if (this.#count === 1 || (kahan.sum !== Number.POSITIVE_INFINITY && kahan.sum !== Number.NEGATIVE_INFINITY)) return;
			this.#incremental = true;
			kahan.sum = sum / (this.#count - 1);
			kahan.compensation = compensation / (this.#count - 1);
		}
		const mean = kahan.sum;
		if (mean === Number.POSITIVE_INFINITY || mean === Number.NEGATIVE_INFINITY) {
			// Infinity stays what it is unless the opposite infinity or NaN arrives.
			if (value === mean || Number.isFinite(value)) return;
		}
		kahan.add(value / this.#count - kahan.total / this.#count);
	}

	get mean(): number {
		return this.#incremental ? this.#kahan.total : this.#kahan.total / this.#count;
	}
}
