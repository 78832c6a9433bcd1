import { describe, expect, test } from 'vitest';
import { assess } from './assess.ts';
import { periodOf } from './period.ts';
import { CLOCKS, runScenario as run } from './scenario.fixture.ts';
import { threeScores } from './scores.ts';

describe('which faults a period counts', () => {
	const at = (text: string) => Date.parse(`${text}+08:00`);
	const { scenario } = run('shaanxi-2023');
	const [some] = scenario.input.faults;
	if (some === undefined) throw new Error('the scenario has no faults');
	/** In time in everything, so that it costs what its level costs: 1 point. */
	const fault = (id: string, onset: string, more: Partial<typeof some> = {}): typeof some => {
		const atMs = at(onset);
		const moments = Object.fromEntries(Object.keys(some.moments).map((name) => [name, atMs])) as typeof some.moments;
		return {
			...some,
			id,
			level: 'C',
			point: id,
			cause: 'own',
			causeCountersigned: false,
			moments,
			reports: [],
			waived: [],
			accident: null,
			...more,
		};
	};
	const costs = (...faults: readonly (typeof some)[]) => {
		const { items } = run('shaanxi-2023', {}, { faults, services: [], records: [], problems: [] }).result;
		return items.map(({ key, counted }) => `${key} ${counted / 100}`);
	};

	test.each([
		{ name: 'the first moment of the month belongs to it', faults: [fault('F', '2023-05-01T00:00:00')], want: ['fault-level:F: -1'] },
		{ name: 'the moment before does not', faults: [fault('F', '2023-04-30T23:59:59.999')], want: [] },
		{ name: 'the last moment belongs to it', faults: [fault('F', '2023-05-31T23:59:59.999')], want: ['fault-level:F: -1'] },
		{ name: 'the first of the next month does not', faults: [fault('F', '2023-06-01T00:00:00')], want: [] },
		{
			name: 'a cause that nobody signed excuses nobody',
			faults: [fault('F', '2023-05-10T10:00', { cause: 'cloud' })],
			want: ['fault-level:F: -1'],
		},
		{
			name: 'a signature under an own fault does not either',
			faults: [fault('F', '2023-05-10T10:00', { causeCountersigned: true })],
			want: ['fault-level:F: -1'],
		},
		{ name: 'both do', faults: [fault('F', '2023-05-10T10:00', { cause: 'cloud', causeCountersigned: true })], want: [] },
		{ name: 'what the client waived is not counted', faults: [fault('F', '2023-05-10T10:00', { waived: ['fault-level'] })], want: [] },
		{
			name: 'a fault at the point of one that was excused is no repeat',
			faults: [
				fault('E', '2023-05-09T10:00', { point: 'p', cause: 'cloud', causeCountersigned: true }),
				fault('F', '2023-05-10T10:00', { point: 'p' }),
			],
			want: ['fault-level:F: -1'],
		},
		{
			name: 'at the point of one that was not, it is',
			faults: [fault('E', '2023-05-09T10:00', { point: 'p', cause: 'cloud' }), fault('F', '2023-05-10T10:00', { point: 'p' })],
			want: ['fault-level:E: -1', 'fault-level:F: -1', 'repeated:F: -5'],
		},
	])('$name', ({ faults, want }) => {
		expect(costs(...faults)).toEqual(want);
	});

	test('a report that never came costs what the contract says of that, one that came late what it says of being late', () => {
		const { profile } = run('chengdu-2021');
		const priced = { ...profile, rules: profile.rules.map((rule) => (rule.kind === 'report' ? { ...rule, points: 1, missing: 4 } : rule)) };
		const [first] = run('chengdu-2021').scenario.input.faults;
		if (first === undefined) throw new Error('the scenario has no faults');
		const of = (filedMs: number | null) => {
			const resolved = at('2021-08-10T10:00');
			const own = {
				...first,
				level: '2',
				moments: { ...first.moments, declared: resolved, resolved },
				reports: filedMs === null ? [] : [{ report: 'final', filedMs }],
			};
			const input = { faults: [own], services: [], records: [], nowMs: at('2021-11-08T00:00') };
			return assess(priced, periodOf(priced, 'q1'), input, CLOCKS).items.find(({ rule }) => rule === 'fault-report')?.counted;
		};
		expect([of(null), of(at('2021-08-18T10:00')), of(at('2021-08-17T10:00'))]).toEqual([-400, -100, undefined]);
	});

	test('failures that others answer for are not between failures', () => {
		const outage = (id: string, excused: boolean) => ({
			id,
			service: 's',
			fromSeconds: 1,
			toSeconds: 61,
			downSeconds: 60,
			faultId: null,
			excused,
		});
		const mtbf = (excused: boolean) => {
			const outages = ['a', 'b', 'c', 'd'].map((id) => outage(id, excused));
			const service = {
				service: 's',
				core: true,
				agreedSeconds: 2_678_400,
				agreedSecondsOfPeriod: 2_678_400,
				downSeconds: 240,
				unknownSeconds: 0,
				outages,
			};
			return run('zhaoqing-2025', {}, { faults: [], records: [], services: [service] }).result.items.map(({ rule }) => rule);
		};
		expect([mtbf(false), mtbf(true)]).toEqual([['mtbf'], []]);
	});
});

test('of several adjustments and disputes of one item the latest count, in whatever order they are listed', () => {
	const { profile, result } = run('chengdu-2021');
	const key = 'late-response:F3:';
	const adjusted = (centipoints: number, atMs: number) => ({ key, centipoints, by: 'client', clause: 'Assessment', note: '', atMs });
	const dispute = (centipoints: number, openedMs: number) => ({
		id: `d${openedMs}`,
		key,
		evidence: '',
		openedBy: 'lead',
		openedMs,
		decision: { centipoints, reason: '', by: 'supervisor', atMs: openedMs + 1 },
	});
	const adjustments = [adjusted(-200, 1), adjusted(-300, 2)];
	const disputes = [dispute(-50, 5), dispute(0, 6)];
	for (const [some, others] of [
		[adjustments, disputes],
		[[...adjustments].reverse(), [...disputes].reverse()],
	] as const)
		expect(threeScores(profile, result, some, others).items.find((item) => item.key === key)).toMatchObject({ client: -300, final: 0 });
});

test('money that stands beside an item falls with it, for the client and in the end', () => {
	const atMs = Date.parse('2021-08-10T00:00:00+08:00');
	const records = [{ id: 'a', rule: 'other-breach', quantity: 2, atMs, note: '' }];
	const { profile, result } = run('chengdu-2021', {}, { faults: [], services: [], records, problems: [] });
	// A breach has no points of its own here: give it one, so that setting it to nothing says something.
	const items = result.items.map((item) => ({ ...item, centipoints: -100, counted: -100 }));
	const nothing = { key: items[0]?.key ?? '', centipoints: 0, by: 'client', clause: 'Money', note: '', atMs };
	const { self, client, final } = threeScores(profile, { ...result, items }, [nothing], []);
	expect([self, client, final].map(({ fen }) => fen)).toEqual([210_000, 0, 0]);
});
