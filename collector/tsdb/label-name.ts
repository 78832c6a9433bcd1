/** A label name as bytes, to be compared with label bytes without making a string. */
export class LabelName {
	readonly #bytes: Uint8Array;

	constructor(name: string) {
		this.#bytes = new TextEncoder().encode(name);
	}

	is(bytes: Uint8Array, start: number, end: number): boolean {
		const own = this.#bytes;
		if (end - start !== own.length) return false;
		for (let i = 0; i < own.length; i++) if (bytes[start + i] !== own[i]) return false;
		return true;
	}
}
