import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { FrequentProblemsAnswer, Problem, ProblemAnswer, ProblemRequest } from '../../protocol/problem-api.ts';
import type { AssessedProblem } from '../contracts/assessed.ts';
import { problemClocks } from '../contracts/desk-rules.ts';
import { type ClockRules, deadlineOrUnknownMs } from '../contracts/limits.ts';
import type { Profile } from '../contracts/profile.ts';
import type { AttachBody } from '../state/attachments.ts';
import { type CaseEvent, type CaseFiles, createCases, type KeptCase } from '../state/cases.ts';
import type { StateDatabase } from '../state/database.ts';
import { applyToProblem, PROBLEM_OVER, type ProblemAction, type ProblemBody } from './problem.ts';

export interface Problems {
	/** Throws `FN_PROBLEM_STEP`. */
	receive(request: ProblemRequest, actor: string): Promise<ProblemAnswer>;
	/** Throws `FN_PROBLEM_UNKNOWN` (404), `FN_PROBLEM_STEP` (409). */
	act(id: string, action: ProblemAction, actor: string): Promise<ProblemAnswer>;
	get(id: string): Promise<ProblemAnswer>;
	/** Throws as `act`, and `FN_DESK_ATTACHMENT`. */
	attach(id: string, name: string, bytes: Buffer, actor: string): Promise<ProblemAnswer>;
	attachment(id: string, attachment: string): Promise<{ readonly name: string; readonly bytes: Buffer }>;
	events(id: string): Promise<readonly CaseEvent<ProblemBody | AttachBody>[]>;
	list(which: 'open' | { readonly fromMs: number; readonly toMs: number }): Promise<readonly ProblemAnswer[]>;
	/** Problems of the range by category, most frequent first, with the newest answer that the reporter accepted. */
	frequent(fromMs: number, toMs: number): Promise<FrequentProblemsAnswer>;
	/** What the contract prices: problems of the profile that were received in the range and not withdrawn. */
	assessed(profile: Profile, fromMs: number, toMs: number): Promise<readonly AssessedProblem[]>;
}

const MOST_TITLES = 5;

export function createProblems(options: {
	readonly state: StateDatabase;
	readonly files: CaseFiles;
	/** The profile that prices a service. */
	readonly profileOf: (service: string | null) => Profile;
	readonly profile: (id: string) => Profile;
	readonly clockRules: () => ClockRules;
	readonly clock: Clock;
}): Problems {
	const { clock } = options;
	const cases = createCases<Problem, ProblemBody>({
		state: options.state,
		files: options.files,
		kind: 'problem',
		over: PROBLEM_OVER,
		apply: applyToProblem,
		unknown: (id) => new AppError('FN_PROBLEM_UNKNOWN', `there is no problem "${id.slice(0, 64)}"`, { status: 404 }),
		clock,
	});
	const view = ({ number, state: problem }: KeptCase<Problem>): ProblemAnswer => ({
		number,
		problem,
		clocks:
			problem.stage === 'withdrawn'
				? []
				: problemClocks(
						options.profile(problem.profile),
						assessedProblem(number, problem),
						options.clockRules(),
						clock.now(),
						// A problem is taken and worked on at the turn of a year, too: what cannot be known yet keeps nothing else from being told.
						deadlineOrUnknownMs,
					),
	});
	return {
		receive: async (request, actor) => {
			const profile = options.profileOf(request.service).id;
			return view(await cases.open(actor, { kind: 'receive', profile, ...request }));
		},
		act: async (id, action, actor) => view(await cases.act(id, { actor, body: action })),
		attach: async (id, name, bytes, actor) => view(await cases.attach(id, { actor, name, bytes })),
		attachment: (id, attachment) => cases.attachment(id, attachment),
		get: async (id) => view(await cases.get(id)),
		events: (id) => cases.events(id),
		list: async (which) => (await cases.list(which)).map(view),
		frequent: async (fromMs, toMs) => {
			const counted = (await cases.list({ fromMs, toMs })).map(({ state }) => state).filter(({ stage }) => stage !== 'withdrawn');
			const groups = Map.groupBy(counted, ({ category }) => category);
			const categories = [...groups].map(([category, problems]) => ({
				category,
				count: problems.length,
				reopened: problems.filter(({ rounds }) => rounds.length > 1).length,
				answer: problems.find(({ stage }) => stage === 'closed')?.rounds.at(-1)?.answer ?? '',
				titles: [...new Set(problems.map(({ title }) => title))].slice(0, MOST_TITLES),
			}));
			return { categories: categories.sort((a, b) => b.count - a.count || (a.category < b.category ? -1 : 1)) };
		},
		assessed: async (profile, fromMs, toMs) =>
			(await cases.list({ fromMs, toMs }))
				.filter(({ state }) => state.profile === profile.id && state.stage !== 'withdrawn')
				.map(({ number, state }) => assessedProblem(number, state)),
	};
}

function assessedProblem(number: number, { id, service, atMs, handedMs, rounds }: Problem): AssessedProblem {
	return { id, number, service, receivedMs: atMs, handedMs, rounds };
}
