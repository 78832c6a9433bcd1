import {
	BACKSLASH,
	CLASSES,
	CLOSE,
	COLON,
	COMMA,
	EQUALS,
	FIRST,
	HASH,
	isBlank,
	LATER,
	LINE_FEED,
	OPEN,
	QUOTE,
	SPACE,
} from './characters.ts';
import { ExpositionError } from './parse-error.ts';
import { parseNumber } from './parse-number.ts';
import { SeriesRanges } from './series-ranges.ts';

/** `text` is Prometheus 0.0.4, `openmetrics` is OpenMetrics 1.0 (and 0.0.1, which reads the same). */
export type ExpositionFormat = 'text' | 'openmetrics';

/** Takes what a parser reads, line by line. Ranges point into the text and are valid until the call returns. */
export interface ExpositionSink {
	/**
	 * A handle (0 or more) of the series that is written as `bytes[start .. end)`, its name with the braces, or -1. Labels of a series with
	 * a handle are not looked at again: the same bytes have been found valid before.
	 */
	findSeries(bytes: Uint8Array, start: number, end: number): number;
	/** A series without a handle, taken apart; returns its handle. `start` and `end` as above. */
	addSeries(series: SeriesRanges, start: number, end: number): number;
	/**
	 * A sample. `timestampMs` is NaN when the line has none. A NaN value carries no payload worth keeping: Prometheus stores
	 * 0x7ff8000000000001 for it.
	 */
	sample(series: number, value: number, timestampMs: number): void;
	/** A `HELP`, `TYPE` or `UNIT` line. */
	metadata(line: MetadataRange): void;
}

/** One metadata line: the family's name and the text behind it, still escaped. */
export class MetadataRange {
	kind: 'help' | 'type' | 'unit' = 'help';
	bytes: Uint8Array = new Uint8Array(0);
	nameStart = 0;
	nameEnd = 0;
	textStart = 0;
	textEnd = 0;
}

export interface ExpositionLimits {
	/** Default 1 MiB. */
	readonly maxLineBytes?: number;
	/** Labels of a series without its name. Default 1,000. */
	readonly maxLabels?: number;
	/** Default 2,000,000. */
	readonly maxSamples?: number;
}

/**
 * The format that a content type announces: OpenMetrics by name, everything else is read as text 0.0.4, as Prometheus 2 does for
 * exporters that announce nothing.
 */
export function expositionFormat(contentType: string | undefined): ExpositionFormat {
	return (contentType ?? '').split(';')[0]?.trim().toLowerCase() === 'application/openmetrics-text' ? 'openmetrics' : 'text';
}

const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'unknown', 'gaugehistogram', 'info', 'stateset']);

/**
 * Reads exposition text (https://prometheus.io/docs/instrumenting/exposition_formats/,
 * https://prometheus.io/docs/specs/om/open_metrics_spec/) in one pass over its bytes. A line of a series that the sink knows costs no
 * allocation. Exemplars are checked and left out; quoted metric and label names are refused. Reusable, not re-entrant.
 */
export class ExpositionParser {
	readonly #maxLineBytes: number;
	readonly #maxLabels: number;
	readonly #maxSamples: number;
	readonly #series = new SeriesRanges();
	readonly #metadata = new MetadataRange();
	#bytes: Uint8Array = EMPTY;
	#pos = 0;
	#line = 1;
	#strict = false;

	constructor(limits: ExpositionLimits = {}) {
		this.#maxLineBytes = limits.maxLineBytes ?? 1024 * 1024;
		this.#maxLabels = limits.maxLabels ?? 1000;
		this.#maxSamples = limits.maxSamples ?? 2_000_000;
	}

	/** Throws `ExpositionError` with the line; the sink has then seen what stands before it. */
	parse(bytes: Uint8Array, format: ExpositionFormat, sink: ExpositionSink): void {
		this.#bytes = bytes;
		this.#pos = 0;
		this.#line = 1;
		this.#strict = format === 'openmetrics';
		this.#series.bytes = bytes;
		this.#metadata.bytes = bytes;
		try {
			this.#lines(sink);
		} finally {
			this.#bytes = EMPTY;
			this.#series.bytes = EMPTY;
			this.#metadata.bytes = EMPTY;
		}
	}

