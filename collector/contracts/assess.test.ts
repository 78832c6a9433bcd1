import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assess } from './assess.ts';
import { periodAt } from './period.ts';
import { CLOCKS, shippedProfile as profileOf, readScenario, runScenario as run } from './scenario.fixture.ts';
import { threeScores } from './scores.ts';

const NAMES = ['chengdu-2021', 'shaanxi-2023', 'zhaoqing-2025'];

describe.each(NAMES)('the scenario of %s', (name) => {
	test('gives exactly the score worked out by hand', () => {
		const { scenario, result } = run(name);
		expect(Object.fromEntries(result.items.map((item) => [item.key, item.counted / 100]))).toEqual(scenario.expect.items);
		expect({
			score: result.score.centipoints / 100,
			deducted: result.score.deducted / 100,
			bonus: result.score.bonus / 100,
			yuan: result.score.fen / 100,
		}).toEqual({
			score: scenario.expect.score,
			deducted: scenario.expect.deducted,
			bonus: scenario.expect.bonus,
			yuan: scenario.expect.yuan,
		});
	});

	test('links every point to a clause, and to a fault with its clock, a service or a record', () => {
		for (const item of run(name).result.items) {
			expect(item.clause).not.toBe('');
			expect(item.faultId ?? item.problemId ?? item.service ?? item.recordId).not.toBeNull();
			if (item.rule.startsWith('late')) expect(item.clock).not.toBeNull();
		}
	});

	test('does not depend on the order of its input', () => {
		const { scenario, result } = run(name);
		const { faults, services, records } = scenario.input;
		const shuffled = <T>(values: readonly T[]) => fc.shuffledSubarray([...values], { minLength: values.length });
		fc.assert(
			fc.property(shuffled(faults), shuffled(services), shuffled(records), (someFaults, someServices, someRecords) => {
				const again = run(name, {}, { faults: someFaults, services: someServices, records: someRecords }).result;
				expect(again).toEqual(result);
			}),
			{ numRuns: 30 },
		);
	});

	test('never costs less for another late fault', () => {
		const { scenario, result } = run(name);
		for (const fault of scenario.input.faults) {
			const without = run(name, {}, { faults: scenario.input.faults.filter((other) => other !== fault) }).result;
			expect(without.score.deducted).toBeLessThanOrEqual(result.score.deducted);
		}
	});

	test('can be priced under the other profiles too', () => {
		const { scenario } = run(name);
		for (const other of NAMES) {
			const profile = profileOf(other, { term: 'open' });
			const period = periodAt(profile, Date.parse('2025-03-10T00:00:00+08:00'));
			expect(assess(profile, period, scenario.input, CLOCKS).profile).toBe(other);
		}
	});
});

test.each([
	{ name: 'chengdu-2021', answers: { outage_15_to_30: 'as_30_to_60' }, deducted: 22.8 },
	{ name: 'chengdu-2021', answers: { outage_15_to_30: 'as_5_to_15' }, deducted: 22.3 },
	{ name: 'chengdu-2021', answers: { outage_over_60: 'as_30_to_60' }, deducted: 22.3 },
	{ name: 'chengdu-2021', answers: { outage_services: 'all' }, deducted: 22.8 },
	{ name: 'shaanxi-2023', answers: { partial_step: 'whole' }, deducted: 64.8 },
	// 28.1218 steps at 0.2 are 5.62436 points, truncated to hundredths.
	{ name: 'shaanxi-2023', answers: { partial_step: 'share' }, deducted: 64.62 },
	{ name: 'shaanxi-2023', answers: { step_points: 'score' }, deducted: 79 },
	{ name: 'shaanxi-2023', answers: { step_points: 'score', step_max: 'score' }, deducted: 87 },
	{ name: 'shaanxi-2023', answers: { group_max: 'capped' }, deducted: 20 },
	{ name: 'shaanxi-2023', answers: { at_once: 'five_minutes' }, deducted: 64.6 },
	{ name: 'zhaoqing-2025', answers: { item_weight: 'eight' }, deducted: 23 },
])('$name with $answers deducts $deducted', ({ name, answers, deducted }) => {
	expect(run(name, answers as Record<string, string>).result.score.deducted / 100).toBe(deducted);
});

