import type { DayKindOf } from '../roster/duty-window.ts';
import { createMatcher, type Matcher, type MatcherOperator, matchesAll } from '../route/matcher.ts';
import { buildTimeInterval, type TimeInterval, type TimeSpecConfig } from '../time/time-interval.ts';

export interface SilenceMatcher {
	readonly name: string;
	readonly operator: MatcherOperator;
	readonly value: string;
}

/** Hides matching alerts from their receivers for a time; what it hides stays on record. */
export interface Silence {
	readonly id: string;
	readonly matchers: readonly SilenceMatcher[];
	readonly startsAtMs: number;
	readonly endsAtMs: number;
	readonly updatedAtMs: number;
	readonly createdBy: string;
	readonly comment: string;
	/** When not empty, it hides only inside of these times (maintenance every Saturday night, until `endsAtMs`). */
	readonly recurrence: readonly TimeSpecConfig[];
}

/** What a silence costs: whoever made it, and whoever reads a report, sees what was not seen. */
export interface SilencePrice {
	/** Firings that would have been told to somebody. */
	readonly messages: number;
	/** During which at least one critical alert was hidden. */
	readonly criticalSeconds: number;
}

export type SilenceState = 'pending' | 'active' | 'expired';

export function silenceState(silence: Silence, nowMs: number): SilenceState {
	if (nowMs >= silence.endsAtMs) return 'expired';
	return nowMs < silence.startsAtMs ? 'pending' : 'active';
}

export interface CompiledSilence {
	readonly silence: Silence;
	readonly matchers: readonly Matcher[];
	/** `null`: all the time. */
	readonly times: TimeInterval | null;
}

/** Throws `FN_ALERTS_MATCHER` and `FN_ALERTS_TIME_INTERVAL`. */
export function compileSilence(silence: Silence, kindOf?: DayKindOf): CompiledSilence {
	return {
		silence,
		matchers: silence.matchers.map((matcher) => createMatcher(matcher.name, matcher.operator, matcher.value)),
		times:
			silence.recurrence.length === 0 ? null : buildTimeInterval({ name: silence.id, time_intervals: [...silence.recurrence] }, kindOf),
	};
}

/** Ids of the silences that hide an alert with these labels now. */
export function silencedBy(silences: Iterable<CompiledSilence>, labels: Readonly<Record<string, string>>, nowMs: number): string[] {
	const ids: string[] = [];
	for (const { silence, matchers, times } of silences) {
		if (silenceState(silence, nowMs) !== 'active' || !matchesAll(matchers, labels)) continue;
		if (times === null || times.contains(nowMs)) ids.push(silence.id);
	}
	return ids;
}
