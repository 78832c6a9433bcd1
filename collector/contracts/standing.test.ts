import { describe, expect, test } from 'vitest';
import type { AssessedOutage, AssessedService } from './assessed.ts';
import { loadProfiles } from './profile-files.ts';
import { CONTRACTS } from './scenario.fixture.ts';
import { type PeriodStanding, periodsSoFar, terminationStandings, yearStandings } from './standing.ts';

const profiles = loadProfiles(CONTRACTS);
const profileOf = (id: string) =>
	(profiles.find((one) => one.id === id) ?? profiles[0])?.with({}) as never as ReturnType<(typeof profiles)[number]['with']>;
const DAY = 86_400;

/** Finished periods with these final scores in points; the last one runs when `open`. */
function periods(
	scores: readonly number[],
	more: { readonly open?: boolean; readonly fen?: number; readonly recorded?: Readonly<Record<string, number>> } = {},
): readonly PeriodStanding[] {
	return scores.map((score, i) => ({
		period: { id: `p${i + 1}`, fromMs: i * 30 * DAY * 1000, toMs: (i + 1) * 30 * DAY * 1000 },
		over: !(more.open === true && i === scores.length - 1),
		self: score * 100 + 1,
		client: score * 100,
		final: score * 100,
		fen: more.fen ?? 0,
		recorded: more.recorded ?? {},
		services: [],
	}));
}

describe('the periods so far', () => {
	test.each([
		{ name: 'none before the contract', id: 'chengdu-2021', now: '2021-07-31T23:59:59+08:00', want: [] },
		{ name: 'the first quarter', id: 'chengdu-2021', now: '2021-08-01T00:00:00+08:00', want: ['q1'] },
		{ name: 'a quarter and a day', id: 'chengdu-2021', now: '2021-11-02T00:00:00+08:00', want: ['q1', 'q2'] },
		{ name: 'months', id: 'shaanxi-2023', now: '2023-03-01T00:00:00+08:00', want: ['2023-01', '2023-02', '2023-03'] },
	])('$name', ({ id, now, want }) => {
		expect(periodsSoFar(profileOf(id), Date.parse(now)).map((period) => period.id)).toEqual(want);
	});
});

describe('the year', () => {
	test('is the mean of its quarters that are over, truncated, and begins anew with the fifth', () => {
		const [first, second, ...more] = yearStandings(profileOf('chengdu-2021'), periods([100, 99, 98, 97.99, 50, 80], { open: true }));
		// (100 + 99 + 98 + 97.99) / 4 = 98.7475
		expect([first?.final, first?.self, first?.over, first?.fen]).toEqual([9874, 9875, 4, null]);
		expect([second?.id, second?.periods, second?.final, second?.over]).toEqual(['y2', ['p5', 'p6'], 5000, 1]);
		expect(more).toEqual([]);
	});

	test('has no mean before a period is over, and none where the contract knows none', () => {
		expect(yearStandings(profileOf('chengdu-2021'), periods([100], { open: true }))[0]).toMatchObject({ final: null, over: 0 });
		expect(yearStandings(profileOf('shaanxi-2023'), periods([100]))).toEqual([]);
	});

	test('is paid by its mean where the contract says so', () => {
		const zhaoqing = profileOf('zhaoqing-2025');
		const priced = { ...zhaoqing, contract: { ...zhaoqing.contract, fee_yuan: 1000 } };
		// 85.99 is below 86: a tenth of two fees. 86 is paid in full, though one month of it was not.
		expect(yearStandings(priced, periods([90, 81.98]))[0]).toMatchObject({ final: 8599, fen: 20_000 });
		expect(yearStandings(priced, periods([92, 80]))[0]).toMatchObject({ final: 8600, fen: 0 });
		// January from the 11th on has 21 of its 31 days: 677.42 yuan, and a tenth of it beside that of February.
		const january = { id: '2025-01', fromMs: Date.parse('2025-01-11T00:00:00+08:00'), toMs: Date.parse('2025-02-01T00:00:00+08:00') };
		const february = { id: '2025-02', fromMs: january.toMs, toMs: Date.parse('2025-03-01T00:00:00+08:00') };
		const cut = periods([90, 81.98]).map((one, i) => ({ ...one, period: i === 0 ? january : february }));
		const fen = (how: 'whole' | 'by-days') =>
			yearStandings({ ...priced, contract: { ...priced.contract, fee_of_cut_period: how } }, cut)[0]?.fen;
		expect([fen('whole'), fen('by-days')]).toEqual([20_000, 16_774]);
	});
});

