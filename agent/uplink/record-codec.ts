import { compress, uncompress } from 'snappyjs';
import { AppError, errorText } from '../../core/errors.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { MetricType } from '../../protocol/metric-type.ts';
import { decodeWriteV2 } from '../../protocol/remote-write/decode-v2.ts';
import { encodeRemoteWriteV2 } from '../../protocol/remote-write/encode-v2.ts';
import { WriteColumns } from '../../protocol/remote-write/write-columns.ts';
import { METRIC_TYPE_NUMBERS, type WriteSample, type WriteSeries } from '../../protocol/remote-write/write-series.ts';
import { PatchedBlock } from './patched-block.ts';

/** A batch as the spool keeps it and as a receiver takes it: a remote write 2 request as a snappy block. */
export interface EncodedBatch {
	readonly block: Uint8Array;
	readonly samples: number;
}

/** How often type, help and unit go along. A receiver that was replaced meanwhile misses them for so long. */
const METADATA_EVERY_MS = 600_000;
const MAX_LABEL_BYTES = 64 * 1024 * 1024;
const STALE_LOW = 0x00000002;
const STALE_HIGH = 0x7ff00000;
/** From 1971 to 2109 a time in milliseconds takes six bytes as a varint. */
const TIME_BYTES = 6;
const FIRST_TIME_MS = 2 ** 35;
const LAST_TIME_MS = 2 ** 42;

/** Samples in `seriesList`. */
export function countSamples(seriesList: readonly WriteSeries[]): number {
	let count = 0;
	for (const series of seriesList) count += series.samples.length;
	return count;
}

/** Encodes batches of any kind, with all metadata unless `describe` says of which series. */
export function encodeBatch(seriesList: readonly WriteSeries[], describe?: (series: WriteSeries) => boolean): EncodedBatch {
	return { block: compress(encodeRemoteWriteV2(seriesList, { metadata: describe ?? true })), samples: countSamples(seriesList) };
}

interface Template {
	/** The label arrays of the batch, which are the same objects from round to round. */
	readonly labels: readonly Labels[];
	/** When the metadata was said that was said longest ago. */
	metadataAtMs: number;
	/** How often the batch came. */
	uses: number;
	body: Body | null;
}

/** A request without metadata, and where its values and times lie. */
interface Body {
	readonly bytes: Uint8Array;
	readonly view: DataView;
	readonly valueAt: Uint32Array;
	readonly timeAt: Uint32Array;
	block: PatchedBlock | null;
}

/** Batches that begin with the same series: what is read at the same time goes together, but not everything is quick each time. */
const REMEMBERED_BATCHES = 4;
/** A batch that came so often comes again, so that taking its request apart pays. */
const LASTING_USES = 5;
/** Of a longer request that would hold the process up. */
const LARGEST_PATCHED_BYTES = 512 * 1024;

/**
 * Encodes the batches of sources that measure the same series round by round. Of such a batch only values and times change, so its request
 * is kept and patched: no text is looked at, and nothing is allocated per sample. Metadata goes along the first time and every ten minutes.
 */
export class RecordEncoder {
	/** By the labels of the first series, the last used one first. */
	readonly #templates = new WeakMap<Labels, Template[]>();
	/** When the metadata of a series was last written. */
	readonly #described = new WeakMap<Labels, number>();

	encode(seriesList: readonly WriteSeries[], nowMs: number): EncodedBatch {
		const first = seriesList[0];
		if (first === undefined) return encodeBatch(seriesList);
		const known = this.#templates.get(first.labels) ?? [];
		if (known.length === 0) this.#templates.set(first.labels, known);
		const index = known.findIndex((candidate) => fits(candidate, seriesList));
		const template = known[index];
		if (template === undefined) return this.#first(known, seriesList, nowMs);
		if (index > 0) {
			known.splice(index, 1);
			known.unshift(template);
		}
		template.uses++;
		if (isDue(template.metadataAtMs, nowMs)) {
			template.metadataAtMs = nowMs;
			for (const { labels } of seriesList) this.#described.set(labels, nowMs);
			return encodeBatch(seriesList);
		}
		template.body ??= makeBody(seriesList);
		return { block: compressBody(template.body, seriesList, template.uses), samples: seriesList.length };
	}

	/** Describes the series that were not described lately. */
	#first(known: Template[], seriesList: readonly WriteSeries[], nowMs: number): EncodedBatch {
		let metadataAtMs = nowMs;
		const due = new Set<Labels>();
		for (const { labels } of seriesList) {
			const saidMs = this.#described.get(labels);
			if (saidMs === undefined || isDue(saidMs, nowMs)) {
				due.add(labels);
				this.#described.set(labels, nowMs);
			} else metadataAtMs = Math.min(metadataAtMs, saidMs);
		}
		known.unshift({ labels: seriesList.map(({ labels }) => labels), metadataAtMs, uses: 1, body: null });
		known.length = Math.min(known.length, REMEMBERED_BATCHES);
		return encodeBatch(seriesList, ({ labels }) => due.has(labels));
	}
}

/** Either way, because a clock may be set back. */
function isDue(saidMs: number, nowMs: number): boolean {
	return Math.abs(nowMs - saidMs) >= METADATA_EVERY_MS;
}

