import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ServiceState } from '../../protocol/api.ts';
import { type CheckRules, type CheckSamples, checkTimeline, DEGRADED, DOWN, UP } from './check-timeline.ts';
import { combineTimelines, combineVantages, exclude } from './compose.ts';
import { availabilityFigures, budget, countSeconds, percent } from './figures.ts';
import type { Timeline } from './intervals.ts';

const rules: CheckRules = { id: 'c', intervalMs: 5000, failed: 3, of: 5, recovered: 3 };
const HOLD_MS = 15_000;

interface Sample {
	readonly t: number;
	readonly r: number;
}

function toSamples(list: readonly Sample[]): CheckSamples {
	const byTime = new Map(list.map((sample) => [sample.t, sample.r]));
	const sorted = [...byTime].sort((a, b) => a[0] - b[0]);
	return { times: Float64Array.from(sorted.map(([t]) => t)), results: Uint8Array.from(sorted.map(([, r]) => r)) };
}

/** `U` good, `D` failed, `W` degraded, `.` no sample; one character per interval from `startMs` on. */
function script(text: string, startMs = 0): Sample[] {
	const results: Record<string, number> = { U: UP, D: DOWN, W: DEGRADED };
	return [...text].flatMap((character, i) => (character === '.' ? [] : [{ t: startMs + i * 5000, r: results[character] as number }]));
}

function draw(timeline: Timeline): string {
	const letters: Record<ServiceState, string> = { up: 'u', degraded: 'w', down: 'd', unknown: '?', excluded: 'x' };
	return timeline.map((interval) => `${interval.unconfirmed ? 'b' : letters[interval.state]}${interval.to - interval.from}`).join(' ');
}

describe('seconds of one check', () => {
	test.each([
		{ name: 'good samples hold until the next', text: 'UUUU', window: 20, want: 'u20' },
		{ name: 'silence is unknown after three intervals', text: 'UU....', window: 30, want: 'u20 ?10' },
		{ name: 'silence before the first sample is unknown', text: '..UUUU', window: 30, want: '?10 u20' },
		{ name: 'one failure is a blip, not downtime', text: 'UUDUUU', window: 30, want: 'u10 b5 u15' },
		{ name: 'two failures of five are not an outage', text: 'UDUDUUUU', window: 40, want: 'u5 b5 u5 b5 u20' },
		{ name: 'three of five are, from the first failure to the first good one', text: 'UUDDDUUUU', window: 45, want: 'u10 d15 u20' },
		{ name: 'also when a good one lies between', text: 'UDUDDUUU', window: 40, want: 'u5 d20 u15' },
		{ name: 'two good ones do not end it', text: 'DDDUUDUUU', window: 45, want: 'd30 u15' },
		{ name: 'a good sample followed by silence ends it at that sample', text: 'DDDU.....', window: 45, want: 'd15 u15 ?15' },
		{ name: 'an outage that falls silent is down for the hold, then unknown', text: 'DDD.....UUU', window: 55, want: 'd25 ?15 u15' },
		{ name: 'it is still the same outage when the silence ends with a failure', text: 'DDD.....DUUU', window: 60, want: 'd25 ?15 d5 u15' },
		{ name: 'failures hours apart do not confirm each other', text: `D${'.'.repeat(100)}D${'.'.repeat(100)}D`, window: 15, want: 'b15' },
		{ name: 'three of six are not', text: 'UDUUDUDUUU', window: 50, want: 'u5 b5 u10 b5 u5 b5 u15' },
		{ name: 'a degraded sample is a good one: three of them end it', text: 'DDDWUWD', window: 35, want: 'd15 w5 u5 w5 b5' },
		{
			name: 'a failure at the very end of the hold of a good one is the same outage',
			text: 'DDDU..DUUU',
			window: 50,
			want: 'd25 ?5 d5 u15',
		},
		{ name: 'a failure after it begins another', text: 'DDDU...DUUU', window: 55, want: 'd15 u15 ?5 b5 u15' },
		{
			name: 'failures fifteen intervals apart confirm each other',
			text: `D${'.'.repeat(6)}D${'.'.repeat(7)}DUUU`,
			window: 95,
			want: 'd15 ?20 d15 ?25 d5 u15',
		},
		{
			name: 'failures sixteen intervals apart do not',
			text: `D${'.'.repeat(7)}D${'.'.repeat(7)}DUUU`,
			window: 100,
			want: 'b15 ?25 b15 ?25 b5 u15',
		},
		{ name: 'degraded is said', text: 'UWWU', window: 20, want: 'u5 w10 u5' },
	])('$name', ({ text, window, want }) => {
		expect(draw(checkTimeline(toSamples(script(text)), rules, 0, window))).toBe(want);
	});

	test('a sample counts from its start, in whole seconds', () => {
		const samples = toSamples(script('DDDUUU', 1_999));
		expect(draw(checkTimeline(samples, rules, 0, 30))).toBe('?1 d15 u14');
	});

	test('an outage that began before the window is seen inside it', () => {
		expect(draw(checkTimeline(toSamples(script('UDDDDDDUUU')), rules, 20, 45))).toBe('d15 u10');
	});
});

