import type { Gauge } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { type RepeatedTurn, repeatedTurn } from '../../core/repeated-turn.ts';
import { PROBLEM_STAGES, type ProblemAnswer } from '../../protocol/problem-api.ts';
import type { ProblemClock } from '../contracts/desk-rules.ts';
import type { Problems } from './problems.ts';

/** A problem whose reporter waits, and the clock that is due or late. */
export interface DueProblem {
	readonly entry: ProblemAnswer;
	readonly clock: Pick<ProblemClock, 'clock' | 'name' | 'dueMs' | 'late'>;
}

const TURN_MS = 10_000;
/** A clock of ten minutes is told three minutes before its end, one of days an hour before. */
const WARN_SHARE = 0.3;
const WARN_AT_MOST_MS = 3_600_000;

/** Looks every ten seconds for problems that are due; each is told at every turn until it is done. */
export function problemWatch(options: {
	readonly problems: Problems;
	readonly tell: (due: readonly DueProblem[]) => Promise<void>;
	readonly clock: Clock;
	readonly log: Logger;
	readonly open: Gauge<'stage'>;
	readonly late: Gauge;
}): RepeatedTurn & { turn(): Promise<void> } {
	const { problems, tell, clock, log } = options;
	const turn = async (): Promise<void> => {
		const entries = await problems.list('open');
		const due = dueProblems(entries, clock.now());
		for (const stage of PROBLEM_STAGES.slice(0, 4))
			options.open.set({ stage }, entries.filter(({ problem }) => problem.stage === stage).length);
		options.late.set(due.filter(({ clock: { late } }) => late).length);
		if (due.length > 0) await tell(due);
	};
	const turns = repeatedTurn({
		turn,
		everyMs: TURN_MS,
		clock,
		failed: (error) => log.error({ error: errorText(error) }, 'problems of users could not be looked after; the next turn tries again'),
	});
	return { ...turns, turn };
}

function dueProblems(entries: readonly ProblemAnswer[], nowMs: number): readonly DueProblem[] {
	return entries.flatMap((entry) =>
		entry.clocks
			.filter(({ stoppedMs, fromMs, dueMs }) => {
				const warnMs = Math.min(WARN_AT_MOST_MS, (dueMs - fromMs) * WARN_SHARE);
				return stoppedMs === null && nowMs >= dueMs - warnMs;
			})
			.map((clock) => ({ entry, clock })),
	);
}
