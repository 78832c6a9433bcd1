import { createHash } from 'node:crypto';

export type HashName = 'sm3' | 'sha256';

const LEAF = Buffer.from([0]);
const NODE = Buffer.from([1]);

export function digest(name: HashName, ...parts: readonly Uint8Array[]): Buffer {
	const hash = createHash(name);
	for (const part of parts) hash.update(part);
	return hash.digest();
}

/** RFC 6962 leaf: H(0x00 ‖ data). */
export function leafHash(name: HashName, data: Uint8Array): Buffer {
	return digest(name, LEAF, data);
}

/** RFC 6962 §2.1 Merkle tree head over leaf hashes; of no leaves it is the hash of nothing. */
export function merkleRoot(name: HashName, leaves: readonly Uint8Array[]): Buffer {
	if (leaves.length === 0) return digest(name);
	// Combining neighbours level by level and carrying an odd one up gives the same tree as the RFC's recursion.
	let level: readonly Uint8Array[] = leaves;
	while (level.length > 1) {
		const next: Uint8Array[] = [];
		for (let i = 0; i < level.length; i += 2) {
			const left = level[i] as Uint8Array;
			const right = level[i + 1];
			next.push(right === undefined ? left : digest(name, NODE, left, right));
		}
		level = next;
	}
	return Buffer.from(level[0] as Uint8Array);
}
