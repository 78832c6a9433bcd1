import { AppError } from './errors.ts';

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 } as const;

/** Prometheus' duration syntax: units descending, each at most once (`1h30m`, `250ms`), or a bare `0`. */
export const DURATION_PATTERN = '^(0|(?=[0-9])([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m(?!s))?([0-9]+s)?([0-9]+ms)?)$';
const DURATION = new RegExp(DURATION_PATTERN);

/** Milliseconds of `text`, or `null` when it is not a duration. */
export function tryParseDuration(text: string): number | null {
	if (!DURATION.test(text)) return null;
	let total = 0;
	for (const [, digits, unit] of text.matchAll(/([0-9]+)(ms|[smhdwy])/g)) {
		total += Number(digits) * UNIT_MS[unit as keyof typeof UNIT_MS];
	}
	return total;
}

/** Milliseconds of `text`; throws `FN_DURATION_INVALID`. */
export function parseDuration(text: string): number {
	const ms = tryParseDuration(text);
	if (ms === null) {
		throw new AppError('FN_DURATION_INVALID', `"${text}" is not a duration; write for example 30s, 5m or 1h30m`, { status: 400 });
	}
	return ms;
}

/** The shortest spelling of `ms`, as Prometheus prints it: `90000` is `1m30s`. Years only when they divide evenly, weeks likewise. */
export function formatDuration(ms: number): string {
	if (ms === 0) return '0s';
	let rest = ms;
	let text = '';
	for (const unit of ['y', 'w', 'd', 'h', 'm', 's', 'ms'] as const) {
		const size = UNIT_MS[unit];
		if ((unit === 'y' || unit === 'w' || unit === 'd') && rest % size !== 0 && unit !== 'd') continue;
		const count = Math.floor(rest / size);
		if (count > 0) {
			text += `${count}${unit}`;
			rest -= count * size;
		}
	}
	return text;
}
