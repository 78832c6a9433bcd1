import { randomBytes } from 'node:crypto';

/** UUID version 7 (RFC 9562 §5.7): sorts by creation time, so it makes a good primary key. */
export function uuidv7(nowMs: number): string {
	const bytes = randomBytes(16);
	bytes.writeUIntBE(nowMs, 0, 6);
	bytes[6] = 0x70 | ((bytes[6] as number) & 0x0f);
	bytes[8] = 0x80 | ((bytes[8] as number) & 0x3f);
	const hex = bytes.toString('hex');
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** As `uuidv7`, and sorting after `before` (`''`: nothing) also where the clock was put back since, or has not moved. */
export function uuidv7After(before: string, nowMs: number): string {
	return uuidv7(before === '' ? nowMs : Math.max(nowMs, uuidv7Ms(before) + 1));
}

/** No id of this or a later millisecond sorts before it. */
export function uuidv7Floor(ms: number): string {
	const hex = ms.toString(16).padStart(12, '0');
	return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}

/** When an id of version 7 was made. */
export function uuidv7Ms(id: string): number {
	return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