/** The slow and obvious second implementation: asks for every second what the rules say. */
function walkEverySecond(samples: CheckSamples, from: number, to: number): string[] {
	const { times, results } = samples;
	const n = times.length;
	const episodeOf = new Array<number>(n).fill(-1);
	const recovery: number[] = [];
	let episode = -1;
	for (let i = 0; i < n; i++) {
		if (results[i] !== DOWN) continue;
		if (episode === -1 || recovery[episode] !== undefined) episode++;
		episodeOf[i] = episode;
		let next = i + 1;
		while (next < n && results[next] !== DOWN) next++;
		const goods = next - i - 1;
		const first = times[i + 1] as number;
		if (goods >= rules.recovered || (goods > 0 && (next === n || (times[next] as number) - first > HOLD_MS))) recovery[episode] = first;
	}
	const starts: (number | undefined)[] = [];
	for (let last = 0; last < n; last++) {
		const own = episodeOf[last] as number;
		if (own < 0 || starts[own] !== undefined) continue;
		const first = episodeOf.indexOf(own);
		const group: number[] = [];
		for (let j = Math.max(first, last - rules.of + 1); j <= last; j++) {
			if ((times[last] as number) - (times[j] as number) <= 75_000 && results[j] === DOWN) group.push(j);
		}
		if (group.length >= rules.failed) starts[own] = times[group[0] as number] as number;
	}
	const seconds: string[] = [];
	for (let second = from; second < to; second++) {
		let current = -1;
		for (let i = 0; i < n; i++) if (Math.floor((times[i] as number) / 1000) <= second) current = i;
		if (current < 0) {
			seconds.push('unknown');
			continue;
		}
		const t = times[current] as number;
		const inOutage = starts.some((start, e) => start !== undefined && t >= start && t < (recovery[e] ?? Number.POSITIVE_INFINITY));
		if (inOutage) {
			let failure = current;
			while (results[failure] !== DOWN) failure--;
			seconds.push(second < Math.floor(((times[failure] as number) + HOLD_MS) / 1000) ? 'down' : 'unknown');
		} else if (second >= Math.floor((t + HOLD_MS) / 1000)) seconds.push('unknown');
		else seconds.push(results[current] === DEGRADED ? 'degraded' : 'up');
	}
	return seconds;
}

function expand(timeline: Timeline): string[] {
	return timeline.flatMap((interval) => new Array<string>(interval.to - interval.from).fill(interval.state));
}

