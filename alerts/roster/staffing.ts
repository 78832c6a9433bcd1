import { parseDuration } from '../../core/duration.ts';
import type { OverloadConfig, StaffingConfig } from './config.ts';
import { buildWindow, calendarDay, type DutyWindow, instantOf, localDay, type Span, stintsIn } from './duty-window.ts';
import { type DutyContext, onDuty, type Roster, shifts } from './roster.ts';

export interface StaffingRule {
	readonly name: string;
	readonly window: DutyWindow;
	readonly rosters: readonly string[];
	readonly minimum: number;
}

/** Too few people at a time when a rule asks for more. */
export interface DutyGap extends Span {
	readonly rule: string;
	readonly wanted: number;
	readonly people: readonly string[];
}

export interface Overload extends Span {
	readonly person: string;
	readonly kind: 'in-row' | 'week';
	readonly hours: number;
	readonly limitHours: number;
}

const HOUR_MS = 3_600_000;

export function buildStaffing(config: StaffingConfig, zone: string): StaffingRule {
	return { name: config.name, window: buildWindow(config, config.zone ?? zone), rosters: config.rosters, minimum: config.minimum };
}

/** Where duty over the span is thinner than the rules ask, ascending by time within a rule. Neighbours with the same people are one. */
export function dutyGaps(rules: readonly StaffingRule[], rosters: readonly Roster[], span: Span, context: DutyContext): readonly DutyGap[] {
	const changesOf = new Map(rosters.map((roster) => [roster.id, shifts(roster, span, context)]));
	const gaps: DutyGap[] = [];
	for (const rule of rules) {
		const asked = rosters.filter(({ id }) => rule.rosters.length === 0 || rule.rosters.includes(id));
		const found: { rule: string; fromMs: number; toMs: number; wanted: number; people: readonly string[] }[] = [];
		for (const stint of stintsIn(rule.window, span, context.kindOf)) {
			const instants = new Set([stint.fromMs]);
			for (const { id } of asked)
				for (const { fromMs } of changesOf.get(id) ?? []) if (fromMs > stint.fromMs && fromMs < stint.toMs) instants.add(fromMs);
			const ordered = [...instants].sort((a, b) => a - b);
			ordered.forEach((fromMs, i) => {
				const toMs = ordered[i + 1] ?? stint.toMs;
				const people = [...new Set(asked.flatMap((roster) => onDuty(roster, fromMs, context)))].sort();
				if (people.length >= rule.minimum) return;
				const last = found.at(-1);
				if (last !== undefined && last.toMs >= fromMs && last.people.join(' ') === people.join(' ')) last.toMs = Math.max(last.toMs, toMs);
				else found.push({ rule: rule.name, fromMs, toMs, wanted: rule.minimum, people });
			});
		}
		gaps.push(...found);
	}
	return gaps;
}

/** Duty of each person over all rosters together, time that two rosters share counted once. */
export function overloads(
	rosters: readonly Roster[],
	limits: OverloadConfig,
	span: Span & { readonly zone: string },
	context: DutyContext,
): readonly Overload[] {
	const found: Overload[] = [];
	const maxInRowMs = parseDuration(limits.max_in_row);
	for (const [person, duty] of dutyByPerson(rosters, span, context)) {
		for (const { fromMs, toMs } of duty) {
			if (toMs - fromMs <= maxInRowMs) continue;
			found.push({ person, kind: 'in-row', fromMs, toMs, hours: (toMs - fromMs) / HOUR_MS, limitHours: maxInRowMs / HOUR_MS });
		}
		for (const week of weeksOf(span)) {
			const hours = duty.reduce((sum, one) => sum + overlapMs(one, week), 0) / HOUR_MS;
			if (hours > limits.max_hours_per_week) found.push({ person, kind: 'week', ...week, hours, limitHours: limits.max_hours_per_week });
		}
	}
	return found.sort((a, b) => a.fromMs - b.fromMs || (a.person < b.person ? -1 : 1));
}

function dutyByPerson(rosters: readonly Roster[], span: Span, context: DutyContext): ReadonlyMap<string, readonly Span[]> {
	const spans = new Map<string, Span[]>();
	for (const roster of rosters) {
		for (const { fromMs, toMs, people } of shifts(roster, span, context)) {
			for (const person of people) {
				const own = spans.get(person);
				if (own === undefined) spans.set(person, [{ fromMs, toMs }]);
				else own.push({ fromMs, toMs });
			}
		}
	}
	return new Map([...spans].map(([person, own]) => [person, union(own)]));
}

function union(spans: readonly Span[]): readonly Span[] {
	const joined: { fromMs: number; toMs: number }[] = [];
	for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
		const last = joined.at(-1);
		if (last !== undefined && span.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, span.toMs);
		else joined.push({ ...span });
	}
	return joined;
}

/** Whole weeks, from Monday, that lie inside the span. */
function weeksOf({ fromMs, toMs, zone }: Span & { readonly zone: string }): readonly Span[] {
	const weeks: Span[] = [];
	for (let day = localDay(fromMs, zone); ; day++) {
		if (calendarDay(day).weekday !== 1) continue;
		const week = { fromMs: instantOf(day, 0, zone), toMs: instantOf(day + 7, 0, zone) };
		if (week.toMs > toMs) return weeks;
		if (week.fromMs >= fromMs) weeks.push(week);
	}
}

function overlapMs(a: Span, b: Span): number {
	return Math.max(0, Math.min(a.toMs, b.toMs) - Math.max(a.fromMs, b.fromMs));
}
