/**
 * A time as Go's `time.Time` is written in JSON (RFC 3339 in UTC, the zeros at the end of the fraction left out): `2026-11-22T09:39:48.72Z`.
 * Receivers that compare texts of two senders see no difference.
 *
 * @param ms Unix milliseconds.
 */
export function rfc3339(ms: number): string {
	return new Date(ms).toISOString().replace(/\.?0+Z$/, 'Z');
}
