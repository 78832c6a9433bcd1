import { METRIC_NAME } from '../labels.ts';
import { int64Size, ProtoWriter, varintSize } from './proto-writer.ts';
import { METRIC_TYPE_NUMBERS, type WriteSeries } from './write-series.ts';

export const REMOTE_WRITE_V1_CONTENT_TYPE = 'application/x-protobuf';

const encoder = new TextEncoder();

/**
 * `prometheus.WriteRequest` (Remote Write 1.0), uncompressed; the sender wraps it in a snappy block. Metadata is one
 * entry per metric name, of the first series that carries a type or a help text.
 */
export function encodeRemoteWriteV1(seriesList: readonly WriteSeries[]): Uint8Array<ArrayBuffer> {
	const writer = new ProtoWriter(1024 + seriesList.length * 192);
	// A name or value repeats in nearly every series, so each is turned into bytes once.
	const encoded = new Map<string, Uint8Array>();
	const bytesOf = (text: string): Uint8Array => {
		const known = encoded.get(text);
		if (known !== undefined) return known;
		const bytes = encoder.encode(text);
		encoded.set(text, bytes);
		return bytes;
	};
	for (const series of seriesList) {
		const pairs = series.labels.map(bytesOf);
		const pairSizes: number[] = [];
		let size = 0;
		for (let i = 0; i < pairs.length; i += 2) {
			const pairSize = bytesFieldSize(pairs[i]) + bytesFieldSize(pairs[i + 1]);
			pairSizes.push(pairSize);
			size += 1 + varintSize(pairSize) + pairSize;
		}
		for (const sample of series.samples) {
			const sampleSize = 10 + int64Size(sample.timestampMs);
			size += 1 + varintSize(sampleSize) + sampleSize;
		}
		writer.open(1, size);
		pairSizes.forEach((pairSize, i) => {
			writer.open(1, pairSize);
			writer.bytes(1, pairs[i * 2] as Uint8Array);
			writer.bytes(2, pairs[i * 2 + 1] as Uint8Array);
		});
		for (const sample of series.samples) {
			writer.open(2, 10 + int64Size(sample.timestampMs));
			if (sample.stale === true) writer.staleDouble(1);
			else writer.double(1, sample.value);
			writer.int64(2, sample.timestampMs);
		}
	}
	writeMetadata(writer, seriesList);
	return writer.finish();
}

function writeMetadata(writer: ProtoWriter, seriesList: readonly WriteSeries[]): void {
	const seen = new Set<string>();
	for (const series of seriesList) {
		const nameAt = series.labels.indexOf(METRIC_NAME);
		const name = nameAt % 2 === 0 ? (series.labels[nameAt + 1] ?? '') : '';
		if (name === '' || seen.has(name) || (series.type === undefined && series.help === undefined)) continue;
		seen.add(name);
		const type = METRIC_TYPE_NUMBERS[series.type ?? 'unknown'];
		const nameBytes = encoder.encode(name);
		const help = encoder.encode(series.help ?? '');
		const unit = encoder.encode(series.unit ?? '');
		writer.open(
			3,
			(type === 0 ? 0 : 2) +
				bytesFieldSize(nameBytes) +
				(help.length === 0 ? 0 : bytesFieldSize(help)) +
				(unit.length === 0 ? 0 : bytesFieldSize(unit)),
		);
		if (type !== 0) writer.uint(1, type);
		writer.bytes(2, nameBytes);
		if (help.length > 0) writer.bytes(4, help);
		if (unit.length > 0) writer.bytes(5, unit);
	}
}

function bytesFieldSize(bytes: Uint8Array | undefined): number {
	const length = bytes?.length ?? 0;
	return 1 + varintSize(length) + length;
}
