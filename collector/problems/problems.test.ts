import { join } from 'node:path';
import { Gauge, Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import type { Problem } from '../../protocol/problem-api.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { assess } from '../contracts/assess.ts';
import { periodOf } from '../contracts/period.ts';
import { loadProfiles } from '../contracts/profile-files.ts';
import type { HolidayYear } from '../inventory/config.ts';
import { createAttachments } from '../state/attachments.ts';
import { openStateDatabase, type StateDatabase } from '../state/database.ts';
import { applyToProblem, type ProblemAction } from './problem.ts';
import { type DueProblem, problemWatch } from './problem-watch.ts';
import { createProblems, type Problems } from './problems.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
/** A Monday. */
const T0 = Date.parse('2021-08-09T10:00:00+08:00');
const clockRules: { zone: string; holidays: HolidayYear[]; closed: () => [] } = { zone: 'Asia/Shanghai', holidays: [], closed: () => [] };
const profiles = loadProfiles(join(import.meta.dirname, '../../rules/contracts'));
const profileNamed = (id: string, answers = {}) => (profiles.find((one) => one.id === id) ?? profiles[0])?.with(answers) as never;
const request = {
	channel: 'phone',
	reporter: '刘工',
	contact: '028-1234',
	department: '武侯区',
	service: null,
	category: '登录',
	title: '登录不了',
	text: '提示密码错误',
	receivedMs: T0,
} as const;

let folder: TemporaryFolder;
let state: StateDatabase;
let nowMs = T0;
let problems: Problems;
const clock = { ...systemClock, now: () => nowMs };
const open = () =>
	createProblems({
		state,
		files: { attachments: createAttachments(folder.path), maxBytes: () => 100 },
		profileOf: () => profileNamed('chengdu-2021'),
		profile: profileNamed,
		clockRules: () => clockRules,
		clock,
	});

beforeEach(async () => {
	folder = temporaryFolder('problems');
	state = await openStateDatabase(folder.path);
	nowMs = T0;
	problems = open();
});
afterEach(async () => {
	await state.destroy();
	folder.remove();
});

/** Does the steps one after the other, each at its minute after the reception. */
async function go(id: string, steps: readonly (readonly [minutes: number, action: ProblemAction])[]): Promise<void> {
	for (const [minutes, action] of steps) {
		nowMs = T0 + minutes * MINUTE;
		await problems.act(id, action, 'ann');
	}
}
const accept: ProblemAction = { kind: 'accept' };
const handOver: ProblemAction = { kind: 'hand-over', to: 'bob', note: '' };
const answer = (text: string): ProblemAction => ({ kind: 'answer', text, channel: 'phone' });
const confirm: ProblemAction = { kind: 'confirm', by: '刘工', channel: 'phone', note: '' };
const reject: ProblemAction = { kind: 'reject', by: '刘工', reason: '还是不行' };

describe('the life of a problem', () => {
	test('is received at the turn of a year whose holidays nobody has entered; the clock that needs them comes with them', async () => {
		nowMs = Date.parse('2099-12-31T10:00:00+08:00');
		const { problem, clocks } = await problems.receive({ ...request, receivedMs: nowMs }, 'ann');
		expect(clocks.map((one) => one.clock)).toEqual(['hand-over']);
		expect((await problems.list('open')).map((one) => one.problem.id)).toEqual([problem.id]);
		clockRules.holidays = [
			{ year: 2099, off: ['01-01'], work: [] },
			{ year: 2100, off: ['01-01'], work: [] },
		];
		try {
			expect((await problems.get(problem.id)).clocks.map((one) => one.clock)).toEqual(['hand-over', 'answer']);
		} finally {
			clockRules.holidays = [];
		}
	});

	test('is received, accepted, handed over, answered, and closed by its reporter; a restart forgets nothing', async () => {
		const { problem } = await problems.receive(request, 'ann');
		await go(problem.id, [
			[3, accept],
			[6, handOver],
			[90, answer('已重置密码')],
		]);
		expect((await problems.list('open')).map(({ number, problem: { stage, owner } }) => [number, stage, owner])).toEqual([
			[1, 'answered', 'bob'],
		]);
		await go(problem.id, [[100, confirm]]);
		problems = open();
		expect(await problems.get(problem.id)).toMatchObject({
			number: 1,
			problem: { stage: 'closed', confirmedBy: '刘工', closedMs: T0 + 100 * MINUTE },
		});
		expect(await problems.list('open')).toEqual([]);
		const events = await problems.events(problem.id);
		expect(events.map(({ body: { kind } }) => kind)).toEqual(['receive', 'accept', 'hand-over', 'answer', 'confirm']);
		const replayed = events.reduce<Problem | null>((known, event) => applyToProblem(problem.id, known, event), null);
		expect((await problems.get(problem.id)).problem).toEqual(replayed);
	});

	test('goes on when the reporter does not accept the answer, also after it was closed', async () => {
		const { problem } = await problems.receive(request, 'ann');
		await go(problem.id, [
			[1, accept],
			[2, handOver],
			[5, answer('重启')],
			[9, reject],
			[20, answer('换了浏览器')],
			[30, confirm],
			[60, reject],
		]);
		const { problem: now } = await problems.get(problem.id);
		expect([now.stage, now.confirmedBy, now.rounds.map(({ answer: text }) => text)]).toEqual(['handed', '', ['重启', '换了浏览器', '']]);
	});

	test.each<{ name: string; steps: [number, ProblemAction][]; step: ProblemAction }>([
		{ name: 'answered before it was handed over', steps: [[1, accept]], step: answer('x') },
		{ name: 'handed over before it was accepted', steps: [], step: handOver },
		{ name: 'accepted twice', steps: [[1, accept]], step: accept },
		{
			name: 'closed without an answer',
			steps: [
				[1, accept],
				[2, handOver],
			],
			step: confirm,
		},
		{
			name: 'refused before an answer',
			steps: [
				[1, accept],
				[2, handOver],
			],
			step: reject,
		},
		{ name: 'accepted in the future', steps: [], step: { kind: 'accept', momentMs: T0 + DAY } },
		{ name: 'accepted before it was reported', steps: [], step: { kind: 'accept', momentMs: T0 - 1 } },
		{ name: 'put off until yesterday', steps: [[1, accept]], step: { kind: 'tell-delay', untilMs: T0 - DAY, text: 'x', channel: 'qq' } },
		{
			name: 'withdrawn after the answer',
			steps: [
				[1, accept],
				[2, handOver],
				[3, answer('x')],
			],
			step: { kind: 'withdraw', reason: 'x' },
		},
	])('is not $name', async ({ steps, step }) => {
		const { problem } = await problems.receive(request, 'ann');
		await go(problem.id, steps);
		await expect(problems.act(problem.id, step, 'ann')).rejects.toMatchObject({ code: 'FN_PROBLEM_STEP', status: 409 });
		expect(await problems.events(problem.id)).toHaveLength(steps.length + 1);
	});

	test('cannot be reported in the future, and nothing is known of one that does not exist', async () => {
		await expect(problems.receive({ ...request, receivedMs: T0 + 1 }, 'ann')).rejects.toMatchObject({ code: 'FN_PROBLEM_STEP' });
		await expect(problems.get('x')).rejects.toMatchObject({ code: 'FN_PROBLEM_UNKNOWN', status: 404 });
	});

	test('two people who accept at once do not both succeed', async () => {
		const { problem } = await problems.receive(request, 'ann');
		const both = await Promise.allSettled([problems.act(problem.id, accept, 'ann'), problems.act(problem.id, accept, 'bob')]);
		expect(both.map((one) => (one.status === 'rejected' ? String(one.reason.code) : one.status)).sort()).toEqual([
			'FN_PROBLEM_STEP',
			'fulfilled',
		]);
	});
});

describe('the contract', () => {
	const items = async (answers = {}) => {
		const profile = profileNamed('chengdu-2021', answers);
		const period = periodOf(profile, 'q1');
		const assessed = await problems.assessed(profile, period.fromMs, period.toMs);
		const { items: found, next } = assess(
			profile,
			period,
			{ faults: [], services: [], records: [], problems: assessed, nowMs },
			clockRules,
		);
		return {
			found: found.map(({ key, counted, clock: name }) => [key.split(':').at(-1), counted, name]),
			next: next.filter(({ problemId }) => problemId !== null),
		};
	};

	test('costs a point for every half-hour that an answer is late, up to the answer', async () => {
		const { problem } = await problems.receive(request, 'ann');
		await go(problem.id, [
			[5, accept],
			[9, handOver],
		]);
		// Three working days after Monday end with Thursday.
		const dueMs = Date.parse('2021-08-13T00:00:00+08:00');
		nowMs = dueMs;
		expect((await items()).found).toEqual([]);
		nowMs = dueMs + 1;
		expect((await items()).found).toEqual([['answer-1', -100, 'answer']]);
		nowMs = dueMs + 61 * MINUTE;
		expect((await items()).found).toEqual([['answer-1', -300, 'answer']]);
		await problems.act(problem.id, answer('x'), 'bob');
		nowMs += 5 * DAY;
		expect((await items()).found).toEqual([['answer-1', -300, 'answer']]);
	});

	test('prices nothing by a guess at the turn of a year: until then nothing is late, and later nobody can tell', () => {
		clockRules.holidays = [{ year: 2099, off: ['01-01'], work: [] }];
		try {
			const atMs = Date.parse('2099-12-31T10:00:00+08:00');
			const profile = profileNamed('chengdu-2021');
			const period = { ...periodOf(profile, 'q1'), fromMs: atMs - DAY, toMs: atMs + 30 * DAY };
			const rounds = [{ fromMs: atMs, answeredMs: null, delayUntilMs: null }];
			const late = { id: 'p', number: 1, service: null, receivedMs: atMs, handedMs: atMs, rounds };
			const priced = (at: number) =>
				assess(profile, period, { faults: [], services: [], records: [], problems: [late], nowMs: at }, clockRules).items;
			expect(priced(atMs + 60 * MINUTE)).toEqual([]);
			expect(() => priced(atMs + DAY)).toThrow(expect.objectContaining({ code: 'FN_CALENDAR_YEAR' }));
		} finally {
			clockRules.holidays = [];
		}
	});

	test('waits as long as the reporter was told, and no longer; a refused answer starts it anew', async () => {
		const { problem } = await problems.receive(request, 'ann');
		const untilMs = T0 + 9 * DAY;
		await go(problem.id, [
			[5, accept],
			[9, handOver],
			[60, { kind: 'tell-delay', untilMs, text: '需要厂家', channel: 'wechat' }],
		]);
		nowMs = untilMs;
		expect((await items()).found).toEqual([]);
		nowMs = untilMs + 1;
		expect((await items()).found).toEqual([['answer-1', -100, 'answer']]);
		await problems.act(problem.id, answer('x'), 'bob');
		await problems.act(problem.id, reject, 'ann');
		nowMs += 30 * DAY;
		expect((await items()).found.map(([key]) => key)).toEqual(['answer-1', 'answer-2']);
	});

	test('prices late handing over only where the contract is read so, and nothing that was withdrawn', async () => {
		const { problem } = await problems.receive(request, 'ann');
		await go(problem.id, [
			[5, accept],
			[41, handOver],
		]);
		expect((await items()).found).toEqual([]);
		expect((await items({ desk_late_clocks: 'both' })).found).toEqual([['hand-over-1', -200, 'hand-over']]);
		await problems.act(problem.id, { kind: 'withdraw', reason: '误报' }, 'ann');
		expect((await items({ desk_late_clocks: 'both' })).found).toEqual([]);
	});

	test('says how long it is to the next point', async () => {
		await problems.receive(request, 'ann');
		nowMs = Date.parse('2021-08-13T00:10:00+08:00');
		expect((await items()).next).toMatchObject([{ clock: 'answer', seconds: 20 * 60, centipoints: 100, fen: 10_000 }]);
	});
});

test('people are told before the ten minutes are over, and until it is done', async () => {
	const registers = [new Registry()];
	const told: (readonly DueProblem[])[] = [];
	const openGauge = new Gauge({ name: 'a', help: 'a', labelNames: ['stage'], registers });
	const late = new Gauge({ name: 'b', help: 'b', registers });
	const watch = problemWatch({ problems, tell: async (due) => void told.push(due), clock, log: silentLogger, open: openGauge, late });
	const { problem } = await problems.receive(request, 'ann');
	const turnAt = async (minutes: number) => {
		nowMs = T0 + minutes * MINUTE;
		await watch.turn();
		return told.splice(0).flatMap((due) => due.map(({ clock: { clock: name, late: isLate } }) => [name, isLate]));
	};
	expect(await turnAt(6)).toEqual([]);
	expect(await turnAt(7)).toEqual([['hand-over', false]]);
	expect(await turnAt(11)).toEqual([['hand-over', true]]);
	expect((await late.get()).values[0]?.value).toBe(1);
	await go(problem.id, [
		[12, accept],
		[13, handOver],
	]);
	expect(await turnAt(14)).toEqual([]);
	expect((await openGauge.get()).values.map(({ labels, value }) => [labels.stage, value])).toContainEqual(['handed', 1]);
});

test('what users ask most, with the answer that was accepted', async () => {
	for (const [title, text] of [
		['登录不了', '重置密码'],
		['登录很慢', '换网络'],
	] as const) {
		const { problem } = await problems.receive({ ...request, title }, 'ann');
		await go(problem.id, [
			[1, accept],
			[2, handOver],
			[3, answer(text)],
			[4, confirm],
		]);
	}
	await problems.receive({ ...request, category: '地图', title: '地图空白' }, 'ann');
	expect(await problems.frequent(T0 - 1, T0 + DAY)).toEqual({
		categories: [
			{ category: '登录', count: 2, reopened: 0, answer: '换网络', titles: ['登录很慢', '登录不了'] },
			{ category: '地图', count: 1, reopened: 0, answer: '', titles: ['地图空白'] },
		],
	});
});

test('files are kept with the problem until it is closed, and found again', async () => {
	const { problem } = await problems.receive(request, 'ann');
	const attached = await problems.attach(problem.id, '截图.png', Buffer.from('pixels'), 'ann');
	expect(attached.problem.attachments).toMatchObject([{ id: '1', name: '截图.png', sizeBytes: 6 }]);
	expect(await open().attachment(problem.id, '1')).toEqual({ name: '截图.png', bytes: Buffer.from('pixels') });
	expect((await problems.events(problem.id)).at(-1)).toMatchObject({ actor: 'ann', body: { kind: 'attach', name: '截图.png' } });
	await expect(problems.attachment(problem.id, '2')).rejects.toMatchObject({ code: 'FN_PROBLEM_UNKNOWN' });
	for (const size of [0, 101])
		await expect(problems.attach(problem.id, 'x', Buffer.alloc(size), 'ann')).rejects.toMatchObject({ code: 'FN_DESK_ATTACHMENT' });
	await problems.act(problem.id, { kind: 'withdraw', reason: 'twice' }, 'ann');
	await expect(problems.attach(problem.id, 'x', Buffer.from('x'), 'ann')).rejects.toMatchObject({ code: 'FN_PROBLEM_STEP' });
	expect((await problems.get(problem.id)).problem.attachments).toHaveLength(1);
});

test('a problem that was written before it could have files is read as one without', async () => {
	const { problem } = await problems.receive(request, 'ann');
	const { attachments: _none, ...old } = problem;
	await state
		.updateTable('desk_case')
		.set({ state: JSON.stringify(old) })
		.where('id', '=', problem.id)
		.execute();
	expect((await problems.get(problem.id)).problem.attachments).toEqual([]);
});
