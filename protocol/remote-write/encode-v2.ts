import { int64Size, ProtoWriter, varintSize } from './proto-writer.ts';
import { METRIC_TYPE_NUMBERS, type WriteSample, type WriteSeries } from './write-series.ts';

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
	const labelRefs = seriesList.map((series) => series.labels.map(refOf));
	const metadata = seriesList.map((series) => ({
		type: METRIC_TYPE_NUMBERS[series.type ?? 'unknown'],
		help: refOf(series.help ?? ''),
		unit: refOf(series.unit ?? ''),
	}));
	const writer = new ProtoWriter(1024 + seriesList.length * 64);
	for (const symbol of symbols.keys()) writer.text(4, symbol);
	seriesList.forEach((series, i) => {
		writeSeries(writer, series.samples, labelRefs[i] ?? [], metadata[i] ?? { type: 0, help: 0, unit: 0 });
	});
	return writer.finish();
}

interface MetadataRefs {
	readonly type: number;
	readonly help: number;
	readonly unit: number;
}

function writeSeries(writer: ProtoWriter, samples: readonly WriteSample[], refs: readonly number[], metadata: MetadataRefs): void {
	let refsSize = 0;
	for (const ref of refs) refsSize += varintSize(ref);
	let size = 1 + varintSize(refsSize) + refsSize;
	for (const sample of samples) {
		const sampleSize = 10 + int64Size(sample.timestampMs);
		size += 1 + varintSize(sampleSize) + sampleSize;
	}
	const metadataSize = fieldSize(metadata.type) + fieldSize(metadata.help) + fieldSize(metadata.unit);
	if (metadataSize > 0) size += 1 + varintSize(metadataSize) + metadataSize;
	writer.open(5, size);
	writer.open(1, refsSize);
	for (const ref of refs) writer.varint(ref);
	for (const sample of samples) {
		writer.open(2, 10 + int64Size(sample.timestampMs));
		if (sample.stale === true) writer.staleDouble(1);
		else writer.double(1, sample.value);
		writer.int64(2, sample.timestampMs);
	}
	if (metadataSize > 0) {
		writer.open(5, metadataSize);
		if (metadata.type !== 0) writer.uint(1, metadata.type);
		if (metadata.help !== 0) writer.uint(3, metadata.help);
		if (metadata.unit !== 0) writer.uint(4, metadata.unit);
	}
}

/** Proto3 leaves out fields that hold their default. */
function fieldSize(value: number): number {
	return value === 0 ? 0 : 1 + varintSize(value);
}
