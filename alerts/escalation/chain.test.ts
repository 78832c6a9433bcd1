import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { advance, beginChain, buildPolicy, type Chain, type ChainPosition, chooseChain, isExhausted } from './chain.ts';
import { clockText, type FaultFacts, noticeText, reminderDue } from './progress.ts';
import { personAt } from './targets.ts';

const chain = (steps: readonly (readonly [number, number])[], rounds: number): Chain => ({
	policy: 'p',
	steps: steps.map(([waitMs, times], i) => ({ to: [`person:${i}`], waitMs, times })),
	rounds,
	unacknowledgeAfterMs: 0,
});

describe('a chain that nobody answers', () => {
	test('makes every call of every round in order, each after its wait, and then ends', () => {
		fc.assert(
			fc.property(
				fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.integer({ min: 1, max: 4 })), { minLength: 1, maxLength: 5 }),
				fc.integer({ min: 1, max: 4 }),
				fc.func(fc.boolean()),
				(steps, rounds, reachable) => {
					fc.pre(steps.some((_, step) => reachable(step)));
					const made = chain(steps, rounds);
					let position: ChainPosition = beginChain(0);
					const calls: string[] = [];
					const wanted: string[] = [];
					let atMs = 0;
					for (let round = 0; round < rounds; round++) {
						for (const [step, [waitMs, times]] of steps.entries()) {
							const reached = reachable(step);
							for (let time = 0; time < (reached ? times : 1); time++) {
								wanted.push(`${atMs} ${round} ${step} ${time}`);
								atMs += reached ? waitMs : 0;
							}
						}
					}
					while (!isExhausted(made, position)) {
						const nowMs = position.dueAtMs ?? Number.NaN;
						calls.push(`${nowMs} ${position.round} ${position.step} ${position.time}`);
						position = advance(made, position, { nowMs, reached: reachable(position.step) });
					}
					expect(calls).toEqual(wanted);
					expect(position.dueAtMs).toBe(atMs);
					expect(advance(made, position, { nowMs: atMs, reached: true }).dueAtMs).toBeNull();
				},
			),
		);
	});

	test('a round in which nobody could be called is tried again, until somebody comes on duty', () => {
		const made = chain(
			[
				[120_000, 2],
				[300_000, 1],
			],
			1,
		);
		const nobody = { nowMs: 1000, reached: false };
		const second = advance(made, beginChain(1000), nobody);
		expect(second).toEqual({ round: 0, step: 1, time: 0, reached: false, dueAtMs: 1000 });
		const again = advance(made, second, nobody);
		expect(again).toEqual({ round: 0, step: 0, time: 0, reached: false, dueAtMs: 301_000 });
		expect(isExhausted(made, again)).toBe(false);
		const called = advance(made, advance(made, again, { nowMs: 301_000, reached: true }), { nowMs: 421_000, reached: true });
		const over = advance(made, called, { nowMs: 541_000, reached: false });
		expect(isExhausted(made, over)).toBe(true);
		expect(advance(chain([[0, 1]], 1), beginChain(0), { nowMs: 0, reached: false }).dueAtMs).toBe(60_000);
	});

	test('the first policy whose conditions all hold is taken', () => {
		const policy = (name: string, more: object) =>
			buildPolicy({
				name,
				severities: [],
				services: [],
				fault_levels: [],
				matchers: [],
				steps: [{ to: ['person:a'], wait: '1m', times: 1 }],
				rounds: 1,
				unacknowledge_after: '1h',
				...more,
			});
		const policies = [
			policy('level', { fault_levels: ['1', '2'] }),
			policy('mis', { severities: ['critical'], services: ['mis'] }),
			policy('dba', { matchers: ['team="dba"', 'host!~"test-.*"'] }),
		];
		const chosen = (severity: string, labels: Record<string, string>, faultLevel: string | null = null) =>
			chooseChain(policies, { severity, labels, faultLevel })?.policy ?? null;
		expect(chosen('critical', { service: 'mis' })).toBe('mis');
		expect(chosen('critical', { service: 'mis' }, '2')).toBe('level');
		expect(chosen('critical', { service: 'mis' }, '3')).toBe('mis');
		expect(chosen('warning', { service: 'mis' })).toBeNull();
		expect(chosen('warning', { team: 'dba', host: 'db-1' })).toBe('dba');
		expect(chosen('warning', { team: 'dba', host: 'test-1' })).toBeNull();
	});
});

