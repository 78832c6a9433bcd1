import { int64Size, ProtoWriter, varintSize } from './proto-writer.ts';
import { METRIC_TYPE_NUMBERS, type WriteSeries } from './write-series.ts';

export const REMOTE_WRITE_V2_CONTENT_TYPE = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';

/**
 * `io.prometheus.write.v2.Request` (Remote Write 2.0), uncompressed; the sender wraps it in a snappy block. Symbols are
 * field 4 and begin with `""`, series are field 5; symbols come first so that a receiver can decode in one pass.
 */
export function encodeRemoteWriteV2(seriesList: readonly WriteSeries[]): Uint8Array<ArrayBuffer> {
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
		writeSeries(body, series, refs, { refsSize, help: refOf(series.help ?? ''), unit: refOf(series.unit ?? '') });
	}
	const writer = new ProtoWriter(1024 + symbols.size * 32 + body.finish().length);
	for (const symbol of symbols.keys()) writer.text(4, symbol);
	writer.append(body);
	return writer.finish();
}

function writeSeries(
	writer: ProtoWriter,
	{ labels, samples, type: typeName }: WriteSeries,
	refs: Uint32Array,
	{ refsSize, help, unit }: { readonly refsSize: number; readonly help: number; readonly unit: number },
): void {
	const type = METRIC_TYPE_NUMBERS[typeName ?? 'unknown'];
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