	#lines(sink: ExpositionSink): void {
		const bytes = this.#bytes;
		const end = bytes.length;
		let samples = 0;
		let ended = false;
		while (this.#pos < end) {
			if (ended) this.#fail('there is more after # EOF');
			const start = this.#pos;
			if (!this.#strict) this.#skipBlanks();
			const byte = bytes[this.#pos];
			if (byte === HASH) ended = this.#comment(sink);
			else if (byte !== LINE_FEED && byte !== undefined) {
				if (++samples > this.#maxSamples) this.#fail(`there are more than ${this.#maxSamples} samples`);
				this.#sample(sink);
			} else if (this.#strict) this.#fail('OpenMetrics has no empty lines');
			if (this.#pos - start > this.#maxLineBytes) this.#fail(`the line is longer than ${this.#maxLineBytes} bytes`);
			if (this.#pos < end && bytes[this.#pos] !== LINE_FEED) this.#fail('the line should end here');
			this.#pos++;
			this.#line++;
		}
		if (this.#strict && !ended) this.#fail('# EOF is missing at the end, so the text may be cut off');
	}

	#sample(sink: ExpositionSink): void {
		const bytes = this.#bytes;
		const start = this.#pos;
		const nameEnd = this.#nameEnd(start, true);
		if (nameEnd === start) {
			const quoted = bytes[start] === OPEN || bytes[start] === QUOTE;
			this.#fail(quoted ? 'a metric name in quotes is not taken' : 'a metric name should begin here');
		}
		let open = nameEnd;
		if (!this.#strict) while (isBlank(bytes[open])) open++;
		const labelled = bytes[open] === OPEN;
		const seriesEnd = labelled ? this.#closingBrace(open) + 1 : nameEnd;
		let series = sink.findSeries(bytes, start, seriesEnd);
		if (series < 0) {
			this.#series.metricStart = start;
			this.#series.metricEnd = nameEnd;
			this.#series.count = 0;
			if (labelled) this.#labels(open, seriesEnd);
			series = sink.addSeries(this.#series, start, seriesEnd);
		}
		this.#pos = seriesEnd;
		this.#separator(labelled, 'a value');
		const value = this.#number();
		if (value === undefined) this.#fail('the value is not a number');
		sink.sample(series, value as number, this.#timestamp());
		if (this.#strict && bytes[this.#pos] === SPACE && bytes[this.#pos + 1] === HASH) this.#exemplar();
	}

	/** The time behind a value, NaN when there is none. */
	#timestamp(): number {
		const bytes = this.#bytes;
		if (this.#strict) {
			if (bytes[this.#pos] !== SPACE || bytes[this.#pos + 1] === HASH) return Number.NaN;
			this.#pos++;
			const seconds = this.#number();
			if (seconds === undefined || !Number.isFinite(seconds)) this.#fail('the time is not a number of seconds');
			return Math.round((seconds as number) * 1000);
		}
		this.#skipBlanks();
		if (this.#pos >= bytes.length || bytes[this.#pos] === LINE_FEED) return Number.NaN;
		const start = this.#pos;
		const ms = this.#number();
		for (let i = start; i < this.#pos; i++) {
			const byte = bytes[i] as number;
			if ((byte < 0x30 || byte > 0x39) && !(byte === 0x2d && i === start)) this.#fail('the time is not a whole number of milliseconds');
		}
		if (ms === undefined) this.#fail('the time is not a whole number of milliseconds');
		this.#skipBlanks();
		return ms as number;
	}

	/** ` # {labels} value [time]`, which is checked for its form only. */
	#exemplar(): void {
		const bytes = this.#bytes;
		if (bytes[this.#pos + 2] !== SPACE || bytes[this.#pos + 3] !== OPEN) this.#fail('an exemplar begins with # {');
		this.#pos = this.#closingBrace(this.#pos + 3) + 1;
		this.#separator(true, 'the value of the exemplar');
		if (this.#number() === undefined) this.#fail('the value of the exemplar is not a number');
		if (bytes[this.#pos] !== SPACE) return;
		this.#pos++;
		if (this.#number() === undefined) this.#fail('the time of the exemplar is not a number');
	}

	/** The number from here to the next blank or line end, which `pos` moves to. */
	#number(): number | undefined {
		const bytes = this.#bytes;
		const start = this.#pos;
		let end = start;
		while (end < bytes.length && bytes[end] !== LINE_FEED && !isBlank(bytes[end])) end++;
		this.#pos = end;
		return end === start ? undefined : parseNumber(bytes, start, end);
	}

	#labels(open: number, seriesEnd: number): void {
		const bytes = this.#bytes;
		const series = this.#series;
		const close = seriesEnd - 1;
		this.#pos = open + 1;
		for (;;) {
			if (!this.#strict) this.#skipBlanks();
			if (this.#pos === close) return;
			const nameStart = this.#pos;
			const nameEnd = this.#nameEnd(nameStart, false);
			if (nameEnd === nameStart)
				this.#fail(bytes[nameStart] === QUOTE ? 'a name in quotes is not taken' : 'a label name should begin here');
			this.#pos = nameEnd;
			if (!this.#strict) this.#skipBlanks();
			if (bytes[this.#pos] !== EQUALS) this.#fail('a label name should be followed by =');
			this.#pos++;
			if (!this.#strict) this.#skipBlanks();
			if (bytes[this.#pos] !== QUOTE) this.#fail('a label value should begin with "');
			if (series.count === this.#maxLabels) this.#fail(`the series has more than ${this.#maxLabels} labels`);
			this.#checkUnique(nameStart, nameEnd);
			series.addLabel(nameStart, nameEnd);
			this.#labelValue(close);
			if (!this.#strict) this.#skipBlanks();
			if (this.#pos === close) return;
			if (bytes[this.#pos] !== COMMA) this.#fail('labels should be separated by a comma');
			this.#pos++;
		}
	}

	#labelValue(close: number): void {
		const bytes = this.#bytes;
		const series = this.#series;
		const index = series.count - 1;
		let pos = this.#pos + 1;
		series.valueStart[index] = pos;
		for (; pos < close && bytes[pos] !== QUOTE; pos++) {
			if (bytes[pos] !== BACKSLASH) continue;
			series.escaped[index] = 1;
			pos++;
		}
		series.valueEnd[index] = pos;
		this.#pos = pos + 1;
	}

	#checkUnique(start: number, end: number): void {
		const { count, nameStart, nameEnd } = this.#series;
		for (let i = 0; i < count; i++) {
			const from = nameStart[i] as number;
			if ((nameEnd[i] as number) - from === end - start && this.#same(from, start, end - start)) this.#fail('a label name stands twice');
		}
		if (end - start === METRIC_LABEL.length && METRIC_LABEL.every((byte, i) => byte === this.#bytes[start + i])) {
			this.#fail('the label __name__ stands beside a metric name');
		}
	}

	#same(a: number, b: number, length: number): boolean {
		for (let i = 0; i < length; i++) if (this.#bytes[a + i] !== this.#bytes[b + i]) return false;
		return true;
	}

	/** Where the brace closes that opens at `open`; braces in quotes do not count. */
	#closingBrace(open: number): number {
		const bytes = this.#bytes;
		const end = bytes.length;
		let quoted = false;
		for (let pos = open + 1; pos < end; pos++) {
			const byte = bytes[pos] as number;
			if (byte === QUOTE) quoted = !quoted;
			else if (byte === LINE_FEED) break;
			else if (quoted) {
				// A line feed is refused also behind a backslash, or lines would be counted wrong.
				if (byte === BACKSLASH && bytes[pos + 1] !== LINE_FEED) pos++;
			} else if (byte === CLOSE) return pos;
		}
		return this.#fail(quoted ? 'a label value does not end' : 'the labels do not end');
	}

	/** Reads a comment line and returns whether it was `# EOF`. */
	#comment(sink: ExpositionSink): boolean {
		const bytes = this.#bytes;
		const lineEnd = this.#lineEnd();
		let pos = this.#pos + 1;
		if (isBlank(bytes[pos])) {
			if (this.#strict) pos++;
			else while (isBlank(bytes[pos])) pos++;
			const line = this.#metadata;
			if (this.#strict && lineEnd - pos === 3 && this.#word(pos, EOF_WORD)) {
				this.#pos = lineEnd;
				return true;
			}
			const kind = this.#word(pos, HELP_WORD)
				? 'help'
				: this.#word(pos, TYPE_WORD)
					? 'type'
					: this.#strict && this.#word(pos, UNIT_WORD)
						? 'unit'
						: null;
			if (kind !== null && isBlank(bytes[pos + 4])) {
				line.kind = kind;
				this.#metadataLine(pos + 4, lineEnd);
				sink.metadata(line);
				this.#pos = lineEnd;
				return false;
			}
		}
		if (this.#strict) this.#fail('OpenMetrics has no comments but HELP, TYPE, UNIT and EOF');
		this.#pos = lineEnd;
		return false;
	}

	#metadataLine(start: number, lineEnd: number): void {
		const bytes = this.#bytes;
		const line = this.#metadata;
		let pos = start;
		while (isBlank(bytes[pos])) pos++;
		line.nameStart = pos;
		pos = this.#nameEnd(pos, true);
		if (pos === line.nameStart) this.#fail('a metric name should stand here');
		line.nameEnd = pos;
		if (pos < lineEnd && !isBlank(bytes[pos])) this.#fail('a metric name has a character that is not allowed');
		while (pos < lineEnd && isBlank(bytes[pos])) pos++;
		line.textStart = pos;
		line.textEnd = lineEnd;
		if (line.kind === 'type') {
			const type = metadataText(line);
			if (!TYPES.has(type) && (this.#strict || type !== 'untyped')) this.#fail('the type is not known');
		}
		if (line.kind === 'unit' && line.textEnd > line.textStart) {
			const length = line.textEnd - line.textStart;
			const from = line.nameEnd - length;
			if (from - 1 <= line.nameStart || bytes[from - 1] !== 0x5f || !this.#same(from, line.textStart, length)) {
				this.#fail('the name of a metric with a unit ends with _ and the unit');
			}
		}
	}

	#nameEnd(start: number, colons: boolean): number {
		const bytes = this.#bytes;
		const extra = colons ? COLON : 0;
		if (((CLASSES[bytes[start] as number] ?? 0) & (FIRST | extra)) === 0) return start;
		let pos = start + 1;
		while (((CLASSES[bytes[pos] as number] ?? 0) & (LATER | extra)) !== 0) pos++;
		return pos;
	}

	#separator(optional: boolean, what: string): void {
		const bytes = this.#bytes;
		if (this.#strict) {
			if (bytes[this.#pos] !== SPACE) this.#fail(`${what} should follow after one space`);
			this.#pos++;
			return;
		}
		const start = this.#pos;
		this.#skipBlanks();
		if (this.#pos >= bytes.length || bytes[this.#pos] === LINE_FEED) this.#fail(`${what} is missing`);
		if (this.#pos === start && !optional) this.#fail('a metric name has a character that is not allowed');
	}

	#skipBlanks(): void {
		while (isBlank(this.#bytes[this.#pos])) this.#pos++;
	}

	#lineEnd(): number {
		const end = this.#bytes.indexOf(LINE_FEED, this.#pos);
		return end < 0 ? this.#bytes.length : end;
	}

	#word(pos: number, word: Uint8Array): boolean {
		for (let i = 0; i < word.length; i++) if (this.#bytes[pos + i] !== word[i]) return false;
		return true;
	}

	#fail(message: string): never {
		throw new ExpositionError(message, this.#line);
	}
}

const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();
const METRIC_LABEL = encoder.encode('__name__');
const HELP_WORD = encoder.encode('HELP');
const TYPE_WORD = encoder.encode('TYPE');
const UNIT_WORD = encoder.encode('UNIT');
const EOF_WORD = encoder.encode('EOF');
const decoder = new TextDecoder();

/** The text of a metadata line as written; bytes that are not UTF-8 are replaced, because a comment is not worth failing for. */
export function metadataText(line: MetadataRange): string {
	return decoder.decode(line.bytes.subarray(line.textStart, line.textEnd));
}

/** The family's name on a metadata line. */
export function metadataName(line: MetadataRange): string {
	return decoder.decode(line.bytes.subarray(line.nameStart, line.nameEnd));
}
