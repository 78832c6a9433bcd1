import { crc32 } from '../../uplink/crc32.ts';

export type ArchiveKind = 'none' | 'gzip' | 'zip' | 'tar' | 'xz' | 'zstd';

/** By the ending of the name; `none` for anything unknown. A compressed tar is what compressed it. */
export function archiveKindOf(name: string): ArchiveKind {
	const lower = name.toLowerCase();
	if (/\.(gz|tgz)$/.test(lower)) return 'gzip';
	if (/\.(xz|txz)$/.test(lower)) return 'xz';
	if (/\.(zst|tzst)$/.test(lower)) return 'zstd';
	if (/\.(zip|jar|war)$/.test(lower)) return 'zip';
	return lower.endsWith('.tar') ? 'tar' : 'none';
}

/** Bytes of the beginning and the end that `archiveProblem` wants to see. */
export const HEAD_BYTES = 1024;
export const TAIL_BYTES = 70 * 1024;

/**
 * What is wrong with an archive as far as its first and last bytes tell, or `null`. gzip has no trailer of its own to recognise:
 * it is read to its end elsewhere. Formats: RFC 1952, APPNOTE.TXT 4.3.16, POSIX ustar, the .xz file format 1.2.1, RFC 8878.
 */
export function archiveProblem(kind: ArchiveKind, head: Buffer, tail: Buffer, sizeBytes: number): string | null {
	switch (kind) {
		case 'none':
			return null;
		case 'gzip':
			return head[0] === 0x1f && head[1] === 0x8b && head[2] === 8 && sizeBytes >= 18 ? null : 'it does not begin as gzip';
		case 'zstd':
			return head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528 ? null : 'it does not begin as zstd';
		case 'zip':
			return zipProblem(head, tail, sizeBytes);
		case 'tar':
			return tarProblem(head, tail, sizeBytes);
		case 'xz':
			return xzProblem(head, tail, sizeBytes);
	}
	return null;
}

function zipProblem(head: Buffer, tail: Buffer, sizeBytes: number): string | null {
	if (head.length < 4 || (head.readUInt32LE(0) !== 0x04034b50 && head.readUInt32LE(0) !== 0x06054b50)) return 'it does not begin as zip';
	for (let at = tail.length - 22; at >= 0; at--) {
		if (tail.readUInt32LE(at) !== 0x06054b50 || at + 22 + tail.readUInt16LE(at + 20) !== tail.length) continue;
		const directoryBytes = tail.readUInt32LE(at + 12);
		const directoryAt = tail.readUInt32LE(at + 16);
		// Zip64 keeps both elsewhere; that the end record is whole is what can be said then.
		if (directoryAt === 0xffffffff || directoryBytes === 0xffffffff) return null;
		return directoryAt + directoryBytes <= sizeBytes - (tail.length - at) ? null : 'its directory lies outside of the file';
	}
	return 'its end is missing';
}

function tarProblem(head: Buffer, tail: Buffer, sizeBytes: number): string | null {
	if (head.length < 512 || sizeBytes % 512 !== 0) return 'it is not made of blocks of 512 bytes';
	let sum = 0;
	for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : (head[i] as number);
	const written = Number.parseInt(head.toString('latin1', 148, 156).replace(/[\0 ]/g, ''), 8);
	if (sum !== written && head.subarray(0, 512).some((byte) => byte !== 0)) return 'the checksum of its first header is wrong';
	return tail.length >= 1024 && tail.subarray(-1024).every((byte) => byte === 0) ? null : 'its end is missing';
}

function xzProblem(head: Buffer, tail: Buffer, sizeBytes: number): string | null {
	if (head.toString('hex', 0, 6) !== 'fd377a585a00') return 'it does not begin as xz';
	if (sizeBytes < 32 || sizeBytes % 4 !== 0) return 'its length is not a multiple of four';
	// Stream padding: zero bytes in groups of four behind the footer.
	let end = tail.length;
	while (end >= 16 && tail.readUInt32LE(end - 4) === 0) end -= 4;
	const footer = tail.subarray(end - 12, end);
	if (footer.length < 12 || footer.toString('latin1', 10, 12) !== 'YZ') return 'its end is missing';
	if (footer.readUInt32LE(0) !== crc32(footer.subarray(4, 10)) >>> 0) return 'the checksum of its end is wrong';
	return footer.subarray(8, 10).equals(head.subarray(6, 8)) ? null : 'its end belongs to another stream';
}
