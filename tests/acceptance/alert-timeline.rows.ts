import type { TimelineRow, Trial } from '../harness/alert-timeline.ts';
import { recordSent, reload } from '../harness/alert-timeline.ts';
import type { FakeWebhook } from '../harness/fake-webhook.ts';

/** Times of a row's route; a row may name others. */
export const TIMES = 'group_wait: 1s, group_interval: 2s, repeat_interval: 1h';

export interface Row extends TimelineRow {
	readonly times?: string;
	/** A collector of its own, because the row does something to all of it. */
	readonly alone?: { readonly resolveTimeout: string };
}

/** Seconds of each row: what is done, what must be told, and up to when nothing else. */
export const ROWS: readonly Row[] = [
	{
		id: 'grouping',
		name: 'grouping: a group waits for company, and what joins later for the interval',
		steps: [
			{ at: 1, act: ({ fire }) => fire(['A']) },
			{ at: 1.2, withinMs: 700, act: ({ fire }) => fire(['B']) },
			{ at: 2, after: 1, withinMs: 1500, act: ({ fire }) => fire(['C']) },
		],
		want: [
			{ from: 2, to: 2.5, text: 'A B' },
			{ from: 4, to: 4.5, text: 'A B C' },
		],
		until: 9,
	},
	{
		id: 'repeats',
		name: 'repeats: an alert that goes on is told again after repeat_interval, and not once it is over',
		times: 'group_wait: 1s, group_interval: 2s, repeat_interval: 4s',
		steps: [
			{ at: 1, act: ({ fire }) => fire(['A']) },
			{ at: 10, after: 3, withinMs: 1500, act: ({ resolve }) => resolve(['A']) },
		],
		want: [
			{ from: 2, to: 2.5, text: 'A' },
			{ from: 6, to: 6.5, text: 'A' },
			{ from: 10, to: 10.5, text: 'A' },
			{ from: 12, to: 12.5, text: '-A' },
		],
		until: 17,
	},
	{
		id: 'recovery',
		name: 'recovery: told once however often it is posted, and what fires again is told anew',
		steps: [
			{ at: 1, act: ({ fire }) => fire(['A']) },
			{ at: 2, after: 1, act: ({ resolve }) => resolve(['A']) },
			{ at: 4, after: 2, act: ({ resolve }) => resolve(['A']) },
			{ at: 6, act: ({ fire }) => fire(['A']) },
		],
		want: [
			{ from: 2, to: 2.5, text: 'A' },
			{ from: 4, to: 4.5, text: '-A' },
			{ from: 7, to: 7.5, text: 'A' },
		],
		until: 12,
	},
	{
		id: 'brief',
		name: 'recovery: what came and went within group_wait is told to nobody',
		steps: [
			{ at: 1, act: ({ fire }) => fire(['A']) },
			{ at: 1.2, withinMs: 700, act: ({ resolve }) => resolve(['A']) },
		],
		want: [],
		until: 7,
	},
	{
		id: 'expiry',
		name: 'recovery: an alert that nobody posts any more is over at its end, and not before',
		steps: [{ at: 1, withinMs: 900, act: ({ fire }) => fire(['A'], { endsInMs: 4000 }) }],
		want: [
			{ from: 2, to: 2.5, text: 'A' },
			{ from: 5, to: 6.5, text: '-A' },
		],
		until: 10,
	},
	{
		id: 'inhibition',
		name: 'inhibition: a consequence is told when its cause is gone',
		steps: [
			{ at: 1, act: ({ fire }) => fire(['Cause', 'Effect']) },
			{ at: 5, after: 1, act: ({ resolve }) => resolve(['Cause']) },
		],
		want: [
			{ from: 2, to: 2.5, text: 'Cause' },
			{ from: 5, to: 6.5, text: 'Effect -Cause' },
		],
		until: 10,
	},
	{
		id: 'silence-ends',
		name: 'silences: what one hid is told when it ends',
		steps: [
			{ at: 1, act: ({ silence }) => silence(5000) },
			{ at: 1, withinMs: 3000, act: ({ fire }) => fire(['A']) },
		],
		want: [{ from: 6, to: 8.5, text: 'A' }],
		until: 12,
	},
	{
		id: 'silence-lifted',
		name: 'silences: one that is taken away hides no longer, and none keeps back the recovery of what was told',
		steps: [
			{
				at: 1,
				act: async (trial) => {
					await trial.silence(3_600_000);
					await trial.fire(['A']);
				},
			},
			{ at: 5, act: ({ unsilence }) => unsilence() },
			{
				at: 5,
				after: 1,
				act: async (trial) => {
					await trial.silence(3_600_000);
					await trial.resolve(['A']);
				},
			},
		],
		want: [
			{ from: 5, to: 7.5, text: 'A' },
			{ from: 7, to: 9.5, text: '-A' },
		],
		until: 13,
	},
	{
		id: 'retries',
		name: 'retries: after one second and then two, until it is taken, and then no more',
		steps: [{ at: 1, act: (trial) => failing(trial, { kind: 'status', status: 503 }, 2) }],
		want: [{ from: 5, to: 5.5, text: 'A' }],
		statuses: [503, 503, 200],
		until: 11,
	},
	{
		id: 'retry-after',
		name: 'retries: as late as the channel asks',
		steps: [{ at: 1, act: (trial) => failing(trial, { kind: 'status', status: 429, retryAfter: '4' }) }],
		want: [{ from: 6, to: 6.5, text: 'A' }],
		statuses: [429, 200],
		until: 10,
	},
	{
		id: 'dropped',
		name: 'retries: what may have arrived says so when it comes again',
		steps: [{ at: 1, act: (trial) => failing(trial, { kind: 'accept-and-drop' }) }],
		want: [
			{ from: 2, to: 2.5, text: 'A' },
			{ from: 3, to: 3.5, text: 'A (possibly again)' },
		],
		statuses: [200, 200],
		until: 8,
	},
	{
		id: 'refused',
		name: 'retries: none after a refusal for good',
		steps: [{ at: 1, act: (trial) => failing(trial, { kind: 'status', status: 400 }) }],
		want: [],
		statuses: [400],
		until: 8,
	},
	{
		id: 'chain',
		name: 'escalation: called, called again, the next one; whoever was called hears that it is over',
		steps: [
			{ at: 1, act: ({ fire }) => fire(['A/service=chain']) },
			{ at: 5, after: 3, act: ({ resolve }) => resolve(['A/service=chain']) },
		],
		want: [
			{ ear: 'zhang', from: 1, to: 1.5, text: 'A' },
			{ ear: 'zhang', from: 3, to: 3.5, text: 'A' },
			{ ear: 'li', from: 5, to: 5.5, text: 'A' },
			{ ear: 'zhang', from: 5, to: 7, text: '-A' },
			{ ear: 'li', from: 5, to: 7, text: '-A' },
		],
		until: 10,
	},
	{
		id: 'taken',
		name: 'escalation: ends when somebody takes it, and begins again when nothing came of it',
		steps: [
			{ at: 1, act: ({ fire }) => fire(['A/service=taken']) },
			{ at: 1, after: 1, withinMs: 1500, act: ({ take }) => take() },
			{ at: 5, after: 2, withinMs: 1500, act: ({ take }) => take() },
			{ at: 7, act: ({ resolve }) => resolve(['A/service=taken']) },
		],
		want: [
			{ ear: 'wang', from: 1, to: 1.5, text: 'A' },
			{ ear: 'wang', from: 5, to: 5.5, text: 'A' },
			{ ear: 'wang', from: 7, to: 8, text: '-A' },
		],
		until: 11,
	},
	{
		id: 'cold-start',
		name: 'cold start: what was not told is told once, nothing twice, and nothing is over before there was time to post it again',
		alone: { resolveTimeout: '4s' },
		steps: [
			{ at: 1, act: ({ fire }) => fire(['A']) },
			{
				at: 2,
				after: 1,
				withinMs: 1500,
				act: async ({ collector, fire }) => {
					await recordSent(collector);
					await fire(['B/part=late']);
					await collector.kill();
				},
			},
			{ at: 6, act: ({ collector }) => collector.start() },
		],
		want: [
			{ from: 2, to: 2.5, text: 'A' },
			{ from: 10, to: 16, text: '-A' },
			{ ear: 'late', from: 6, to: 10, text: 'B' },
			{ ear: 'late', from: 10, to: 16, text: '-B' },
		],
		until: 19,
	},
	{
		id: 'reload',
		name: 'reload: the new receiver hears at once, a bad file changes nothing, and each hears the recovery that it is owed',
		alone: { resolveTimeout: '5m' },
		steps: [
			{ at: 1, act: ({ fire }) => fire(['A']) },
			{ at: 4, after: 1, act: ({ collector }) => reload(collector, (text) => text.replace('receiver: reload,', 'receiver: other,')) },
			{ at: 4, after: 2, act: ({ collector }) => reload(collector, (text) => text.replace('receivers:', 'recievers:')) },
			{ at: 4, act: ({ fire }) => fire(['B']) },
			{ at: 4, after: 3, act: ({ resolve }) => resolve(['A', 'B']) },
		],
		want: [
			{ from: 2, to: 2.5, text: 'A' },
			{ ear: 'other', from: 4, to: 5, text: 'A' },
			{ ear: 'other', from: 6, to: 7, text: 'A B' },
			{ from: 6, to: 9.5, text: '-A' },
			{ ear: 'other', from: 8, to: 9.5, text: '-A -B' },
		],
		until: 13,
	},
];

async function failing(trial: Trial, fault: Parameters<FakeWebhook['fail']>[0], times = 1): Promise<void> {
	trial.hook.fail(fault, times);
	await trial.fire(['A']);
}
