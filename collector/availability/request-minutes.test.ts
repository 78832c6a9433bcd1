import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { requestFigures } from './request-figures.ts';
import { countRequests, DAY_MINUTES, type MinuteRow, minuteRows, type RequestMinutes, type RequestReading } from './request-minutes.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;

interface Sample {
	readonly t: number;
	readonly v: number;
}
/** By source and series. */
type World = Readonly<Record<string, Readonly<Record<string, readonly Sample[]>>>>;

function reading(world: World): RequestReading {
	const columns = (source: string, list: readonly Sample[]) => {
		const sorted = [...new Map(list.map(({ t, v }) => [t, v]))].sort((a, b) => a[0] - b[0]);
		return { source, times: Float64Array.from(sorted, ([t]) => t), values: Float64Array.from(sorted, ([, v]) => v) };
	};
	const counters = Object.entries(world).flatMap(([source, series]) =>
		Object.entries(series).map(([name, list]) => ({ name, sign: 1 as const, samples: columns(source, list) })),
	);
	const sources = new Map(
		Object.entries(world).map(([source, series]) => {
			const times = Object.values(series).flatMap((list) => list.map(({ t }) => t));
			return [source, Float64Array.from(new Set(times)).sort()] as const;
		}),
	);
	return { total: counters, good: counters.filter(({ name }) => !name.startsWith('5')), sources };
}

/** What the rows of a day stand for. */
function unpacked(rows: readonly MinuteRow[]): RequestMinutes {
	const minutes = () => new Float64Array(DAY_MINUTES);
	const day = { good: minutes(), total: minutes(), covered: minutes(), unplaced: minutes() };
	for (const [from, count, good, total, covered, unplaced] of rows) {
		day.good.fill(good, from, from + count);
		day.total.fill(total, from, from + count);
		day.covered.fill(covered, from, from + count);
		day.unplaced.fill(unplaced, from, from + count);
	}
	return day;
}

const sums = (world: World, day = 0) => {
	const minutes = countRequests(reading(world), day);
	const sum = (list: Float64Array) => list.reduce((all, value) => all + value, 0);
	return { good: sum(minutes.good), total: sum(minutes.total), unplaced: sum(minutes.unplaced), covered: sum(minutes.covered) };
};
const every15s = (from: number, ...values: readonly number[]) => values.map((v, i) => ({ t: from + i * 15_000, v }));

describe('what counters rose by', () => {
	test.each([
		{
			name: 'a new source has counted for nobody knows how long',
			world: { a: { 200: every15s(0, 100, 103, 110) } },
			want: { good: 10, total: 10 },
		},
		{
			name: 'a value below the one before began again at zero',
			world: { a: { 200: every15s(0, 100, 107, 3, 5) } },
			want: { good: 12, total: 12 },
		},
		{
			name: 'an answer that appears beside others began at zero',
			world: { a: { 200: every15s(0, 10, 20, 30), 500: every15s(15_000, 4, 6) } },
			want: { good: 20, total: 26 },
		},
		{
			name: 'what rose while nobody read for longer than five minutes is told apart',
			world: { a: { 200: [...every15s(0, 10, 12), ...every15s(10 * MINUTE, 40, 41)] } },
			want: { good: 3, total: 3, unplaced: 28 },
		},
		{
			name: 'after a day of silence it is a new source',
			world: { a: { 200: [{ t: -DAY - 1, v: 10 }, ...every15s(0, 500, 501)] } },
			want: { good: 1, total: 1, unplaced: 0 },
		},
		{ name: 'sources add up', world: { a: { 200: every15s(0, 1, 2) }, b: { 200: every15s(5000, 7, 9) } }, want: { total: 3 } },
		{
			name: 'the sample before midnight is what the first of the day is measured by',
			world: { a: { 200: every15s(-7500, 5, 8) } },
			want: { total: 3 },
		},
		{ name: 'parts of requests are none', world: { a: { 200: every15s(0, 0.9, 1.8, 2.7) } }, want: { total: 2 } },
	])('$name', ({ world, want }) => {
		expect(sums(world)).toMatchObject(want);
	});

	test('seconds are covered between two readings of every source that is not gone', () => {
		const steady = Array.from({ length: 241 }, (_, i) => ({ t: i * 15_000, v: i }));
		expect(sums({ a: { 200: steady } }).covered).toBe(3600);
		// b was read for the first ten minutes only, and is missed for the rest of the hour; after a day it is gone.
		const short = steady.slice(0, 41);
		expect(sums({ a: { 200: steady }, b: { 200: short } }).covered).toBe(600);
		const nextDay = steady.map(({ t, v }) => ({ t: t + DAY, v: v + 1000 }));
		expect(sums({ a: { 200: nextDay }, b: { 200: short } }, 1).covered).toBe(3000);
	});
});

