/** Everything is shown in China's time, as reports and contracts count it; it has had no daylight saving since 1991. */
const ZONE_OFFSET_MS = 8 * 3_600_000;
const DAY_MS = 86_400_000;

function parts(ms: number) {
	const date = new Date(ms + ZONE_OFFSET_MS);
	const two = (value: number) => String(value).padStart(2, '0');
	return {
		year: String(date.getUTCFullYear()),
		month: two(date.getUTCMonth() + 1),
		day: two(date.getUTCDate()),
		hour: two(date.getUTCHours()),
		minute: two(date.getUTCMinutes()),
		second: two(date.getUTCSeconds()),
	};
}

/** `22:05:13` */
export function clockText(ms: number): string {
	const { hour, minute, second } = parts(ms);
	return `${hour}:${minute}:${second}`;
}

/** `11-21 22:05` */
export function shortTimeText(ms: number): string {
	const { month, day, hour, minute } = parts(ms);
	return `${month}-${day} ${hour}:${minute}`;
}

/** `2026-11-21 22:05:13` */
export function dateTimeText(ms: number): string {
	const { year, month, day } = parts(ms);
	return `${year}-${month}-${day} ${clockText(ms)}`;
}

/** `2026-11` */
export function monthText(ms: number): string {
	const { year, month } = parts(ms);
	return `${year}-${month}`;
}

/** `2026-11-21T22:05`, as `<input type="datetime-local">` wants it. */
export function localInputText(ms: number): string {
	const { year, month, day, hour, minute } = parts(ms);
	return `${year}-${month}-${day}T${hour}:${minute}`;
}

/** The other way round; `null` for what is no time. */
export function parseLocalInput(text: string): number | null {
	const ms = Date.parse(`${text}:00Z`);
	return Number.isNaN(ms) ? null : ms - ZONE_OFFSET_MS;
}

export function dayStartMs(ms: number): number {
	return Math.floor((ms + ZONE_OFFSET_MS) / DAY_MS) * DAY_MS - ZONE_OFFSET_MS;
}

/** 0 for Monday. */
export function weekdayOf(ms: number): number {
	return (new Date(ms + ZONE_OFFSET_MS).getUTCDay() + 6) % 7;
}

export function monthStartMs(ms: number): number {
	const date = new Date(ms + ZONE_OFFSET_MS);
	return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1) - ZONE_OFFSET_MS;
}

const TICK_STEPS_MS = [
	1000,
	5000,
	10_000,
	15_000,
	30_000,
	60_000,
	120_000,
	300_000,
	600_000,
	900_000,
	1_800_000,
	3_600_000,
	7_200_000,
	10_800_000,
	21_600_000,
	43_200_000,
	DAY_MS,
	2 * DAY_MS,
	5 * DAY_MS,
	7 * DAY_MS,
	15 * DAY_MS,
	30 * DAY_MS,
];

/** Round times between two moments, at most `count` of them, with labels as precise as their distance needs. */
export function timeTicks(fromMs: number, toMs: number, count: number): readonly { readonly ms: number; readonly text: string }[] {
	const wanted = (toMs - fromMs) / Math.max(1, count);
	const step = TICK_STEPS_MS.find((candidate) => candidate >= wanted) ?? 30 * DAY_MS;
	const ticks: { ms: number; text: string }[] = [];
	const first = Math.ceil((fromMs + ZONE_OFFSET_MS) / step) * step - ZONE_OFFSET_MS;
	for (let ms = first; ms <= toMs; ms += step) ticks.push({ ms, text: tickText(ms, step, toMs - fromMs) });
	return ticks;
}

function tickText(ms: number, stepMs: number, spanMs: number): string {
	const { month, day, hour, minute, second } = parts(ms);
	if (stepMs >= DAY_MS) return `${month}-${day}`;
	if (spanMs > 2 * DAY_MS) return `${month}-${day} ${hour}:${minute}`;
	if (stepMs >= 60_000) return `${hour}:${minute}`;
	return `${hour}:${minute}:${second}`;
}
