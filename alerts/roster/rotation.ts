import type { LayerConfig } from './config.ts';
import { buildWindow, type DayKindOf, type DutyWindow, instantOf, localDay, minutesOf, parseDay } from './duty-window.ts';

/** Whose turn it is, layer by layer. */
export interface Layer {
	readonly name: string;
	readonly mode: 'add' | 'replace';
	readonly window: DutyWindow;
	readonly people: readonly (readonly string[])[];
	readonly turn: { readonly every: number; readonly unit: 'hour' | 'day'; readonly counts: 'all' | 'active' };
	/** Day and minutes of the first hand-over; every other one has the same minutes. */
	readonly startDay: number;
	readonly handoverMinutes: number;
	readonly startMs: number;
}

const HOUR_MS = 3_600_000;

export function buildLayer(config: LayerConfig, zone: string): Layer {
	const window = buildWindow(config, zone);
	const startDay = parseDay(config.start);
	const handoverMinutes = config.start.length > 10 ? minutesOf(config.start.slice(11)) : window.startMinutes;
	const { every, unit, counts } = config.turn;
	return {
		name: config.name,
		mode: config.mode,
		window,
		people: config.people.map((entry) => (typeof entry === 'string' ? [entry] : entry)),
		turn: unit === 'week' ? { every: every * 7, unit: 'day', counts } : { every, unit, counts },
		startDay,
		handoverMinutes,
		startMs: instantOf(startDay, handoverMinutes, zone),
	};
}

/** The day whose hand-over was the last one before the instant. */
export function rotationDay(layer: Layer, timeMs: number): number {
	const day = localDay(timeMs, layer.window.zone);
	const at = (number: number) => instantOf(number, layer.handoverMinutes, layer.window.zone);
	if (timeMs < at(day)) return day - 1;
	return timeMs >= at(day + 1) ? day + 1 : day;
}

/** Who has the turn at that moment, whether or not the layer's hours cover it; nobody before its start. */
export function turnAt(layer: Layer, timeMs: number, kindOf: DayKindOf): readonly string[] {
	if (timeMs < layer.startMs) return [];
	const { every, unit, counts } = layer.turn;
	let passed: number;
	if (unit === 'hour') passed = Math.floor((timeMs - layer.startMs) / HOUR_MS);
	else {
		const day = rotationDay(layer, timeMs);
		passed = counts === 'all' ? day - layer.startDay : activeDays(layer, day, kindOf);
	}
	return layer.people[Math.floor(passed / every) % layer.people.length] ?? [];
}

function activeDays(layer: Layer, untilDay: number, kindOf: DayKindOf): number {
	let count = 0;
	for (let day = layer.startDay; day < untilDay; day++) if (layer.window.onDay(day, kindOf)) count++;
	return count;
}

/** Instants between which the layer's turn stays the same. */
export function turnChanges(layer: Layer, fromMs: number, toMs: number): readonly number[] {
	const changes: number[] = [];
	if (layer.turn.unit === 'hour') {
		const stepMs = layer.turn.every * HOUR_MS;
		const first = Math.max(0, Math.ceil((fromMs - layer.startMs) / stepMs));
		for (let at = layer.startMs + first * stepMs; at < toMs; at += stepMs) changes.push(at);
		return changes;
	}
	const { zone } = layer.window;
	for (let day = localDay(fromMs, zone) - 1; day <= localDay(toMs, zone) + 1; day++)
		changes.push(instantOf(day, layer.handoverMinutes, zone));
	return changes;
}