describe('downtime that the contractor does not answer for', () => {
	const outage = {
		id: 'o',
		service: 's',
		fromSeconds: 1_684_000_000,
		toSeconds: 1_684_001_000,
		downSeconds: 1000,
		faultId: 'F',
		excused: false,
	};
	const service = {
		service: 's',
		core: true,
		agreedSeconds: 2_678_400,
		agreedSecondsOfPeriod: 2_678_400,
		downSeconds: 1339,
		unknownSeconds: 0,
	};
	const of = (more: Partial<typeof outage>) => ({ faults: [], records: [], services: [{ ...service, outages: [{ ...outage, ...more }] }] });

	test('leaves the contractual figure', () => {
		expect(run('shaanxi-2023', {}, of({})).result.score.deducted / 100).toBe(0.6);
		// 339 s of 31 days are 1.27 steps, of which one is allowed.
		expect(run('shaanxi-2023', {}, of({ excused: true })).result.score.deducted).toBe(0);
	});

	test('costs no band, nor does what the client waived', () => {
		const { scenario } = run('chengdu-2021');
		const [first] = scenario.input.faults;
		if (first === undefined) throw new Error('the scenario has no faults');
		const fault = { ...first, id: 'F', waived: [] as readonly string[] };
		const atSeconds = Date.parse('2021-08-10T10:00:00+08:00') / 1000;
		const outages = (more: Partial<typeof outage>, waived: readonly string[] = []) => {
			const input = {
				...of({ fromSeconds: atSeconds, toSeconds: atSeconds + 400, downSeconds: 400, ...more }),
				faults: [{ ...fault, waived }],
			};
			return run('chengdu-2021', {}, input).result.items.filter(({ rule }) => rule === 'outage');
		};
		const [item] = outages({});
		const bands = run('chengdu-2021').profile.rules.flatMap((rule) => (rule.kind === 'outage' ? rule.bands : []));
		expect(item).toMatchObject({ faultId: 'F', service: 's', centipoints: -50 });
		// The clause is that of its band: over 5, up to 15 minutes.
		expect(item?.clause).toBe(bands.find(({ over }) => over === '5m')?.clause);
		expect(outages({ excused: true })).toEqual([]);
		expect(outages({}, ['outage'])).toEqual([]);
		expect(outages({ faultId: 'G' }, ['outage'])).toHaveLength(1);
	});
});

