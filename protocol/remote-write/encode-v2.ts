import { int64Size, ProtoWriter, varintSize } from './proto-writer.ts';
import { METRIC_TYPE_NUMBERS, type WriteSeries } from './write-series.ts';

export const REMOTE_WRITE_V2_CONTENT_TYPE = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';

export interface EncodeV2Options {
	/** Whether type, help and unit are written, which are a third of a request; may be asked of each series. Default true. */
	readonly metadata?: boolean | ((series: WriteSeries) => boolean);
	/** Told of each sample where its value (8 bytes) and its time (a varint) lie. */
	readonly onSample?: (valueAt: number, timeAt: number) => void;
}

/**
 * `io.prometheus.write.v2.Request` (Remote Write 2.0), uncompressed; the sender wraps it in a snappy block. Symbols are
 * field 4 and begin with `""`, series are field 5; symbols come first so that a receiver can decode in one pass.
 */
export function encodeRemoteWriteV2(seriesList: readonly WriteSeries[], options: EncodeV2Options = {}): Uint8Array<ArrayBuffer> {
	const { metadata = true, onSample } = options;
	const at: number[] | null = onSample === undefined ? null : [];
	const symbols = new Map<string, number>([['', 0]]);
	const refOf = (text: string): number => {
		const known = symbols.get(text);
		if (known !== undefined) return known;
		const ref = symbols.size;
		symbols.set(text, ref);
		return ref;
	};
	// Symbols stand before the series that refer to them, but are known only after them: the series wait in a writer of their own.
	const body = new ProtoWriter(1024 + seriesList.length * 64);
	let refs = new Uint32Array(64);
	for (const series of seriesList) {
		const { labels } = series;
		if (labels.length > refs.length) refs = new Uint32Array(labels.length * 2);
		let refsSize = 0;
		for (let i = 0; i < labels.length; i++) {
			const ref = refOf(labels[i] as string);
			refs[i] = ref;
			refsSize += varintSize(ref);
		}
		const described = typeof metadata === 'boolean' ? metadata : metadata(series);
		const help = described ? refOf(series.help ?? '') : 0;
		const unit = described ? refOf(series.unit ?? '') : 0;
		const type = described ? METRIC_TYPE_NUMBERS[series.type ?? 'unknown'] : 0;
		writeSeries(body, series, refs, { refsSize, type, help, unit, valueAt: at });
	}
	const writer = new ProtoWriter(1024 + symbols.size * 32 + body.finish().length);
	for (const symbol of symbols.keys()) writer.text(4, symbol);
	const start = writer.length;
	writer.append(body);
	// Behind the value stands the tag of the time.
	for (const valueAt of at ?? []) onSample?.(start + valueAt, start + valueAt + 9);
	return writer.finish();
}

interface SeriesFields {
	readonly refsSize: number;
	readonly type: number;
	readonly help: number;
	readonly unit: number;
	/** Takes where the values lie. */
	readonly valueAt: number[] | null;
}

function writeSeries(
	writer: ProtoWriter,
	{ labels, samples }: WriteSeries,
	refs: Uint32Array,
	{ refsSize, type, help, unit, valueAt }: SeriesFields,
): void {
	let size = 1 + varintSize(refsSize) + refsSize;
	for (const sample of samples) {
		const sampleSize = 10 + int64Size(sample.timestampMs);
		size += 1 + varintSize(sampleSize) + sampleSize;
	}
	const metadataSize = fieldSize(type) + fieldSize(help) + fieldSize(unit);
	if (metadataSize > 0) size += 1 + varintSize(metadataSize) + metadataSize;
	writer.open(5, size);
	writer.open(1, refsSize);
	for (let i = 0; i < labels.length; i++) writer.varint(refs[i] as number);
	for (const sample of samples) {
		writer.open(2, 10 + int64Size(sample.timestampMs));
		if (sample.stale === true) writer.staleDouble(1);
		else writer.double(1, sample.value);
		valueAt?.push(writer.length - 8);
		writer.int64(2, sample.timestampMs);
	}
	if (metadataSize > 0) {
		writer.open(5, metadataSize);
		if (type !== 0) writer.uint(1, type);
		if (help !== 0) writer.uint(3, help);
		if (unit !== 0) writer.uint(4, unit);
	}
}

/** Proto3 leaves out fields that hold their default. */
function fieldSize(value: number): number {
	return value === 0 ? 0 : 1 + varintSize(value);
}
