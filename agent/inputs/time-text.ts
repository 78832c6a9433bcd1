import { zonedTimeMs } from '../../core/zone-time.ts';

/**
 * A moment as databases, logs and interfaces write it: seconds or milliseconds since the epoch, ISO 8601 with an offset, or a reading
 * of the clocks in `zone` (`2026-11-22 23:04:05`, `2026/11/22 23:04`, `20261122230405`). Milliseconds, or `null`.
 */
export function parseTimeText(text: string, zone: string): number | null {
	const trimmed = text.trim();
	if (/^-?[0-9]+(\.[0-9]+)?$/.test(trimmed) && !/^(19|20)[0-9]{12}$/.test(trimmed)) {
		const number = Number(trimmed);
		// Seconds until the year 5138; anything larger can only be milliseconds.
		return number <= 0 ? null : Math.round(number < 1e11 ? number * 1000 : number);
	}
	if (/^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ].*(Z|[+-][0-9]{2}:?[0-9]{2})$/i.test(trimmed)) {
		const parsed = Date.parse(trimmed.replace(' ', 'T').replace(/([+-][0-9]{2})([0-9]{2})$/, '$1:$2'));
		return Number.isNaN(parsed) ? null : parsed;
	}
	const match =
		/^([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[T ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?$/.exec(trimmed) ??
		/^([0-9]{4})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})([0-9]{2})$/.exec(trimmed);
	if (match === null) return null;
	const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = ''] = match;
	const fields = { year: Number(year), month: Number(month), day: Number(day), hour: Number(hour), minute: Number(minute) };
	if (fields.month < 1 || fields.month > 12 || fields.day < 1 || fields.day > 31 || fields.hour > 23 || fields.minute > 59) return null;
	return zonedTimeMs(fields, zone) + Number(second) * 1000 + Math.floor(Number(`0.${fraction || '0'}`) * 1000);
}
