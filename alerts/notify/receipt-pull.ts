import { Type } from 'typebox';
import { DURATION_PATTERN, parseDuration } from '../../core/duration.ts';
import { AppError, errorText } from '../../core/errors.ts';
import { Repetition } from '../../core/repetition.ts';
import type { ChannelLine, LineContext } from './channel-line.ts';
import type { RecentMessage, SendResult } from './notifier.ts';
import { type Incoming, takeIncoming } from './provider-callback.ts';

/** Keys of channels whose provider can be asked what became of a message. */
export const pullProperties = {
	/** Receipts are asked for this often, at least every five seconds, while messages are recent; for networks that no callback reaches. */
	receipt_pull: Type.Optional(Type.String({ pattern: DURATION_PATTERN })),
};

const LEAST_EVERY_MS = 5000;
/** Of one round, so that a storm does not become one of questions; who waited longest is asked about first. */
const QUESTIONS_PER_ROUND = 20;

/** One question to the provider. */
export interface Question {
	/** The same for the same question in the next round. */
	readonly name: string;
	readonly ask: (signal: AbortSignal) => Promise<PulledAnswer>;
}

/** What a provider answers, or why it did not. */
export type PulledAnswer =
	| { readonly kind: 'answer'; readonly incoming: readonly Incoming[] }
	| Extract<SendResult, { readonly kind: 'retry' | 'refused' }>;

/** Asks for what happened to recent messages, while the line is open. Answers may repeat; who takes them knows what it has. */
export function receiptPull(
	context: LineContext,
	options: {
		readonly every: string | undefined;
		/** Type of the channel. */
		readonly way: string;
		readonly questions: (recent: readonly RecentMessage[]) => readonly Question[];
	},
): Pick<ChannelLine, 'start' | 'close'> {
	if (options.every === undefined) return {};
	const { clock, log, inbound, line } = context;
	const everyMs = Math.max(LEAST_EVERY_MS, parseDuration(options.every));
	let asked = new Map<string, number>();
	let round = 0;
	const repetition = new Repetition({
		clock,
		everyMs: () => everyMs,
		waitFirst: true,
		run: async (signal) => {
			round++;
			const questions = options.questions(await inbound.recent(line));
			asked = new Map(questions.map(({ name }) => [name, asked.get(name) ?? 0]));
			const due = [...questions].sort((a, b) => (asked.get(a.name) ?? 0) - (asked.get(b.name) ?? 0)).slice(0, QUESTIONS_PER_ROUND);
			let failure: Exclude<PulledAnswer, { kind: 'answer' }> | null = null;
			for (const { name, ask } of due) {
				if (signal.aborted) return;
				const answer = await ask(signal);
				asked.set(name, round);
				if (answer.kind === 'answer') await takeIncoming(context, options.way, answer.incoming);
				else failure = answer;
			}
			if (failure !== null)
				throw new AppError('FN_ALERTS_PULL', `"${line}" was asked for receipts and answered ${failure.code}: ${failure.reason}`, {
					retryable: failure.kind === 'retry',
				});
		},
		onFailure: (error, again) => {
			if (!again)
				log.warn({ channel: line, error: errorText(error) }, 'receipts cannot be asked for; those that are waited for will be missed');
		},
		onRecovery: () => log.info({ channel: line }, 'receipts can be asked for again'),
	});
	return { start: () => repetition.start(), close: () => repetition.stop() };
}
