import { isBlank, LINE_FEED } from '../../protocol/exposition/characters.ts';
import { parseNumber } from '../../protocol/exposition/parse-number.ts';
import {
	type ExpositionRead,
	type ExpositionReadOptions,
	type PagePlaces,
	readExposition,
	readExpositionPlaces,
} from './exposition-families.ts';

/** A page beyond this is read in full each time, because its text would be kept. */
const LARGEST_KEPT_BYTES = 4 * 1024 * 1024;

interface KeptPage {
	readonly options: ExpositionReadOptions;
	readonly text: Buffer;
	/** Where each value begins and ends in `text`. */
	readonly starts: Int32Array;
	readonly ends: Int32Array;
	readonly places: PagePlaces;
	readonly read: ExpositionRead;
}

/**
 * The page of one exporter from read to read. Exporters repeat their page letter for letter but for the values, so what stands between two
 * values is compared as a whole, and only the values are read (bench/uplink.ts). Anything else is read from the beginning.
 */
export class ExpositionPage {
	#kept: KeptPage | null = null;

	/**
	 * As `readExposition`. While the page keeps its form, the answer and everything in it are the same objects with new values, good until the
	 * next call.
	 */
	read(bytes: Buffer, options: ExpositionReadOptions): ExpositionRead {
		const kept = this.#kept;
		if (kept !== null && sameReading(kept.options, options) && readValues(kept, bytes)) return kept.read;
		this.#kept = null;
		if (bytes.length > LARGEST_KEPT_BYTES) return readExposition(bytes, options);
		const { read, places } = readExpositionPlaces(bytes, options);
		const ranges = places.timed ? null : valueRanges(bytes, places.seriesEnds);
		if (ranges !== null) this.#kept = { options, text: bytes, ...ranges, places, read };
		return read;
	}
}

function sameReading(a: ExpositionReadOptions, b: ExpositionReadOptions): boolean {
	return (
		a.format === b.format &&
		a.maxSamples === b.maxSamples &&
		a.keep === b.keep &&
		a.reserved === b.reserved &&
		a.refuseTimes === b.refuseTimes
	);
}

/** `null` where something follows a value on its line, an exemplar or blanks. */
function valueRanges(bytes: Buffer, seriesEnds: readonly number[]): { readonly starts: Int32Array; readonly ends: Int32Array } | null {
	const starts = Int32Array.from(seriesEnds);
	const ends = new Int32Array(starts.length);
	for (let i = 0; i < starts.length; i++) {
		let at = starts[i] as number;
		while (isBlank(bytes[at])) at++;
		starts[i] = at;
		while (at < bytes.length && bytes[at] !== LINE_FEED) if (isBlank(bytes[at++])) return null;
		ends[i] = at;
	}
	return { starts, ends };
}

/** Whether the page has kept its form; then its values are read. */
function readValues({ text, starts, ends, places }: KeptPage, bytes: Buffer): boolean {
	const { measurements } = places;
	let from = 0;
	let at = 0;
	for (let i = 0; i < starts.length; i++) {
		const length = (starts[i] as number) - from;
		if (at + length > bytes.length || text.compare(bytes, at, at + length, from, from + length) !== 0) return false;
		at += length;
		let end = at;
		while (end < bytes.length && bytes[end] !== LINE_FEED) end++;
		const value = end === at ? undefined : parseNumber(bytes, at, end);
		// A blank in it, the time of an exporter that began to tell one, makes it no number.
		if (value === undefined) return false;
		const measurement = measurements[i];
		if (measurement !== null && measurement !== undefined) measurement.value = value;
		from = ends[i] as number;
		at = end;
	}
	return text.compare(bytes, at, bytes.length, from, text.length) === 0;
}