describe('time in which nothing was seen', () => {
	// 1,339 s of 31 days are 4.9993 steps of 0.01 %, and 5.0049 of what is left of them without 3,000 s; the first step is allowed.
	const one = (downSeconds: number, unknownSeconds: number, agreedSeconds = 2_678_400) => {
		const service = { service: 's', core: true, agreedSeconds, agreedSecondsOfPeriod: 2_678_400, downSeconds, unknownSeconds, outages: [] };
		return { faults: [], records: [], services: [service] };
	};
	test.each([
		{ name: 'the client bears it', answer: 'client', input: one(1339, 3000), deducted: 0.6 },
		{ name: 'the contractor bears it', answer: 'contractor', input: one(1339, 3000), deducted: 3 },
		{ name: 'it is left out', answer: 'nobody', input: one(1339, 3000), deducted: 0.8 },
		{ name: 'it is left out, and there is none', answer: 'nobody', input: one(1339, 0), deducted: 0.6 },
		{ name: 'it is left out, and nothing else is left', answer: 'nobody', input: one(0, 2_678_400), deducted: 0 },
	])('$name', ({ answer, input, deducted }) => {
		expect(run('shaanxi-2023', { unknown_time: answer }, input).result.score.deducted / 100).toBe(deducted);
	});

	test('is told beside the deduction where it was left out', () => {
		const [item] = run('shaanxi-2023', { unknown_time: 'nobody' }, one(1339, 3000)).result.items;
		expect(item?.reason).toEqual({
			zh: 's：约定 2675400 秒（未知的 3000 秒不计），中断 1339 秒（22 分 19 秒），目标 99.99 %',
			en: 's: 1339 s (22 min 19 s) down of 2675400 s agreed (3000 s unknown left out), target 99.99 %',
		});
		expect(run('shaanxi-2023', {}, one(1339, 3000)).result.items[0]?.reason.zh).toBe(
			's：约定 2678400 秒，中断 1339 秒（22 分 19 秒），目标 99.99 %',
		);
	});

	test('hides nobody who was down: what has no time left is compared with nothing', () => {
		const [down] = one(1339, 3000).services;
		const [unseen] = one(0, 2_678_400).services;
		if (down === undefined || unseen === undefined) throw new Error('no service');
		const services = [{ ...unseen, service: 'a' }, down, { ...unseen, service: 'z' }];
		expect(run('shaanxi-2023', { unknown_time: 'nobody' }, { ...one(0, 0), services }).result.score.deducted / 100).toBe(0.8);
	});

	test('pools with the others', () => {
		const [first] = one(1339, 3000).services;
		if (first === undefined) throw new Error('no service');
		const services = [first, { ...first, service: 't', downSeconds: 1339, unknownSeconds: 0 }];
		// 2,678 s of 5,353,800: 5.0020 steps; of 5,356,800: 4.9993.
		const pooled = (answer: string) =>
			run('shaanxi-2023', { combine: 'pooled', unknown_time: answer }, { ...one(0, 0), services }).result.score.deducted / 100;
		expect([pooled('client'), pooled('nobody')]).toEqual([0.6, 0.8]);
		const [item] = run('shaanxi-2023', { combine: 'pooled', unknown_time: 'nobody' }, { ...one(0, 0), services }).result.items;
		expect(item?.reason.zh).toContain('未知的 3000 秒不计');
	});

	test('shortens what the rest of an open month is measured by', () => {
		const nowMs = Date.parse('2023-05-20T00:00:00+08:00');
		const next = (answer: string) =>
			run('shaanxi-2023', { unknown_time: answer }, { ...one(0, 268_000, 1_600_000), nowMs }).result.next.find(
				({ kind }) => kind === 'downtime',
			)?.seconds;
		// 0.02 % of 2,678,400 s are 535.68 s, of 2,410,400 s 482.08 s.
		expect([next('client'), next('nobody')]).toEqual([536, 483]);
	});
});