const WINDOW = 400;
const anySamples = fc.array(
	fc.record({ t: fc.integer({ min: -60_000, max: 460_000 }), r: fc.constantFrom(UP, UP, DOWN, DOWN, DEGRADED) }),
	{ maxLength: 120 },
);
/** Regular probing with jitter, failures in runs, gaps: what the field looks like. */
const regularSamples = fc
	.array(fc.record({ kind: fc.constantFrom('U', 'D', '.', 'W'), length: fc.integer({ min: 1, max: 6 }) }), { maxLength: 25 })
	.chain((runs) => {
		const list = script(runs.map((run) => run.kind.repeat(run.length)).join(''));
		return fc
			.array(fc.integer({ min: -400, max: 400 }), { minLength: list.length, maxLength: list.length })
			.map((jitter) => list.map((sample, i) => ({ ...sample, t: sample.t + (jitter[i] as number) })));
	});
/** Every short pattern on the grid itself, so that the bounds of windows and holds are met exactly. */
const gridSamples = fc
	.array(fc.constantFrom('U', 'U', 'U', 'D', 'D', 'W', '.', '...'), { maxLength: 80 })
	.map((text) => script(text.join(''), -20_000));
const field = fc.oneof(anySamples, regularSamples, gridSamples);
const down = (list: readonly Sample[]) => countSeconds(checkTimeline(toSamples(list), rules, 0, WINDOW)).down;

describe('properties of the ledger', () => {
	test('the fast and the obvious implementation agree on every second', () => {
		fc.assert(
			fc.property(field, (list) => {
				const samples = toSamples(list);
				expect(expand(checkTimeline(samples, rules, 0, WINDOW))).toEqual(walkEverySecond(samples, 0, WINDOW));
			}),
			{ numRuns: 500 },
		);
	});

	test('seconds add up, and a window split anywhere gives the same sums', () => {
		fc.assert(
			fc.property(field, fc.integer({ min: 0, max: WINDOW }), (list, cut) => {
				const samples = toSamples(list);
				const whole = countSeconds(checkTimeline(samples, rules, 0, WINDOW));
				const left = countSeconds(checkTimeline(samples, rules, 0, cut));
				const right = countSeconds(checkTimeline(samples, rules, cut, WINDOW));
				expect(whole.up + whole.degraded + whole.down + whole.unknown + whole.excluded).toBe(WINDOW);
				for (const key of ['total', 'up', 'degraded', 'down', 'unknown', 'unconfirmed'] as const)
					expect(left[key] + right[key]).toBe(whole[key]);
			}),
			{ numRuns: 500 },
		);
	});

	test('an added up sample never raises downtime, an added down sample never lowers it', () => {
		fc.assert(
			fc.property(field, fc.integer({ min: 0, max: 400_000 }), (list, t) => {
				fc.pre(!list.some((sample) => sample.t === t));
				const before = down(list);
				expect(down([...list, { t, r: UP }])).toBeLessThanOrEqual(before);
				expect(down([...list, { t, r: DOWN }])).toBeGreaterThanOrEqual(before);
			}),
			{ numRuns: 3000 },
		);
	});

	test('the same for three vantage points of which none falls silent, and for what is composed of them', () => {
		const results = fc.array(fc.constantFrom<string>('U', 'U', 'D', 'W'), { minLength: 40, maxLength: 40 });
		const window = { from: 0, to: 200 };
		const downOf = (texts: readonly (readonly string[])[]) => {
			const timelines = texts.map((text) => checkTimeline(toSamples(script(text.join(''))), rules, window.from, window.to));
			return [
				combineVantages(timelines, window),
				...(['all', 'any', { quorum: 2 }] as const).map((combine) => combineTimelines(timelines, combine, window)),
			].map((timeline) => countSeconds(timeline).down);
		};
		fc.assert(
			fc.property(fc.tuple(results, results, results), fc.nat(2), fc.nat(39), (texts, vantage, at) => {
				const said = (result: string) => texts.map((text, i) => (i === vantage ? text.with(at, result) : text));
				const up = downOf(said('U'));
				downOf(said('D')).forEach((down, i) => {
					expect(down).toBeGreaterThanOrEqual(up[i] as number);
				});
			}),
			{ numRuns: 200 },
		);
	});

	test('excluding the same span twice changes nothing, and no second is lost', () => {
		const span = fc.record({ from: fc.integer({ min: -50, max: 450 }), length: fc.integer({ min: 0, max: 200 }) });
		fc.assert(
			fc.property(field, fc.array(span, { maxLength: 6 }), (list, spans) => {
				const timeline = checkTimeline(toSamples(list), rules, 0, WINDOW);
				const windows = spans.map(({ from, length }) => ({ from, to: from + length, reason: 'calendar' }));
				const once = exclude(timeline, windows);
				expect(expand(exclude(timeline, [...windows, ...windows]))).toEqual(expand(once));
				// Excluded is what any window covers, whatever its order; every other second is as it was.
				const covered = (second: number) => windows.some((part) => second >= part.from && second < part.to);
				expect(expand(once)).toEqual(expand(timeline).map((state, second) => (covered(second) ? 'excluded' : state)));
			}),
		);
	});
});