/** The slow and obvious second implementation: looks at every pair of samples and every second by itself. */
function slowly(world: World, day: number) {
	const result = { good: 0, total: 0, unplaced: 0, covered: 0 };
	const read = new Map(
		Object.entries(world).map(([source, series]) => [source, Object.values(series).flatMap((list) => list.map(({ t }) => t))]),
	);
	for (const [source, series] of Object.entries(world))
		for (const [name, list] of Object.entries(series))
			for (const { t, v } of list) {
				if (t < day * DAY || t >= (day + 1) * DAY) continue;
				const earlier = list.filter((other) => other.t < t && other.t >= t - DAY).sort((a, b) => b.t - a.t)[0];
				const seen = (read.get(source) ?? []).some((time) => time < t && time >= t - 300_000);
				const rise = earlier === undefined ? (seen ? v : 0) : v < earlier.v ? v : v - earlier.v;
				if (earlier !== undefined && t - earlier.t > 300_000) result.unplaced += rise;
				else {
					result.total += rise;
					if (!name.startsWith('5')) result.good += rise;
				}
			}
	for (let second = day * 86_400; second < (day + 1) * 86_400; second += 1) {
		let any = false;
		let all = true;
		for (const times of read.values()) {
			const before = times.filter((t) => Math.floor(t / 1000) <= second).sort((a, b) => b - a)[0];
			const after = times.filter((t) => Math.floor(t / 1000) > second).sort((a, b) => a - b)[0];
			if (before === undefined || second >= Math.floor((before + DAY) / 1000)) continue;
			any = true;
			if (after === undefined || after - before > 300_000) all = false;
		}
		if (any && all) result.covered++;
	}
	return result;
}

/** Whole seconds, so that the second implementation can be written plainly. */
const anySeries = fc.uniqueArray(fc.record({ t: fc.integer({ min: -200, max: 900 }).map((n) => n * 10_000), v: fc.nat(50) }), {
	maxLength: 25,
	selector: ({ t }) => t,
});
const anyWorld: fc.Arbitrary<World> = fc.record({ a: fc.record({ 200: anySeries, 500: anySeries }), b: fc.record({ 200: anySeries }) });