describe('the next deduction', () => {
	const nowMs = Date.parse('2021-08-10T10:03:00+08:00');
	const first = readScenario('chengdu-2021').input.faults[0];
	if (first === undefined) throw new Error('the scenario has no faults');
	const moments = { ...first.moments, acknowledged: null, restored: null, resolved: null };
	const open = { ...first, moments, reports: [] };
	const service = {
		service: 'mis',
		core: true,
		agreedSeconds: 800_000,
		agreedSecondsOfPeriod: 4_971_600,
		downSeconds: 180,
		unknownSeconds: 0,
	};
	const outage = {
		id: 'o',
		service: 'mis',
		fromSeconds: nowMs / 1000 - 180,
		toSeconds: null,
		downSeconds: 180,
		faultId: 'F1',
		excused: false,
	};

	test('is the nearest deadline or the next band of a running outage', () => {
		const { result } = run('chengdu-2021', {}, { nowMs, faults: [open], services: [{ ...service, outages: [outage] }], records: [] });
		expect(result.next.map(({ rule, seconds, centipoints, fen }) => ({ rule, seconds, centipoints, fen }))).toEqual([
			{ rule: 'late-response', seconds: 120, centipoints: 300, fen: 30_000 },
			{ rule: 'outage', seconds: 121, centipoints: 50, fen: 5000 },
			{ rule: 'late-resolution', seconds: 7020, centipoints: 300, fen: 30_000 },
		]);
	});

	test('is the second of downtime that costs, no earlier and no later', () => {
		const atMs = Date.parse('2023-05-20T00:00:00+08:00');
		const services = (downSeconds: number) => [
			{ ...service, agreedSeconds: 2_678_400, agreedSecondsOfPeriod: 2_678_400, downSeconds, outages: [] },
		];
		const at = (downSeconds: number) => run('shaanxi-2023', {}, { nowMs: atMs, faults: [], services: services(downSeconds) }).result;
		fc.assert(
			fc.property(fc.integer({ min: 0, max: 20_000 }), (down) => {
				const now = at(down);
				const [next] = now.next;
				if (next === undefined) return;
				expect(at(down + next.seconds - 1).score.deducted).toBe(now.score.deducted);
				expect(at(down + next.seconds).score.deducted).toBe(now.score.deducted + next.centipoints);
			}),
			{ numRuns: 100 },
		);
		// 0.02 % of a month of 31 days is 535.68 s: the first whole step below 99.99 %.
		expect(at(0).next[0]?.seconds).toBe(536);
	});

	test('is a report that is due this very second, and not one that was due before', () => {
		const fault = readScenario('chengdu-2021').input.faults.find(({ id }) => id === 'F7');
		if (fault?.moments.resolved == null) throw new Error('the scenario has no such fault');
		const dueMs = fault.moments.resolved + 7 * 86_400_000;
		const reports = (atMs: number) =>
			run('chengdu-2021', {}, { nowMs: atMs, faults: [{ ...fault, reports: [] }], services: [], records: [], problems: [] }).result;
		const next = (atMs: number) => reports(atMs).next.map(({ clock, seconds }) => [clock, seconds]);
		expect(next(dueMs - 1000)).toEqual([['report:final', 1]]);
		expect(next(dueMs)).toEqual([['report:final', 0]]);
		expect(reports(dueMs).score.deducted).toBe(0);
		expect(next(dueMs + 1)).toEqual([]);
		expect(reports(dueMs + 1).score.deducted).toBe(100);
	});

	test('where the worst service counts, is that of the service that gets there first, also before anything was agreed', () => {
		const atMs = Date.parse('2023-05-20T00:00:00+08:00');
		const of = (name: string, agreed: number, ofPeriod: number, downSeconds: number) => ({
			...service,
			service: name,
			agreedSeconds: agreed,
			agreedSecondsOfPeriod: ofPeriod,
			downSeconds,
			outages: [],
		});
		const next = (...services: readonly ReturnType<typeof of>[]) =>
			run('shaanxi-2023', {}, { nowMs: atMs, faults: [], services }).result.next.map((one) => [one.service, one.seconds, one.centipoints]);
		// 0.02 % of 1,000,000 s are 200 s, of 2,678,400 s 535.68 s.
		expect(next(of('a', 1_500_000, 2_678_400, 330), of('b', 900_000, 1_000_000, 100))).toEqual([['b', 100, 20]]);
		// a has lost a step already; b costs nothing before it has lost more than that.
		expect(next(of('a', 1_500_000, 2_678_400, 536), of('b', 900_000, 1_000_000, 100))).toEqual([['b', 200, 20]]);
		expect(next(of('a', 0, 1_000_000, 0))).toEqual([['a', 200, 20]]);
	});

	test('is the second that brings a figure of the whole month out of its bound, and none once it is', () => {
		const atMs = Date.parse('2025-03-20T00:00:00+08:00');
		const next = (downSeconds: number, agreedSecondsOfPeriod = 2_678_400) => {
			const services = [{ ...service, agreedSeconds: 1_600_000, agreedSecondsOfPeriod, downSeconds, outages: [] }];
			return run('zhaoqing-2025', {}, { nowMs: atMs, faults: [], records: [], services }).result.next.map((one) => [one.rule, one.seconds]);
		};
		// A hundredth of 2,678,400 s is 26,784 s, seven days are 604,800 s.
		expect(next(0)).toEqual([
			['effective-time', 26_785],
			['stopped', 604_801],
		]);
		expect(next(26_784)).toEqual([
			['effective-time', 1],
			['stopped', 578_017],
		]);
		expect(next(26_785)).toEqual([['stopped', 578_016]]);
		// Seven days are longer than all that was agreed.
		expect(next(0, 600_000)).toEqual([['effective-time', 6001]]);
	});

	test('is nothing once the period is over', () => {
		expect(run('chengdu-2021').result.next).toEqual([]);
	});
});

