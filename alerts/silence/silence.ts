import { createMatcher, type Matcher, type MatcherOperator, matchesAll } from '../route/matcher.ts';

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
}

export type SilenceState = 'pending' | 'active' | 'expired';

export function silenceState(silence: Silence, nowMs: number): SilenceState {
	if (nowMs >= silence.endsAtMs) return 'expired';
	return nowMs < silence.startsAtMs ? 'pending' : 'active';
}

export interface CompiledSilence {
	readonly silence: Silence;
	readonly matchers: readonly Matcher[];
}

/** Throws `FN_ALERTS_MATCHER`. */
export function compileSilence(silence: Silence): CompiledSilence {
	return { silence, matchers: silence.matchers.map((matcher) => createMatcher(matcher.name, matcher.operator, matcher.value)) };
}

/** Ids of the silences that hide an alert with these labels now. */
export function silencedBy(silences: Iterable<CompiledSilence>, labels: Readonly<Record<string, string>>, nowMs: number): string[] {
	const ids: string[] = [];
	for (const { silence, matchers } of silences) {
		if (silenceState(silence, nowMs) === 'active' && matchesAll(matchers, labels)) ids.push(silence.id);
	}
	return ids;
}
