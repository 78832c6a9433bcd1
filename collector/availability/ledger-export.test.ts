import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { labelsFromObject } from '../../core/labels.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { createAvailability } from './availability.ts';
import { exportLedger, verifyLedger } from './ledger-export.ts';

const DAY = 86_400_000;
const T0 = Date.parse('2026-09-01T00:00:00+08:00');
const inventory = configOrThrow(
	parseInventoryFile(
		`inventory:
  calendars: [{ id: work, weekdays: [1, 2, 3, 4, 5], holidays: statutory, seasons: [{ from: 01-01, to: 12-31, hours: '07:30-21:30' }] }]
  checks: [{ id: a, interval: 1m }, { id: b, interval: 1m }]
  services:
    - { id: portal, name: 门户, checks: [a, b], combine: { quorum: 1 }, calendar: work, created: 2026-09-03 }
    - { id: open, name: O, checks: [a] }`,
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
	await appender.commit();
	const clock = { ...systemClock, now: () => T0 + 25 * DAY };
	const maintenance = { from: T0 / 1000 + 9 * 86_400 + 36_000, to: T0 / 1000 + 9 * 86_400 + 36_600, reason: 'maintenance: w1' };
	const availability = createAvailability({ queryable: storage, inventory: () => inventory, clock, exclusions: async () => [maintenance] });
	const range = { fromMs: T0, toMs: T0 + 25 * DAY, periodToMs: T0 + 30 * DAY };
	text = exportLedger(await availability.ledgers(range), { inventory, product: '1.0.0', nowMs: clock.now(), ...range });
});

/** Puts a right hash under a changed body, as a forger would. */
function forged(change: (body: string) => string): string {
	const body = change(text.slice(0, text.lastIndexOf('\n', text.length - 2) + 1));
	return `${body}${JSON.stringify({ sha256: createHash('sha256').update(body).digest('hex') })}\n`;
}

describe('a ledger export', () => {
	test('is recomputed to the same digits', () => {
		const { findings, services } = verifyLedger(text);
		expect(findings).toEqual([]);
		// Of the 2.5 hours in which both were down, ten minutes were maintenance; recovery is the first good sample.
		expect(services.map(({ service, figures }) => [service, figures.downSeconds])).toEqual([
			['portal', 8400],
			['open', 15_600],
		]);
	});

	test('a changed byte is found, wherever it is', () => {
		const bytes = Buffer.from(text);
		fc.assert(
			fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
				const changed = Buffer.from(bytes);
				changed[at] = ((changed[at] as number) + by) & 0xff;
				expect(verifyLedger(changed.toString('utf8')).findings.length).toBeGreaterThan(0);
			}),
			{ numRuns: 300 },
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
		{ name: 'nonsense', change: () => '{}\n', want: /not a ledger export/ },
	])('a forger who corrects the hash is found: $name', ({ change, want }) => {
		const changed = forged(change);
		expect(changed).not.toBe(text);
		expect(verifyLedger(changed).findings.join('\n')).toMatch(want);
	});

	test('a file cut anywhere is found', () => {
		for (let i = 0; i < text.length; i += 97) expect(verifyLedger(text.slice(0, i)).findings.length).toBeGreaterThan(0);
	});
});