describe('composites', () => {
	const window = { from: 0, to: 30 };
	const of = (text: string) => checkTimeline(toSamples(script(text)), rules, 0, 30);
	const good = of('UUUUUU');
	const bad = of('DDDDDD');
	const silent = of('......');
	const weak = of('WWWWWW');
	const gone = exclude(good, [{ ...window, reason: 'not in service' }]);
	const blip = of('UUUDUU');
	test.each([
		{ name: 'all: the worst of up and down', list: [good, bad], combine: 'all' as const, want: 'd30' },
		{ name: 'all: down is worse than unknown', list: [silent, bad], combine: 'all' as const, want: 'd30' },
		{ name: 'all: unknown is worse than degraded', list: [silent, weak], combine: 'all' as const, want: '?30' },
		{ name: 'any: one good child is enough', list: [good, bad, silent], combine: 'any' as const, want: 'u30' },
		{ name: 'any: nobody knows while one is silent', list: [bad, silent], combine: 'any' as const, want: '?30' },
		{ name: 'any: a degraded child is better than a silent one', list: [weak, silent], combine: 'any' as const, want: 'w30' },
		{ name: 'any: a good child is better than a degraded one', list: [weak, good], combine: 'any' as const, want: 'u30' },
		{ name: 'any: what is not in service helps nobody', list: [gone, bad], combine: 'any' as const, want: 'd30' },
		{ name: 'all: what is not in service is not missed', list: [gone, good], combine: 'all' as const, want: 'u30' },
		{ name: 'all: nor does it hide the others', list: [gone, bad], combine: 'all' as const, want: 'd30' },
		{ name: 'nothing of it is in service', list: [gone, gone], combine: 'all' as const, want: 'x30' },
		{ name: 'quorum reached by degraded ones', list: [weak, weak, bad], combine: { quorum: 2, redundancy: 2 }, want: 'w30' },
		{ name: 'quorum with one more good than wanted', list: [good, weak, bad], combine: { quorum: 1, redundancy: 1 }, want: 'u30' },
		{ name: 'quorum of what is in service', list: [good, good, gone], combine: { quorum: 1 }, want: 'u30' },
		{ name: 'quorum reached by all', list: [good, good], combine: { quorum: 1 }, want: 'u30' },
		{ name: 'quorum reached, redundancy lost', list: [good, bad], combine: { quorum: 1 }, want: 'w30' },
		{ name: 'quorum that unknown children could reach', list: [good, silent, bad], combine: { quorum: 2 }, want: '?30' },
		{ name: 'quorum out of reach', list: [good, bad, bad], combine: { quorum: 2 }, want: 'd30' },
		{ name: 'nothing to combine', list: [], combine: 'all' as const, want: '?30' },
	])('$name', ({ list, combine, want }) => {
		expect(draw(combineTimelines(list, combine, window))).toBe(want);
	});

	test.each([
		{ name: 'one of two is no majority', list: [good, bad], want: 'b30' },
		{ name: 'two of three are', list: [good, bad, bad], want: 'd30' },
		{ name: 'those that do not report have no vote', list: [bad, silent, silent], want: 'd30' },
		{ name: 'nobody reports', list: [silent, silent], want: '?30' },
		{ name: 'only the seconds of a failure are unconfirmed', list: [good, good, blip], want: 'u15 b5 u10' },
		{ name: 'degraded as soon as one says so', list: [good, weak], want: 'w30' },
	])('vantage points: $name', ({ list, want }) => {
		expect(draw(combineVantages(list, window))).toBe(want);
	});
});

