/** China has had one zone without summer time since 1991, so a fixed offset is exact for alerts. */
const OFFSET_MS = 8 * 3_600_000;

/** `2026-11-21 21:05:57`, Beijing time. */
export function formatShanghai(ms: number): string {
	return new Date(ms + OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ');
}

/** `11-21 21:05`, for texts that are paid for by the character. */
export function formatShanghaiShort(ms: number): string {
	return formatShanghai(ms).slice(5, 16);
}

/** `20261121210557`, as gateways want it. */
export function compactShanghai(ms: number): string {
	return formatShanghai(ms).replace(/\D/g, '');
}
