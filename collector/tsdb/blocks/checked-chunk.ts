import { crc32 } from 'node:zlib';
import { ChunkDamaged } from '../codec/chunk-codec.ts';

const CRC_BYTES = 4;

/** A chunk as a file of hours keeps it: behind it the crc32 of the chunk, begun with its key, so that neither can be another's. SQLite has no checksums. */
export function withChecksum(chunk: Uint8Array, key: number): Uint8Array {
	const bytes = Buffer.allocUnsafe(chunk.length + CRC_BYTES);
	bytes.set(chunk);
	bytes.writeUInt32LE(crc32(chunk, seedOf(key)), chunk.length);
	return bytes;
}

/** The chunk without its checksum. Files of version 1 have none. Throws `ChunkDamaged`. */
export function checkedChunk(data: unknown, key: number, version: number): Uint8Array {
	if (!(data instanceof Uint8Array)) throw new ChunkDamaged('a chunk is not a blob');
	if (version < 2) return data;
	const end = data.length - CRC_BYTES;
	if (end < 0) throw new ChunkDamaged('a chunk is too short for its checksum');
	const stored =
		((data[end] as number) | ((data[end + 1] as number) << 8) | ((data[end + 2] as number) << 16) | ((data[end + 3] as number) << 24)) >>>
		0;
	const chunk = data.subarray(0, end);
	if (crc32(chunk, seedOf(key)) !== stored) throw new ChunkDamaged('the checksum of a chunk does not fit');
	return chunk;
}

function seedOf(key: number): number {
	return (key ^ Math.floor(key / 2 ** 32)) >>> 0;
}