describe('reports of progress', () => {
	const at = (hour: number, minute: number) => Date.UTC(2026, 10, 21, hour - 8, minute);
	const fault: FaultFacts = {
		id: 'f',
		number: 3,
		title: 'MIS 不可用',
		service: 'mis',
		fingerprint: null,
		level: '1',
		levelName: '一级',
		onsetMs: at(8, 50),
		declaredMs: at(9, 0),
		restoredMs: null,
		deadline: { name: '解决', dueMs: at(11, 0) },
		progressDueMs: at(10, 15),
		tell: ['运维处'],
	};
	const zone = 'Asia/Shanghai';

	test('every message says how long is left, or by how much it is late', () => {
		expect(clockText(fault, at(9, 23), zone)).toBe('一级 剩 1:37 下次通报 10:15');
		expect(clockText(fault, at(11, 5), zone)).toBe('一级 超时 0:05 下次通报 10:15');
		expect(clockText({ ...fault, deadline: null, progressDueMs: null }, at(9, 23), zone)).toBe('一级');
	});

	test('each is reminded of once, five minutes ahead, and not after the end', () => {
		expect(reminderDue(fault, null, at(10, 9))).toBe(false);
		expect(reminderDue(fault, null, at(10, 10))).toBe(true);
		expect(reminderDue(fault, at(10, 15), at(10, 12))).toBe(false);
		expect(reminderDue({ ...fault, progressDueMs: at(11, 15) }, at(10, 15), at(11, 10))).toBe(true);
		expect(reminderDue({ ...fault, restoredMs: at(10, 0) }, null, at(10, 12))).toBe(false);
	});

	test('the texts are ready to be sent, with gaps where only a person knows', () => {
		const context = { nowMs: at(9, 23), zone, sender: '张伟' };
		expect(noticeText('first', fault, context).split('\n')).toEqual([
			'【首报】故障 3：MIS 不可用',
			'级别：一级',
			'发生：2026-11-21 08:50',
			'申报：2026-11-21 09:00',
			'影响：____',
			'处置：正在处理，要求 2026-11-21 11:00 前解决，____',
			'下次通报：2026-11-21 10:15',
			'张伟 2026-11-21 09:23',
		]);
		expect(noticeText('progress', fault, context)).toContain('已持续：0:33\n时限：一级 剩 1:37 下次通报 10:15\n进展：____');
		const over = noticeText('final', { ...fault, restoredMs: at(10, 20) }, { ...context, nowMs: at(12, 0) });
		expect(over).toContain('恢复：2026-11-21 10:20\n历时：1:30\n原因：____');
	});
});

test('a gateway’s way of writing a number is still the same person', () => {
	const person = { id: 'zhang', name: '张伟', account: '', addresses: [{ channel: 'sms', to: '13800000001' }] };
	const directory = { people: new Map([['zhang', person]]), teams: new Map(), rosters: new Map() };
	for (const to of ['13800000001', '+8613800000001', '8613800000001', '008613800000001', '138 0000 0001'])
		expect(personAt(directory, { channel: 'sms', to })?.id, to).toBe('zhang');
	for (const to of ['13800000002', '8613800000002', '3800000001', '86138000000011'])
		expect(personAt(directory, { channel: 'sms', to }), to).toBeNull();
	expect(personAt(directory, { channel: 'wechat', to: '13800000001' })).toBeNull();
});
