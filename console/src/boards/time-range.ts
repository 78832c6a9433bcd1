/** A range as Grafana writes it: `now-1h` to `now`, or milliseconds. */
export interface TimeRange {
	readonly from: string;
	readonly to: string;
}

export interface TimeWindow {
	readonly fromMs: number;
	readonly toMs: number;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = {
	s: 1,
	m: 60,
	h: 3600,
	d: 86_400,
	w: 604_800,
	M: 2_592_000,
	y: 31_536_000,
};

/** `15s`, `1m`, `1h30m`, and bare seconds; `null` for anything else. */
export function parseSpanSeconds(text: string): number | null {
	if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
	if (!/^(\d+(ms|[smhdwMy]))+$/.test(text)) return null;
	let seconds = 0;
	for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhdwMy])/g)) {
		seconds += unit === 'ms' ? Number(count) / 1000 : Number(count) * (UNIT_SECONDS[unit ?? ''] ?? 0);
	}
	return seconds;
}

/** `15s`, `5m`, `2h`: the largest unit that divides. */
export function spanText(seconds: number): string {
	for (const [unit, length] of [
		['d', 86_400],
		['h', 3600],
		['m', 60],
	] as const) {
		if (seconds >= length && seconds % length === 0) return `${seconds / length}${unit}`;
	}
	return seconds >= 1 ? `${Math.round(seconds)}s` : `${Math.round(seconds * 1000)}ms`;
}

function momentMs(text: string, nowMs: number): number | null {
	if (text === 'now') return nowMs;
	const relative = /^now-(.+)$/.exec(text);
	if (relative !== null) {
		const seconds = parseSpanSeconds(relative[1] ?? '');
		return seconds === null ? null : nowMs - seconds * 1000;
	}
	if (/^\d{10,}$/.test(text)) return Number(text);
	const parsed = Date.parse(text);
	return Number.isNaN(parsed) ? null : parsed;
}

const FALLBACK_MS = 3_600_000;

/** A range that cannot be read is the last hour: a mistyped address must not be an empty page. */
export function windowOf(range: TimeRange, nowMs: number): TimeWindow {
	const toMs = momentMs(range.to, nowMs);
	const fromMs = momentMs(range.from, nowMs);
	if (toMs === null || fromMs === null || fromMs >= toMs) return { fromMs: nowMs - FALLBACK_MS, toMs: nowMs };
	return { fromMs, toMs };
}

const ROUND_STEPS = [
	1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];

/** Agents deliver every 15 s unless told otherwise; finer steps only repeat values. */
export const SCRAPE_SECONDS = 15;

/** Seconds between points: a round number, not finer than `minimum`, with about `points` of them in the window. */
export function stepSeconds(window: TimeWindow, points: number, minimum: number): number {
	const wanted = (window.toMs - window.fromMs) / 1000 / Math.max(1, points);
	return Math.max(minimum, ROUND_STEPS.find((step) => step >= wanted) ?? 604_800);
}

/** `$__interval` and its like. `$__rate_interval` holds at least four samples, as Grafana computes it. */
export function builtInValues(window: TimeWindow, step: number): Readonly<Record<string, string>> {
	const rangeSeconds = Math.round((window.toMs - window.fromMs) / 1000);
	return {
		__interval: spanText(step),
		__interval_ms: String(step * 1000),
		__rate_interval: spanText(Math.max(step + SCRAPE_SECONDS, 4 * SCRAPE_SECONDS)),
		__range: `${rangeSeconds}s`,
		__range_s: String(rangeSeconds),
		__range_ms: String(rangeSeconds * 1000),
		__from: String(window.fromMs),
		__to: String(window.toMs),
	};
}
