import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { AppError } from '../core/errors.ts';
import { buildPolicy, type EscalationPolicy } from './escalation/chain.ts';
import { type Directory, type Person, resolveTargets } from './escalation/targets.ts';
import type { OnCallConfig } from './on-call-config.ts';
import { type OnCallPhrases, onCallPhrases } from './on-call-phrases.ts';
import type { DutyChanges } from './roster/duty-changes.ts';
import type { CalendarDay, DutyDayKind, Span } from './roster/duty-window.ts';
import { buildRoster, type DutyContext, nextShift, onDuty, type Roster, type Shift, shifts } from './roster/roster.ts';
import { buildStaffing, type DutyGap, dutyGaps, type Overload, overloads, type StaffingRule } from './roster/staffing.ts';
import type { Language } from './templates/language.ts';

/** The configuration, built; replaced as a whole at a reload. */
export interface DutyPlan {
	readonly config: OnCallConfig;
	readonly directory: Directory;
	readonly policies: readonly EscalationPolicy[];
	readonly staffing: readonly StaffingRule[];
	readonly phrases: OnCallPhrases;
}

export interface RosterNow {
	readonly roster: Roster;
	readonly people: readonly string[];
	readonly next: Shift | null;
}

/** What is wrong with duty ahead. */
export interface DutyOutlook {
	readonly fromMs: number;
	readonly toMs: number;
	readonly gaps: readonly DutyGap[];
	readonly overloads: readonly Overload[];
	/** Years whose statutory days nobody has entered, though a roster or rule asks for them. */
	readonly unknownYears: readonly number[];
}

/** Throws `FN_ALERTS_MATCHER`; the configuration must have passed `checkOnCall`. */
export function buildDutyPlan(config: OnCallConfig, language: Language): DutyPlan {
	return {
		config,
		directory: {
			people: new Map(config.people.map((person) => [person.id, person])),
			teams: new Map(config.teams.map(({ id, name, lead, members }) => [id, { id, name, lead: lead ?? '', members }])),
			rosters: new Map(config.rosters.map((roster) => [roster.id, buildRoster(roster, config.zone)])),
		},
		policies: config.policies.map(buildPolicy),
		staffing: config.staffing.map((rule) => buildStaffing(rule, config.zone)),
		phrases: onCallPhrases(language),
	};
}

/** Who has duty when: the plan, and what people changed about it. */
export class Duty {
	readonly #changes: DutyChanges;
	readonly #clock: Clock;
	readonly #dayKind: (day: CalendarDay) => DutyDayKind;
	#plan: DutyPlan;

	constructor(
		plan: DutyPlan,
		world: { readonly changes: DutyChanges; readonly clock: Clock; readonly dayKind: (day: CalendarDay) => DutyDayKind },
	) {
		this.#plan = plan;
		this.#changes = world.changes;
		this.#clock = world.clock;
		this.#dayKind = world.dayKind;
	}

	get plan(): DutyPlan {
		return this.#plan;
	}

	apply(plan: DutyPlan): void {
		this.#plan = plan;
	}

	get rosters(): readonly Roster[] {
		return [...this.#plan.directory.rosters.values()];
	}

	/** Throws `FN_ONCALL_UNKNOWN`. */
	roster(id: string): Roster {
		const roster = this.#plan.directory.rosters.get(id);
		if (roster === undefined) throw new AppError('FN_ONCALL_UNKNOWN', `there is no roster "${id.slice(0, 64)}"`, { status: 404 });
		return roster;
	}

	/** Name of a person, or what was given when nobody has that id. */
	name(id: string): string {
		return this.#plan.directory.people.get(id)?.name ?? id;
	}

	person(id: string): Person | null {
		return this.#plan.directory.people.get(id) ?? null;
	}

	resolve(targets: readonly string[]): readonly Person[] {
		return resolveTargets(targets, this.#plan.directory, this.#clock.now(), this.#context());
	}

	now(roster: Roster): RosterNow {
		const nowMs = this.#clock.now();
		const context = this.#context();
		return { roster, people: onDuty(roster, nowMs, context), next: nextShift(roster, nowMs, context) };
	}

	shifts(roster: Roster, span: Span): readonly Shift[] {
		return shifts(roster, span, this.#context());
	}

	outlook(): DutyOutlook {
		const { staffing, config } = this.#plan;
		const fromMs = this.#clock.now();
		const span = { fromMs, toMs: fromMs + parseDuration(config.look_ahead), zone: config.zone };
		const unknownYears = new Set<number>();
		const context = this.#context((year) => unknownYears.add(year));
		const gaps = dutyGaps(staffing, this.rosters, span, context);
		const found = overloads(this.rosters, config.overload, span, context);
		return { fromMs, toMs: span.toMs, gaps, overloads: found, unknownYears: [...unknownYears].sort() };
	}

	#context(onUnknown?: (year: number) => void): DutyContext {
		return {
			changes: this.#changes.inForce(),
			kindOf: (day) => {
				const kind = this.#dayKind(day);
				if (kind === 'unknown') onUnknown?.(day.year);
				return kind;
			},
		};
	}
}
