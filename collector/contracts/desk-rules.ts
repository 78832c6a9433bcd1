import { formatZoned, zonedDate } from '../../core/zone-time.ts';
import type { NextDeductionAnswer } from '../../protocol/contract-api.ts';
import { dayKindOrUnknown } from '../inventory/holidays.ts';
import type { AssessedProblem, RawItem } from './assessed.ts';
import type { FaultClock, RuleContext } from './fault-rules.ts';
import { type ClockRules, deadlineMs, deadlineOrUnknownMs, spanMs, spokenSpan } from './limits.ts';
import type { Profile, RuleOf } from './profile.ts';

/** A clock of a user's problem; `round` counts from 1 and rises when the reporter did not accept the answer. */
export interface ProblemClock extends FaultClock {
	readonly round: number;
}

/** As `deadlineMs`, with the moment that is held against it. `null` while it is not known. */
type DeskDeadline = (...parameters: [...Parameters<typeof deadlineMs>, atMs: number]) => number | null;

/**
 * Every clock of the problem desk that has begun, in the order of the profile. Without desk clauses there are none, and one whose
 * `deadline` is `null` is left out.
 */
export function problemClocks(
	profile: Pick<Profile, 'desk'>,
	problem: Pick<AssessedProblem, 'handedMs' | 'receivedMs' | 'rounds'>,
	rules: ClockRules,
	nowMs: number,
	deadline: DeskDeadline = deadlineMs,
): readonly ProblemClock[] {
	return (profile.desk?.clocks ?? []).flatMap((clock) => {
		const made = (round: number, fromMs: number, stoppedMs: number | null, toldUntilMs: number | null): readonly ProblemClock[] => {
			const limitMs = deadline(fromMs, clock.within, rules, { hours: 'always', service: null }, stoppedMs ?? nowMs);
			if (limitMs === null) return [];
			// Whoever was told in time that it takes longer waits until the day that was named.
			const dueMs = clock.extendable && toldUntilMs !== null ? Math.max(limitMs, toldUntilMs) : limitMs;
			const { id, name, clause } = clock;
			return [{ clock: id, name, clause, round, fromMs, dueMs, stoppedMs, late: (stoppedMs ?? nowMs) > dueMs }];
		};
		if (clock.until === 'handed') return made(1, problem.receivedMs, problem.handedMs, null);
		return problem.rounds.flatMap((round, i) => made(i + 1, round.fromMs, round.answeredMs, round.delayUntilMs));
	});
}

/** What late answers cost, once for every `per` begun. */
export function deskItems(rule: RuleOf<'desk'>, context: RuleContext): readonly RawItem[] {
	const zoned = (ms: number) => formatZoned(ms, context.profile.zone);
	return countedProblems(context).flatMap((problem) =>
		lateClocks(rule, problem, context).map((clock): RawItem => {
			const endMs = clock.stoppedMs ?? context.input.nowMs;
			const begun = Math.ceil((endMs - clock.dueMs) / spanMs(rule.per));
			const done = clock.stoppedMs === null ? 'still open' : `done ${new Date(clock.stoppedMs).toISOString()}`;
			return {
				rule: rule.id,
				name: rule.name,
				clause: rule.clause,
				group: rule.group ?? null,
				faultId: null,
				problemId: problem.id,
				service: problem.service,
				recordId: null,
				clock: clock.clock,
				detail: `${clock.clock}-${clock.round}`,
				atMs: clock.dueMs,
				centipoints: -Math.round(begun * rule.points * 100),
				fen: 0,
				reason: {
					zh: `用户问题 ${problem.number}，${clock.name}：时限 ${zoned(clock.dueMs)}，${clock.stoppedMs === null ? '尚未完成' : `完成 ${zoned(clock.stoppedMs)}`}，每 ${spokenSpan(rule.per, 'zh')}（不足按一次计）计 ${begun} 次`,
					en: `problem ${problem.number}, ${clock.name}: due ${new Date(clock.dueMs).toISOString()}, ${done}; ${begun} × ${spokenSpan(rule.per, 'en')} begun`,
				},
			};
		}),
	);
}

/** The next half-hour, or whatever the rule counts by, of each clock that runs. */
export function nextDeskDeductions(rule: RuleOf<'desk'>, context: RuleContext): readonly NextDeductionAnswer[] {
	const { nowMs } = context.input;
	return countedProblems(context).flatMap((problem) =>
		problemClocks(context.profile, problem, context.clocks, nowMs, deadlineThatMatters)
			.filter((clock) => clock.stoppedMs === null && rule.clocks.includes(clock.clock))
			.map((clock): NextDeductionAnswer => {
				const begun = clock.late ? Math.ceil((nowMs - clock.dueMs) / spanMs(rule.per)) : 0;
				return {
					rule: rule.id,
					clause: rule.clause,
					kind: 'clock',
					faultId: null,
					problemId: problem.id,
					service: problem.service,
					clock: clock.clock,
					seconds: Math.max(0, Math.floor((clock.dueMs + begun * spanMs(rule.per) - nowMs) / 1000)),
					centipoints: Math.round(rule.points * 100),
					fen: Math.round(rule.points * context.profile.payment.per_point_yuan * 100),
				};
			}),
	);
}

/**
 * A limit that ends in a year whose holidays nobody has entered ends after the year in which it began, so within that nothing is late.
 * Later that cannot be told, and nothing is priced by a guess: `FN_CALENDAR_YEAR`.
 */
const deadlineThatMatters: DeskDeadline = (fromMs, limit, rules, clock, atMs) => {
	const began = zonedDate(fromMs, rules.zone);
	const cannotBeLate = dayKindOrUnknown(began, rules.holidays) !== 'unknown' && zonedDate(atMs, rules.zone).year <= began.year;
	return (cannotBeLate ? deadlineOrUnknownMs : deadlineMs)(fromMs, limit, rules, clock);
};

function lateClocks(rule: RuleOf<'desk'>, problem: AssessedProblem, { profile, clocks, input }: RuleContext): readonly ProblemClock[] {
	return problemClocks(profile, problem, clocks, input.nowMs, deadlineThatMatters).filter(
		(clock) => clock.late && rule.clocks.includes(clock.clock),
	);
}

function countedProblems({ input, period }: RuleContext): readonly AssessedProblem[] {
	return (input.problems ?? [])
		.filter(({ receivedMs }) => receivedMs >= period.fromMs && receivedMs < period.toMs)
		.sort((a, b) => a.receivedMs - b.receivedMs || (a.id < b.id ? -1 : 1));
}
