import type { RosterConfig } from './config.ts';
import { covers, type DayKindOf, type Span, stintsIn } from './duty-window.ts';
import { buildLayer, type Layer, turnAt, turnChanges } from './rotation.ts';

/** Duty by plan: what the configuration says, before anybody changes it. */
export interface Roster {
	readonly id: string;
	readonly name: string;
	readonly zone: string;
	readonly handover: boolean;
	readonly layers: readonly Layer[];
}

/**
 * Somebody else for a while. `instead` names who is replaced, and does nothing where they have no duty; `''` adds `person` to
 * whoever has it; `'*'` leaves `person` alone on duty.
 */
export interface DutyChange extends Span {
	readonly roster: string;
	readonly instead: string;
	readonly person: string;
}

/** What the answer depends on besides the roster; changes in the order in which they were made. */
export interface DutyContext {
	readonly kindOf: DayKindOf;
	readonly changes: readonly DutyChange[];
}

export interface Shift extends Span {
	readonly people: readonly string[];
}

export function buildRoster(config: RosterConfig, zone: string): Roster {
	const own = config.zone ?? zone;
	return {
		id: config.id,
		name: config.name,
		zone: own,
		handover: config.handover,
		layers: config.layers.map((layer) => buildLayer(layer, own)),
	};
}

/** Who has duty at that moment, in the order of the layers, nobody twice. */
export function onDuty(roster: Roster, timeMs: number, context: DutyContext): readonly string[] {
	let people: string[] = [];
	for (const layer of roster.layers) {
		if (!covers(layer.window, timeMs, context.kindOf)) continue;
		const turn = turnAt(layer, timeMs, context.kindOf);
		if (turn.length === 0) continue;
		people = layer.mode === 'replace' ? [...turn] : [...people, ...turn];
	}
	for (const { roster: id, fromMs, toMs, instead, person } of context.changes) {
		if (id !== roster.id || timeMs < fromMs || timeMs >= toMs) continue;
		if (instead === '*') people = [person];
		else if (instead === '') people.push(person);
		else people = people.map((one) => (one === instead ? person : one));
	}
	return [...new Set(people)];
}

/** Duty over a span: intervals that cover it without gap or overlap, also those when nobody has it. */
export function shifts(roster: Roster, span: Span, context: DutyContext): readonly Shift[] {
	const instants = new Set([span.fromMs]);
	const add = (timeMs: number) => {
		if (timeMs > span.fromMs && timeMs < span.toMs) instants.add(timeMs);
	};
	for (const layer of roster.layers) {
		for (const stint of stintsIn(layer.window, span, context.kindOf)) {
			add(stint.fromMs);
			add(stint.toMs);
		}
		for (const at of turnChanges(layer, span.fromMs, span.toMs)) add(at);
		add(layer.startMs);
	}
	for (const change of context.changes) {
		if (change.roster !== roster.id) continue;
		add(change.fromMs);
		add(change.toMs);
	}
	const found: { fromMs: number; toMs: number; people: readonly string[] }[] = [];
	for (const fromMs of [...instants].sort((a, b) => a - b)) {
		const people = onDuty(roster, fromMs, context);
		const last = found.at(-1);
		if (last !== undefined) last.toMs = fromMs;
		if (last !== undefined && samePeople(last.people, people)) continue;
		found.push({ fromMs, toMs: span.toMs, people });
	}
	const last = found.at(-1);
	if (last !== undefined) last.toMs = span.toMs;
	return found;
}

export function samePeople(a: readonly string[], b: readonly string[]): boolean {
	return a.length === b.length && a.every((person) => b.includes(person));
}

/** How far ahead the next people are looked for. */
const LONGEST_LOOK_MS = 62 * 86_400_000;

/** The shift after the present one that somebody has, or `null` when none comes within two months. */
export function nextShift(roster: Roster, timeMs: number, context: DutyContext): Shift | null {
	const now = onDuty(roster, timeMs, context);
	// A week at a time: the answer is nearly always in the first.
	for (let fromMs = timeMs; fromMs < timeMs + LONGEST_LOOK_MS; fromMs += 7 * 86_400_000) {
		const found = shifts(roster, { fromMs, toMs: fromMs + 7 * 86_400_000 }, context).find(
			({ people }) => people.length > 0 && !samePeople(people, now),
		);
		if (found !== undefined) return found;
	}
	return null;
}
