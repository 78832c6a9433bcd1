import { createHash } from 'node:crypto';

/** Where in its interval a group is evaluated: by its name, so that groups spread and a restart does not move them. */
export function groupOffset(file: string, name: string, intervalMs: number): number {
	const digest = createHash('sha256').update(`${file};${name}`).digest();
	return Number(digest.readBigUInt64BE(0) % BigInt(intervalMs));
}

/** The latest slot at or before `nowMs`. */
export function slotAt(nowMs: number, intervalMs: number, offsetMs: number): number {
	return Math.floor((nowMs - offsetMs) / intervalMs) * intervalMs + offsetMs;
}