describe('properties of request counts', () => {
	test('the fast and the obvious implementation agree', () => {
		fc.assert(
			fc.property(anyWorld, (world) => {
				expect(sums(world)).toEqual(slowly(world, 0));
			}),
			{ numRuns: 15 },
		);
	});

	test('the order in which samples arrive does not matter', () => {
		fc.assert(
			fc.property(anyWorld, (world) => {
				const turned = Object.fromEntries(
					Object.entries(world)
						.reverse()
						.map(([source, series]) => [
							source,
							Object.fromEntries(Object.entries(series).map(([name, list]) => [name, [...list].reverse()])),
						]),
				);
				expect(sums(turned)).toEqual(sums(world));
			}),
		);
	});

	test('however a counter is reset, nothing that it counted is lost', () => {
		// Requests a reading, and whether the process began again before it.
		const plan = fc.array(fc.record({ requests: fc.nat(1000), again: fc.boolean() }), { minLength: 1, maxLength: 200 });
		fc.assert(
			fc.property(plan, (steps) => {
				let value = 5000;
				let made = 0;
				const list = [{ t: 0, v: value }];
				steps.forEach(({ requests, again }, i) => {
					// One that began again and has counted further than before cannot be told from one that went on: Prometheus' counters have that limit.
					const restarted = again && requests < value;
					value = restarted ? requests : value + requests;
					made += requests;
					list.push({ t: (i + 1) * 15_000, v: value });
				});
				expect(sums({ a: { 200: list } }).total).toBe(made);
			}),
		);
	});

	const rowsOf = (world: World): readonly MinuteRow[] => minuteRows(countRequests(reading(world), 0));

	test('windows that are split at any minute add up, whatever is excluded', () => {
		const spans = fc.array(
			fc.record({ from: fc.integer({ min: 0, max: 9000 }), length: fc.nat(2000) }).map(({ from, length }) => ({ from, to: from + length })),
			{ maxLength: 4 },
		);
		fc.assert(
			fc.property(anyWorld, spans, fc.integer({ min: 1, max: 149 }), (world, exclusions, minute) => {
				// Two counters that are read in the same instant never show more good requests than requests.
				const rows = rowsOf({ a: world['a'] ?? {} });
				const figures = (from: number, to: number) =>
					requestFigures(rows, { window: { from: from * 60, to: to * 60 }, exclusions, target: '99.99' });
				const [whole, first, second] = [figures(0, 150), figures(0, minute), figures(minute, 150)];
				for (const key of ['good', 'total', 'excluded', 'unplaced', 'budgetUsedRequests'] as const)
					expect(first[key] + second[key]).toBe(whole[key]);
				// An exclusion twice is an exclusion once.
				expect(
					requestFigures(rows, { window: { from: 0, to: 9000 }, exclusions: [...exclusions, ...exclusions], target: '99.99' }),
				).toEqual(whole);
			}),
		);
	});

	test('rows say what minutes said', () => {
		fc.assert(
			fc.property(anyWorld, (world) => {
				const minutes = countRequests(reading(world), 0);
				expect(unpacked(minuteRows(minutes))).toEqual(minutes);
			}),
			{ numRuns: 30 },
		);
	});
});

describe('figures of requests', () => {
	const rows: readonly MinuteRow[] = [
		[0, 10, 99, 100, 60, 0],
		[10, 10, 100, 100, 30, 7],
	];
	const what = { window: { from: 0, to: 1200 }, exclusions: [], target: '99.9' };

	test('are whole numbers, truncated percentages and a budget in requests', () => {
		expect(requestFigures(rows, what)).toEqual({
			fromMs: 0,
			toMs: 1_200_000,
			good: 1990,
			total: 2000,
			excluded: 0,
			unplaced: 70,
			sli: '99.500',
			coverage: '75.000',
			target: '99.9',
			budgetRequests: '2.00',
			budgetUsedRequests: 10,
		});
	});

	test('a minute with any excluded second is left out, and told apart', () => {
		const figures = requestFigures(rows, { ...what, exclusions: [{ from: 659, to: 661 }] });
		expect(figures).toMatchObject({ good: 1790, total: 1800, excluded: 214, unplaced: 56 });
		// 18 minutes are agreed, ten with all and eight with half their seconds.
		expect(figures.coverage).toBe('77.777');
	});

	test('one failed request of ten million is never 100 %', () => {
		expect(requestFigures([[0, 1, 9_999_999, 10_000_000, 60, 0]], { ...what, window: { from: 0, to: 60 } }).sli).toBe('99.999');
	});

	test.each([
		{
			name: 'more good requests than requests, because two counters are read one after another',
			good: 12,
			want: { good: 10, sli: '100.000', budgetUsedRequests: 0 },
		},
		{ name: 'more errors than requests', good: -2, want: { good: 0, sli: '0.000', budgetUsedRequests: 10 } },
	])('$name', ({ good, want }) => {
		expect(requestFigures([[0, 1, good, 10, 60, 0]], { ...what, window: { from: 0, to: 60 } })).toMatchObject(want);
	});

	test('where no request came there is no figure', () => {
		expect(requestFigures([], what)).toMatchObject({ good: 0, total: 0, sli: null, coverage: '0.000', budgetRequests: '0.00' });
		expect(requestFigures(rows, { ...what, exclusions: [{ from: 0, to: 1200 }] })).toMatchObject({ total: 0, sli: null, coverage: null });
	});

	test('a window that cuts minutes counts the whole ones inside it', () => {
		expect(requestFigures(rows, { ...what, window: { from: 1, to: 179 } })).toMatchObject({ fromMs: 60_000, toMs: 120_000, total: 100 });
	});
});