describe('figures', () => {
	test.each([
		{ part: 2_591_999, whole: 2_592_000, want: '99.999' },
		{ part: 2_592_000, whole: 2_592_000, want: '100.000' },
		{ part: 0, whole: 10, want: '0.000' },
		{ part: 1, whole: 3, want: '33.333' },
		{ part: 1, whole: 100_000, want: '0.001' },
		{ part: 0, whole: 0, want: null },
	])('$part of $whole is $want', ({ part, whole, want }) => {
		expect(percent(part, whole)).toBe(want);
	});

	test.each([
		{ days: 30, want: '259.20' },
		{ days: 31, want: '267.84' },
		{ days: 90, want: '777.60' },
		{ days: 365, want: '3153.60' },
	])('the budget of $days days at 99.99 % is $want s', ({ days, want }) => {
		expect(budget(days * 86_400, '99.99')).toBe(want);
	});

	test.each([
		{ name: 'nothing was agreed', counts: { excluded: 60, unknown: 0 }, best: null, worst: null, leftOut: null, coverage: null },
		{ name: 'nothing is known', counts: { excluded: 0, unknown: 60 }, best: '100.000', worst: '0.000', leftOut: null, coverage: '0.000' },
	])('there is no figure where $name', ({ counts, best, worst, leftOut, coverage }) => {
		const all = { total: 60, up: 0, degraded: 0, down: 0, unconfirmed: 0, ...counts };
		const agreedSecondsOfPeriod = 60 - counts.excluded;
		expect(availabilityFigures(all, { fromSeconds: 0, toSeconds: 60, target: '99.99', agreedSecondsOfPeriod })).toMatchObject({
			sliBest: best,
			sliWorst: worst,
			sliLeftOut: leftOut,
			coverage,
		});
	});

	test.each([
		{ seconds: 12_345, target: '99.99', want: '1.23' },
		{ seconds: 99, target: '99.99', want: '0.00' },
		{ seconds: 12_345, target: '99.9', want: '12.34' },
	])('a budget is truncated: $seconds s at $target % leave $want s', ({ seconds, target, want }) => {
		expect(budget(seconds, target)).toBe(want);
	});

	test('degraded counts as up, and stands beside', () => {
		const counts = { total: 100, up: 30, degraded: 60, down: 10, unknown: 0, excluded: 0, unconfirmed: 0 };
		const figures = availabilityFigures(counts, { fromSeconds: 0, toSeconds: 100, target: '99.99', agreedSecondsOfPeriod: 100 });
		expect(figures).toMatchObject({ sliBest: '90.000', sliWorst: '90.000', degradedSeconds: 60, budgetUsedSeconds: 10 });
	});

	test('an SLI is a range while time is unknown', () => {
		const counts = { total: 100_000, up: 99_690, degraded: 0, down: 10, unknown: 300, excluded: 0, unconfirmed: 0 };
		const figures = availabilityFigures(counts, { fromSeconds: 0, toSeconds: 100_000, target: '99.99', agreedSecondsOfPeriod: 100_000 });
		expect(figures).toMatchObject({
			sliBest: '99.990',
			sliWorst: '99.690',
			sliLeftOut: '99.989',
			coverage: '99.700',
			budgetSeconds: '10.00',
			budgetUsedSeconds: 10,
		});
	});
});