test('three scores stand side by side; a decided dispute changes the final one only', () => {
	const { profile, result } = run('chengdu-2021');
	const by = { by: 'client', clause: 'Assessment', note: '', atMs: 1 };
	const adjustments = [
		{ ...by, key: 'late-response:F3:', centipoints: -200 },
		{ ...by, key: 'client:extra', centipoints: -100 },
		{ ...by, key: 'late-level-4:F4:', centipoints: 0, atMs: 2 },
	];
	const dispute = { id: 'd', key: 'client:extra', evidence: 'photo', openedBy: 'lead', openedMs: 5, decision: null };
	const undecided = threeScores(profile, result, adjustments, [dispute]);
	expect([undecided.self, undecided.client, undecided.final].map((score) => score.centipoints)).toEqual([8100, 8000, 8000]);
	const decision = { centipoints: 0, reason: 'shown', by: 'supervisor', atMs: 9 };
	const decided = threeScores(profile, result, adjustments, [{ ...dispute, decision }]);
	expect([decided.self, decided.client, decided.final].map((score) => score.centipoints)).toEqual([8100, 8000, 8100]);
	expect(decided.items.find(({ key }) => key === 'client:extra')).toEqual({
		key: 'client:extra',
		self: 0,
		client: -100,
		final: 0,
		disputed: 'decided',
	});
});

test('the self-check of a quarter that ends in a year whose holidays are not known is left open, and the score stands', () => {
	const nothing = { faults: [], services: [], records: [], nowMs: 0 };
	const profile = profileOf('chengdu-2021', { term: 'open' });
	const far = periodAt(profile, Date.parse('2090-03-01T00:00:00+08:00'));
	expect(assess(profile, far, nothing, CLOCKS)).toMatchObject({ selfCheckDueMs: null, score: { centipoints: 10_000 } });
});

test('a fine lapses for the client and in the end where the contract lets it, and stays in the self-assessment', () => {
	const { profile, result } = run('shaanxi-2023');
	const lapse = { key: 'fine', centipoints: 0, clause: 'Money', note: 'mended', by: 'client', atMs: 1 };
	const { self, client, final, items } = threeScores(profile, result, [lapse], []);
	expect([self, client, final].map(({ fen, centipoints }) => [fen, centipoints])).toEqual([
		[100_000_000, 3540],
		[0, 3540],
		[0, 3540],
	]);
	expect(items.some(({ key }) => key === 'fine')).toBe(false);
	const other = run('zhaoqing-2025');
	const priced = { ...other.profile, contract: { ...other.profile.contract, fee_yuan: 1000 } };
	expect(threeScores(priced, other.result, [lapse], []).client.fen).toBe(10_000);
});

test('a bonus never exceeds what was deducted', () => {
	const atMs = Date.parse('2021-08-10T00:00:00+08:00');
	const record = (id: string, rule: string, quantity: number) => ({ id, rule, quantity, atMs, note: '' });
	const records = [record('a', 'inspection-missing', 1), record('b', 'praise', 1), record('c', 'event-done-well', 9)];
	const { result } = run('chengdu-2021', {}, { faults: [], services: [], records, problems: [] });
	expect(result.score).toMatchObject({ deducted: 200, bonus: 200, centipoints: 10_000, fen: 0 });
	expect(result.items.find(({ rule }) => rule === 'event-done-well')).toMatchObject({ centipoints: 900, counted: 0 });
});