function compressBody(body: Body, seriesList: readonly WriteSeries[], uses: number): Uint8Array {
	const { bytes, view, valueAt, timeAt } = body;
	for (let i = 0; i < seriesList.length; i++) {
		const { timestampMs, value, stale } = (seriesList[i] as WriteSeries).samples[0] as WriteSample;
		const at = valueAt[i] as number;
		if (stale === true) {
			view.setUint32(at, STALE_LOW, true);
			view.setUint32(at + 4, STALE_HIGH, true);
		} else view.setFloat64(at, value, true);
		writeTime(bytes, timeAt[i] as number, timestampMs);
	}
	if (body.block === null && uses >= LASTING_USES && bytes.length <= LARGEST_PATCHED_BYTES)
		body.block = new PatchedBlock(bytes, { valueAt, timeAt });
	return body.block?.compress() ?? compress(bytes);
}

function fits({ labels }: Template, seriesList: readonly WriteSeries[]): boolean {
	if (labels.length !== seriesList.length) return false;
	for (let i = 0; i < seriesList.length; i++) {
		const { labels: own, samples } = seriesList[i] as WriteSeries;
		if (own !== labels[i] || samples.length !== 1) return false;
		const { timestampMs } = samples[0] as WriteSample;
		if (timestampMs < FIRST_TIME_MS || timestampMs >= LAST_TIME_MS) return false;
	}
	return true;
}

function makeBody(seriesList: readonly WriteSeries[]): Body {
	const valueAt: number[] = [];
	const timeAt: number[] = [];
	const encoded = encodeRemoteWriteV2(seriesList, {
		metadata: false,
		onSample: (value, time) => {
			valueAt.push(value);
			timeAt.push(time);
		},
	});
	const bytes = new Uint8Array(encoded);
	return { bytes, view: new DataView(bytes.buffer), valueAt: Uint32Array.from(valueAt), timeAt: Uint32Array.from(timeAt), block: null };
}

function writeTime(bytes: Uint8Array, at: number, timeMs: number): void {
	// Two halves, because the bit operators take 32 bits.
	const low = timeMs % 0x200000;
	const high = Math.floor(timeMs / 0x200000);
	bytes[at] = (low & 0x7f) | 0x80;
	bytes[at + 1] = ((low >> 7) & 0x7f) | 0x80;
	bytes[at + 2] = (low >> 14) | 0x80;
	bytes[at + 3] = (high & 0x7f) | 0x80;
	bytes[at + 4] = ((high >> 7) & 0x7f) | 0x80;
	bytes[at + TIME_BYTES - 1] = high >> 14;
}

/** Takes a batch apart again. Throws `FN_AGENT_SPOOL_CORRUPT` on bytes that no encoder here wrote. */
export function decodeBatch(block: Uint8Array): WriteSeries[] {
	const columns = new WriteColumns();
	try {
		decodeWriteV2(new Uint8Array(uncompress(block)), columns, { maxLabelBytes: MAX_LABEL_BYTES });
	} catch (error) {
		throw new AppError('FN_AGENT_SPOOL_CORRUPT', `a spool record cannot be read and is skipped: ${errorText(error)}`);
	}
	const metadata = new Map(columns.metadata.map((entry) => [entry.metric, entry]));
	const seriesList: WriteSeries[] = [];
	let sample = 0;
	for (let i = 0; i < columns.seriesCount; i++) {
		const { labels, metric } = readLabels(columns.labelBytes, columns.labelStart[i] as number, columns.labelEnd[i] as number);
		const samples: WriteSample[] = [];
		for (; sample < (columns.sampleEnd[i] as number); sample++) samples.push(readSample(columns, sample));
		const said = metadata.get(metric);
		seriesList.push({ labels, samples, ...(said === undefined ? {} : { type: metricType(said.type), help: said.help, unit: said.unit }) });
	}
	return seriesList;
}

function readSample(columns: WriteColumns, index: number): WriteSample {
	const timestampMs = columns.timestamps[index] as number;
	const stale = columns.valueWords[index * 2] === STALE_LOW && columns.valueWords[index * 2 + 1] === STALE_HIGH;
	return stale ? { timestampMs, value: Number.NaN, stale } : { timestampMs, value: columns.values[index] as number };
}

const text = new TextDecoder();

/** `0a len (0a nameLen name 12 valueLen value)` per label. */
function readLabels(bytes: Uint8Array, start: number, end: number): { readonly labels: Labels; readonly metric: string } {
	const labels: string[] = [];
	let metric = '';
	let at = start;
	const length = () => {
		let value = 0;
		for (let shift = 0; ; shift += 7) {
			const byte = bytes[at++] as number;
			value |= (byte & 0x7f) << shift;
			if (byte < 0x80) return value;
		}
	};
	const part = () => {
		at++;
		const size = length();
		at += size;
		return text.decode(bytes.subarray(at - size, at));
	};
	while (at < end) {
		at++;
		length();
		const name = part();
		const value = part();
		labels.push(name, value);
		if (name === '__name__') metric = value;
	}
	return { labels, metric };
}

function metricType(name: string): MetricType {
	return name in METRIC_TYPE_NUMBERS ? (name as MetricType) : 'unknown';
}
