import { BACKSLASH, LINE_FEED, QUOTE } from './characters.ts';

/**
 * Where the parts of one series lie in the text. One object per parser, filled again for every new series, so that a consumer
 * that wants bytes never pays for strings. Label `i` is `bytes[nameStart[i] .. nameEnd[i])`, its value what stands between the
 * quotes; the metric's name is not among the labels. Names are valid and unique, values may be empty.
 */
export class SeriesRanges {
	bytes: Uint8Array = new Uint8Array(0);
	metricStart = 0;
	metricEnd = 0;
	count = 0;
	nameStart = new Int32Array(64);
	nameEnd = new Int32Array(64);
	valueStart = new Int32Array(64);
	valueEnd = new Int32Array(64);
	/** 1 where the value has backslashes. */
	escaped = new Uint8Array(64);

	addLabel(nameStart: number, nameEnd: number): void {
		if (this.count === this.nameStart.length) this.#grow();
		this.nameStart[this.count] = nameStart;
		this.nameEnd[this.count] = nameEnd;
		this.escaped[this.count] = 0;
		this.count++;
	}

	metricName(): string {
		return asciiText(this.bytes, this.metricStart, this.metricEnd);
	}

	labelName(index: number): string {
		return asciiText(this.bytes, this.nameStart[index] as number, this.nameEnd[index] as number);
	}

	/** The unescaped value of a label; throws `TypeError` when it is not UTF-8. */
	labelValue(index: number): string {
		const text = utf8.decode(this.bytes.subarray(this.valueStart[index] as number, this.valueEnd[index] as number));
		return this.escaped[index] === 1 ? unescapeText(text, true) : text;
	}

	/**
	 * The unescaped bytes of a label's value: a view of the text where nothing is escaped, otherwise written to `scratch`, which must
	 * have room for the escaped length.
	 */
	labelValueBytes(index: number, scratch: Uint8Array): Uint8Array {
		const start = this.valueStart[index] as number;
		const end = this.valueEnd[index] as number;
		if (this.escaped[index] !== 1) return this.bytes.subarray(start, end);
		let length = 0;
		for (let i = start; i < end; i++) {
			const byte = this.bytes[i] as number;
			const next = i + 1 < end ? this.bytes[i + 1] : undefined;
			if (byte === BACKSLASH && (next === BACKSLASH || next === QUOTE || next === LETTER_N)) {
				scratch[length++] = next === LETTER_N ? LINE_FEED : next;
				i++;
			} else scratch[length++] = byte;
		}
		return scratch.subarray(0, length);
	}

	#grow(): void {
		const length = this.nameStart.length * 2;
		const larger = (from: Int32Array) => {
			const to = new Int32Array(length);
			to.set(from);
			return to;
		};
		this.nameStart = larger(this.nameStart);
		this.nameEnd = larger(this.nameEnd);
		this.valueStart = larger(this.valueStart);
		this.valueEnd = larger(this.valueEnd);
		const escaped = new Uint8Array(length);
		escaped.set(this.escaped);
		this.escaped = escaped;
	}
}

const LETTER_N = 0x6e;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function asciiText(bytes: Uint8Array, start: number, end: number): string {
	let text = '';
	for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] as number);
	return text;
}

/** `\\`, `\n` and, where quotes are escaped, `\"`; any other backslash stands for itself, as Prometheus reads it. */
export function unescapeText(text: string, quotes: boolean): string {
	return text.replace(quotes ? /\\([\\n"])/g : /\\([\\n])/g, (_, char: string) => (char === 'n' ? '\n' : char));
}
