import zlib from 'node:zlib';

let table: Uint32Array | null = null;

/** CRC-32 (IEEE 802.3, reflected, as zlib's) of `bytes`, continuing `seed`: zlib's own where it has one, since Node 20.15. */
export function crc32(bytes: Uint8Array, seed = 0): number {
	return typeof zlib.crc32 === 'function' ? zlib.crc32(bytes, seed) : portableCrc32(bytes, seed);
}

export function portableCrc32(bytes: Uint8Array, seed = 0): number {
	table ??= makeTable();
	let crc = ~seed;
	for (let i = 0; i < bytes.length; i++) crc = (table[(crc ^ (bytes[i] as number)) & 0xff] as number) ^ (crc >>> 8);
	return ~crc >>> 0;
}

function makeTable(): Uint32Array {
	const entries = new Uint32Array(256);
	for (let n = 0; n < 256; n++) {
		let value = n;
		for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
		entries[n] = value;
	}
	return entries;
}