describe('termination', () => {
	const of = (id: string, list: readonly PeriodStanding[]) =>
		terminationStandings(profileOf(id), list).map(({ kind, state }) => [kind, state]);
	const money = (fen: number) => of('chengdu-2021', periods([60], { fen }))[0];

	test('by deductions of 15 % of the contract in all', () => {
		// 15 % of 987,000 yuan is 148,050.
		expect([money(7_402_499), money(7_402_500), money(14_804_999), money(14_805_000)].map((entry) => entry?.[1])).toEqual([
			'far',
			'near',
			'near',
			'reached',
		]);
	});

	const OUTAGE = { id: 'o', service: 'mis', faultId: null, excused: false };
	const NOW = 30 * DAY + 3600;
	const serviceOf = (outages: readonly AssessedOutage[], core = true): AssessedService => ({
		service: 'mis',
		core,
		agreedSeconds: 0,
		agreedSecondsOfPeriod: 0,
		downSeconds: outages.reduce((sum, { downSeconds }) => sum + downSeconds, 0),
		unknownSeconds: 0,
		outages,
	});
	const outage = (...spans: readonly (readonly [period: number, from: number, to: number | null])[]) =>
		periods([100, 100], { open: true }).map((period, i) => ({
			...period,
			services: [
				serviceOf(
					spans
						.filter(([index]) => index === i)
						.map(([, fromSeconds, toSeconds]) => ({ ...OUTAGE, fromSeconds, toSeconds, downSeconds: (toSeconds ?? NOW) - fromSeconds })),
				),
			],
		}));
	const EDGE = 30 * DAY;
	test.each([
		{ name: 'none', spans: [], seconds: 0, state: 'far' },
		{ name: 'one of exactly 24 hours', spans: [[0, 0, DAY]], seconds: DAY, state: 'near' },
		{ name: 'one of a second more', spans: [[0, 0, DAY + 1]], seconds: DAY + 1, state: 'reached' },
		{
			name: 'one over the edge of two periods',
			spans: [
				[0, EDGE - DAY / 2, EDGE],
				[1, EDGE, EDGE + DAY / 2 + 1],
			],
			seconds: DAY + 1,
			state: 'reached',
		},
		{
			name: 'two with a second between them',
			spans: [
				[0, EDGE - DAY / 2, EDGE - 1],
				[1, EDGE, EDGE + DAY / 2],
			],
			seconds: DAY / 2,
			state: 'near',
		},
		{ name: 'one that goes on', spans: [[1, EDGE, null]], seconds: 3600, state: 'far' },
	] as const)('by an outage: $name', ({ spans, seconds, state }) => {
		const [, standing] = terminationStandings(profileOf('chengdu-2021'), outage(...spans));
		expect(standing).toMatchObject({ kind: 'outage', seconds, state, ongoing: spans.some(([, , to]) => to === null) });
	});

	test('by an outage of a core service, without what is excused of it, and with unknown time as the contract says', () => {
		const [period] = periods([100]);
		const long = { ...OUTAGE, fromSeconds: 0, toSeconds: 2 * DAY, downSeconds: DAY + 1 };
		const standing = (outages: readonly AssessedOutage[], more: { core?: boolean; unknown?: 'up' | 'down' } = {}) => {
			const { core = true, unknown } = more;
			const service = { ...serviceOf(outages, core), outagesAs: { up: [], down: [{ ...long, downSeconds: 2 * DAY }] } };
			const profile = profileOf('chengdu-2021');
			const termination = profile.termination.map((rule) =>
				rule.kind === 'outage' && unknown !== undefined ? { ...rule, unknown } : rule,
			);
			return terminationStandings({ ...profile, termination }, period === undefined ? [] : [{ ...period, services: [service] }])[1];
		};
		expect(standing([long])).toMatchObject({ seconds: DAY + 1, state: 'reached' });
		expect(standing([long], { core: false })).toMatchObject({ seconds: 0, state: 'far' });
		expect(standing([{ ...long, excusedSeconds: 1 }])).toMatchObject({ seconds: DAY, state: 'near' });
		expect(standing([long], { unknown: 'up' })).toMatchObject({ seconds: 0 });
		expect(standing([long], { unknown: 'down' })).toMatchObject({ seconds: 2 * DAY });
	});

	test.each([
		{ scores: [59, 59], state: 'near' },
		{ scores: [59, 59, 60], state: 'far' },
		{ scores: [59, 59, 59], state: 'reached' },
		{ scores: [59, 90, 59, 90, 59], state: 'near' },
		{ scores: [59, 90, 59, 90, 59, 90, 59], state: 'reached' },
		{ scores: [59, 59, 59, 90], state: 'reached' },
	])('by low scores $scores: $state', ({ scores, state }) => {
		expect(of('shaanxi-2023', periods(scores))).toEqual([['low-scores', state]]);
	});

	test('a period that runs is not low yet', () => {
		expect(of('shaanxi-2023', periods([59, 59, 59], { open: true }))).toEqual([['low-scores', 'near']]);
	});
});
