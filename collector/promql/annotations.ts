/** Warnings and infos of one evaluation, each once, in order of appearance, with a bound like Prometheus' own answer has. */
export class Annotations {
	readonly #warnings = new Set<string>();
	readonly #infos = new Set<string>();

	/** `message` ends with the position in the query, `(1:5)`. */
	warn(message: string): void {
		if (this.#warnings.size < 10) this.#warnings.add(`PromQL warning: ${message}`);
	}

	info(message: string): void {
		if (this.#infos.size < 10) this.#infos.add(`PromQL info: ${message}`);
	}

	get warnings(): readonly string[] {
		return [...this.#warnings];
	}

	get infos(): readonly string[] {
		return [...this.#infos];
	}
}
