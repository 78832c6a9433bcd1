import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { labelsFromObject } from '../../core/labels.ts';
import type { AvailabilityFigures } from '../../protocol/api.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { createAvailability, type Exclusion } from './availability.ts';
import { exclude } from './compose.ts';
import { decodeTimeline, encodeTimeline } from './day-store.ts';
import { availabilityFigures, countSeconds } from './figures.ts';
import type { Timeline } from './intervals.ts';
import { exportLedger, verifyLedger } from './ledger-export.ts';
import { ledgerReadings } from './unknown-time.ts';

const DAY = 86_400_000;
const T0 = Date.parse('2026-09-01T00:00:00+08:00');
const inventory = configOrThrow(
	parseInventoryFile(
		`inventory:
  calendars: [{ id: work, weekdays: [1, 2, 3, 4, 5], holidays: statutory, seasons: [{ from: 01-01, to: 12-31, hours: '07:30-21:30' }] }]
  checks: [{ id: a, interval: 1m }, { id: b, interval: 1m }]
  services:
    - { id: portal, name: 门户, checks: [a, b], combine: { quorum: 1 }, calendar: work, created: 2026-09-03 }
    - { id: open, name: O, checks: [a] }
    - { id: shop, name: S, checks: [a], calendar: work, requests: { good: 'asked_total{code!="500"}', total: asked_total } }`,
		'x.yml',
	),
);
let text = '';
beforeAll(async () => {
	const storage = createMemoryStorage();
	const appender = storage.appender();
	for (const [check, from] of [
		['a', 6],
		['b', 8],
	] as const)
		for (let t = T0; t < T0 + 20 * DAY; t += 60_000) {
			const hours = (t - T0 - 9 * DAY) / 3_600_000;
			appender.append(labelsFromObject({ __name__: 'probe_success', check, vantage: 'v' }), t, hours >= from && hours < 10.5 ? 0 : 1);
		}
	// Ten requests a minute, one of which fails; in the 10th day the counters begin again.
	for (let t = T0, i = 0; t < T0 + 20 * DAY; t += 60_000, i++) {
		if (t === T0 + 9 * DAY) i = 0;
		for (const [code, each] of [
			['200', 9],
			['500', 1],
		] as const)
			appender.append(labelsFromObject({ __name__: 'asked_total', code, instance: 'x' }), t, i * each);
	}
	await appender.commit();
	const clock = { ...systemClock, now: () => T0 + 25 * DAY };
	const maintenance = { from: T0 / 1000 + 9 * 86_400 + 36_000, to: T0 / 1000 + 9 * 86_400 + 36_600, reason: 'maintenance: w1' };
	const availability = createAvailability({ queryable: storage, inventory: () => inventory, clock, exclusions: async () => [maintenance] });
	const range = { fromMs: T0, toMs: T0 + 25 * DAY, periodToMs: T0 + 30 * DAY };
	const requests = await availability.allRequests(range);
	text = exportLedger(await availability.ledgers(range), { requests, inventory, product: '1.0.0', nowMs: clock.now(), ...range });
});

/** Puts a right hash under a changed body, as a forger would. */
function forged(change: (body: string) => string): string {
	const body = change(text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1));
	return `${body}${JSON.stringify({ sha256: createHash('sha256').update(body).digest('hex') })}\n`;
}

/** Gives the service that excludes nothing another ledger, and everything in its line that follows from it. */
function rewritten(change: (gross: Timeline) => Timeline): (body: string) => string {
	return (body) =>
		body
			.split('\n')
			.map((line) => {
				if (!line.startsWith('{"service":"open"')) return line;
				const entry = JSON.parse(line) as Record<'gross' | 'netHash', string> & { exclusions: Exclusion[]; figures: AvailabilityFigures };
				const gross = change(decodeTimeline(entry.gross));
				const net = exclude(gross, entry.exclusions);
				const figures = availabilityFigures(countSeconds(net), {
					fromSeconds: entry.figures.fromMs / 1000,
					toSeconds: entry.figures.toMs / 1000,
					target: entry.figures.target,
					agreedSecondsOfPeriod: 30 * 86_400 - 600,
				});
				const readings = ledgerReadings(net);
				const netHash = createHash('sha256').update(encodeTimeline(net)).digest('hex');
				return JSON.stringify({ ...entry, gross: encodeTimeline(gross), figures, readings, netHash });
			})
			.join('\n');
}

