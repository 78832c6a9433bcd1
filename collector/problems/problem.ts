import { type Static, Type } from 'typebox';
import { AppError } from '../../core/errors.ts';
import { PROBLEM_CHANNELS, type Problem, type ProblemChannel, type ProblemStage } from '../../protocol/problem-api.ts';
import { type AttachBody, attachedFile } from '../state/attachments.ts';
import type { CaseEvent } from '../state/cases.ts';

const closed = { additionalProperties: false } as const;
const Text = Type.String({ minLength: 1, maxLength: 4000 });
const Short = Type.String({ minLength: 1, maxLength: 200 });
const MaybeShort = Type.String({ maxLength: 200 });
const Id = Type.String({ minLength: 1, maxLength: 64 });
const TimeMs = Type.Integer({ minimum: 0, maximum: 8.64e15 });
const Channel = Type.Unsafe<ProblemChannel>(Type.Union(PROBLEM_CHANNELS.map((name) => Type.Literal(name))));
const Service = Type.Union([Id, Type.Null()]);

/** What a problem is reported with. The moment may lie in the past: a telephone call is written down after it. */
export const ProblemRequestSchema = Type.Object(
	{
		channel: Channel,
		reporter: Short,
		contact: MaybeShort,
		department: MaybeShort,
		service: Service,
		category: MaybeShort,
		title: Short,
		text: Type.String({ maxLength: 4000 }),
		receivedMs: TimeMs,
	},
	closed,
);

/** What people do with a problem, as the API takes it. Moments may lie in the past, never in the future. */
export const ProblemActionSchema = Type.Union([
	/** 受理 */
	Type.Object({ kind: Type.Literal('accept'), momentMs: Type.Optional(TimeMs) }, closed),
	/** 交办 */
	Type.Object({ kind: Type.Literal('hand-over'), to: Id, note: Type.String({ maxLength: 1000 }), momentMs: Type.Optional(TimeMs) }, closed),
	/** The reporter was told that it takes longer, and until when. */
	Type.Object({ kind: Type.Literal('tell-delay'), untilMs: TimeMs, text: Text, channel: Channel }, closed),
	/** 回复 */
	Type.Object({ kind: Type.Literal('answer'), text: Text, channel: Channel, momentMs: Type.Optional(TimeMs) }, closed),
	/** 结案: the reporter says that it is solved. */
	Type.Object({ kind: Type.Literal('confirm'), by: Short, channel: Channel, note: Type.String({ maxLength: 1000 }) }, closed),
	/** The reporter says that it is not solved, before or after it was closed. */
	Type.Object({ kind: Type.Literal('reject'), by: Short, reason: Text }, closed),
	Type.Object({ kind: Type.Literal('classify'), category: Short, service: Service }, closed),
	Type.Object({ kind: Type.Literal('link'), fault: Id }, closed),
	Type.Object({ kind: Type.Literal('note'), text: Text }, closed),
	/** Reported twice, or by mistake. */
	Type.Object({ kind: Type.Literal('withdraw'), reason: Text }, closed),
]);
export type ProblemAction = Static<typeof ProblemActionSchema>;

export type ProblemBody = ProblemAction | ({ readonly kind: 'receive'; readonly profile: string } & Static<typeof ProblemRequestSchema>);

/** Stages after which nothing is owed. */
export const PROBLEM_OVER: readonly ProblemStage[] = ['closed', 'withdrawn'];

/** One step. Pure; throws `FN_PROBLEM_STEP` (409) when it is not possible now. */
export function applyToProblem(id: string, known: Problem | null, event: CaseEvent<ProblemBody | AttachBody>): Problem {
	if (known === null) return received(id, event);
	return { ...step(known, event), seq: event.seq };
}

function received(id: string, { seq, atMs, body }: CaseEvent<ProblemBody | AttachBody>): Problem {
	if (body.kind !== 'receive') throw refuse(body.kind, 'it has not been received');
	if (body.receivedMs > atMs) throw refuse(body.kind, 'it cannot have been reported in the future');
	const { kind: _kind, receivedMs, ...rest } = body;
	return {
		id,
		...rest,
		stage: 'received',
		atMs: receivedMs,
		seq,
		acceptedBy: '',
		owner: '',
		acceptedMs: null,
		handedMs: null,
		rounds: [{ fromMs: receivedMs, answeredMs: null, answer: '', delayUntilMs: null }],
		confirmedBy: '',
		closedMs: null,
		faults: [],
		attachments: [],
	};
}

function step(problem: Problem, { atMs, actor, body }: CaseEvent<ProblemBody | AttachBody>): Problem {
	const need = (...allowed: readonly ProblemStage[]): void => {
		if (!allowed.includes(problem.stage)) throw refuse(body.kind, `it is ${problem.stage}; this needs ${allowed.join(' or ')}`);
	};
	const moment = (givenMs: number | undefined, notBeforeMs: number): number => {
		const at = givenMs ?? atMs;
		if (at > atMs) throw refuse(body.kind, 'its moment lies in the future');
		if (at < notBeforeMs) throw refuse(body.kind, 'its moment lies before the step that it follows');
		return at;
	};
	const round = problem.rounds.at(-1) as Problem['rounds'][number];
	const withRound = (change: Partial<typeof round>): Problem['rounds'] => [...problem.rounds.slice(0, -1), { ...round, ...change }];
	switch (body.kind) {
		case 'receive':
			throw refuse(body.kind, 'it was received already');
		case 'accept':
			need('received');
			return { ...problem, stage: 'accepted', acceptedBy: actor, acceptedMs: moment(body.momentMs, problem.atMs) };
		case 'hand-over': {
			need('accepted', 'handed');
			// Handing on to somebody else does not begin the clock anew.
			const handedMs = problem.handedMs ?? moment(body.momentMs, problem.acceptedMs ?? problem.atMs);
			return { ...problem, stage: 'handed', owner: body.to, handedMs };
		}
		case 'tell-delay':
			need('accepted', 'handed');
			if (body.untilMs <= atMs) throw refuse(body.kind, 'the day that the reporter was told must lie ahead');
			return { ...problem, rounds: withRound({ delayUntilMs: body.untilMs }) };
		case 'answer':
			need('handed');
			return {
				...problem,
				stage: 'answered',
				rounds: withRound({ answer: body.text, answeredMs: moment(body.momentMs, Math.max(round.fromMs, problem.handedMs ?? 0)) }),
			};
		case 'confirm':
			need('answered');
			return { ...problem, stage: 'closed', confirmedBy: body.by, closedMs: atMs };
		case 'reject':
			need('answered', 'closed');
			return {
				...problem,
				stage: 'handed',
				confirmedBy: '',
				closedMs: null,
				rounds: [...problem.rounds, { fromMs: atMs, answeredMs: null, answer: '', delayUntilMs: null }],
			};
		case 'classify':
			need('received', 'accepted', 'handed', 'answered', 'closed');
			return { ...problem, category: body.category, service: body.service };
		case 'link':
			need('received', 'accepted', 'handed', 'answered', 'closed');
			return { ...problem, faults: [...new Set([...problem.faults, body.fault])] };
		case 'attach':
			need('received', 'accepted', 'handed', 'answered');
			return { ...problem, attachments: [...problem.attachments, attachedFile(body)] };
		case 'note':
			return problem;
		case 'withdraw':
			need('received', 'accepted', 'handed');
			return { ...problem, stage: 'withdrawn', closedMs: atMs };
	}
}

function refuse(kind: string, why: string): AppError {
	return new AppError('FN_PROBLEM_STEP', `"${kind}" is not possible for this problem: ${why}`, { status: 409 });
}