describe('a ledger export', () => {
	test('is recomputed to the same digits', () => {
		const { findings, services } = verifyLedger(text);
		expect(findings).toEqual([]);
		// Of the 2.5 hours in which both were down, ten minutes were maintenance; recovery is the first good sample.
		expect(services.map(({ service, figures }) => [service, figures.downSeconds])).toEqual([
			['portal', 8400],
			['open', 15_600],
			['shop', 10_200],
		]);
		const shop = services.find(({ service }) => service === 'shop')?.requests;
		// Fourteen hours on fourteen weekdays and a Sunday that is worked, less ten minutes of maintenance, ten requests a minute.
		expect(shop).toMatchObject({ good: 113_310, total: 125_900, sli: '90.000', unplaced: 0, budgetRequests: '12.59' });
		// The time that nobody saw belongs to an outage only where it counts as down.
		expect(services.map(({ readings }) => [readings['left-out'].downSeconds, readings.down.downSeconds - readings.up.downSeconds])).toEqual(
			services.map(({ figures }) => [figures.downSeconds, figures.unknownSeconds]),
		);
		expect(services.map(({ requests }) => requests === null)).toEqual([true, true, false]);
	});

	test('a changed byte is found, wherever it is', () => {
		const bytes = Buffer.from(text);
		fc.assert(
			fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
				const changed = Buffer.from(bytes);
				changed[at] = ((changed[at] as number) + by) & 0xff;
				expect(verifyLedger(changed.toString('utf8')).findings.length).toBeGreaterThan(0);
			}),
			{ numRuns: 150 },
		);
	});

	test.each([
		{
			name: 'a figure',
			change: (body: string) => body.replace('"downSeconds":8400', '"downSeconds":84'),
			want: /downSeconds is 8400, the export says 84/,
		},
		{
			name: 'an exclusion that nobody approved',
			change: (body: string) =>
				body.replace(/"exclusions":\[\{"from":(\d+)/, (_all, from: string) => `"exclusions":[{"from":${Number(from) - 3600}`),
			want: /what was excluded/,
		},
		{
			name: 'the longest outage that a contract counts',
			change: (body: string) => body.replace(/"longestSeconds":\d+/, '"longestSeconds":60'),
			want: /^portal: with unknown time up it counts \{.*\}, the export says \{.*"longestSeconds":60\}$/,
		},
		{ name: 'a softer confirmation', change: (body: string) => body.replace('failed: 3', 'failed: 5'), want: /definition/ },
		{
			name: 'a lower target',
			change: (body: string) => body.replaceAll('target: \\"99.99\\"', 'target: \\"99.00\\"'),
			want: /definition|target|budgetSeconds/,
		},
		{ name: 'a service left out', change: (body: string) => body.replace(/\{"service":"open".*\n/, ''), want: /not in the export: open/ },
		{
			name: 'a longer holiday',
			change: (body: string) => body.replace('holidays: statutory', 'holidays: none'),
			want: /what was excluded/,
		},
		{
			name: 'a count of requests',
			change: (body: string) => body.replace(',9,10,60,0]', ',9,9,60,0]'),
			want: /shop: requests: total is \d+, the export says \d+/,
		},
		{
			name: 'a figure of requests',
			change: (body: string) => body.replace('"sli":"90.000"', '"sli":"99.990"'),
			want: /shop: requests: sli is 90.000, the export says 99.990/,
		},
		{
			name: 'other counters',
			change: (body: string) => body.replace('asked_total{code!', 'other_total{code!'),
			want: /shop: requests: their counters/,
		},
		{
			name: 'requests left out',
			change: (body: string) => body.replace(/,"requests":\{.*\}\}\n/, '}\n'),
			want: /shop: requests: they are missing/,
		},
		{
			name: 'a minute counted twice',
			change: (body: string) => body.replace(/"minutes":\[(\[.*?\])/, '"minutes":[$1,$1'),
			want: /counted twice/,
		},
		{
			name: 'minutes beyond the window',
			change: (body: string) =>
				body.replace(/(\[\d+,\d+,0,0,60,0\]|\[[\d,]+\])\],"figures"/, `$1,[${T0 / 60_000 + 25 * 1440},1,1,1,60,0]],"figures"`),
			want: /beyond the window/,
		},
		{
			name: 'an outage that was cut out, with every figure and hash of what is left',
			change: rewritten((gross) => gross.filter(({ state }) => state !== 'down')),
			want: /^open: its ledger has a gap or an overlap at \d+$/,
		},
		{
			name: 'an end that was cut off, likewise',
			change: rewritten((gross) => gross.slice(0, -1)),
			want: /^open: its ledger ends at \d+ instead of \d+$/,
		},
		{ name: 'nonsense', change: () => '{}\n', want: /not a ledger export/ },
	])('a forger who corrects the hash is found: $name', ({ change, want }) => {
		const changed = forged(change);
		expect(changed).not.toBe(text);
		expect(verifyLedger(changed).findings.join('\n')).toMatch(want);
	});

	test('version 2, which says nothing of what contracts count, is still recomputed', () => {
		const old = (body: string) => body.replace('"version":3', '"version":2').replaceAll(/"readings":\{.*?\}\},/g, '');
		expect(old(text)).not.toContain('readings');
		expect(verifyLedger(forged(old)).findings).toEqual([]);
		expect(verifyLedger(forged((body) => body.replace(/"readings":\{.*?\}\},/, ''))).findings).toEqual([
			'portal: what contracts count of it is missing',
		]);
	});

	test('version 1, which knew fewer figures, is still recomputed', () => {
		const old = (body: string) =>
			body
				.replace('"version":3', '"version":1')
				.replaceAll(/"readings":\{.*?\}\},/g, '')
				.replaceAll(/"sliLeftOut":("[\d.]+"|null),/g, '')
				.replace(/,"requests":\{.*\}\}\n/, '}\n');
		expect(old(text)).not.toContain('sliLeftOut');
		expect(verifyLedger(forged(old)).findings).toEqual([]);
		expect(verifyLedger(forged((body) => old(body).replace('"downSeconds":8400', '"downSeconds":8399'))).findings).toHaveLength(1);
		// The same without the figure is no later version.
		expect(verifyLedger(forged((body) => body.replace(/"sliLeftOut":"[\d.]+",/, ''))).findings).toHaveLength(1);
	});

	test('a file cut anywhere is found', () => {
		for (let i = 0; i < text.length; i += 97) expect(verifyLedger(text.slice(0, i)).findings.length).toBeGreaterThan(0);
	});
});
