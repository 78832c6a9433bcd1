import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configOrThrow } from '../../core/config-file.ts';
import type { InventoryConfig } from '../inventory/config.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { check, DAY, inventoryOf, open, type Span, T0, write } from './ledger.fixture.ts';

describe('edges of time', () => {
	const month = (zone: string, calendars = '') =>
		configOrThrow(
			parseInventoryFile(
				`inventory:\n  zone: ${zone}\n${calendars}  checks: [{ id: c, interval: 1m }]\n  services: [{ id: s, name: S, checks: [c]${calendars === '' ? '' : ', calendar: x'} }]`,
				'x.yml',
			),
		);
	const office = (days = '08:00-20:00') => `  calendars: [{ id: x, seasons: [{ from: 01-01, to: 12-31, hours: '${days}' }] }]\n`;
	const agreed = async (inventory: InventoryConfig, from: string, to: string) => {
		const { figures } = await open(createMemoryStorage(), inventory, Date.parse('2030-01-01T00:00:00Z')).ledger('s', {
			fromMs: Date.parse(from),
			toMs: Date.parse(to),
		});
		return figures.totalSeconds - figures.excludedSeconds;
	};

	test.each([
		{
			name: 'a leap February',
			inventory: month('Asia/Shanghai'),
			from: '2028-02-01T00:00:00+08:00',
			to: '2028-03-01T00:00:00+08:00',
			want: 29 * 86_400,
		},
		{
			name: 'a month with the clocks put forward',
			inventory: month('Europe/Berlin'),
			from: '2026-03-01T00:00:00+01:00',
			to: '2026-04-01T00:00:00+02:00',
			want: 31 * 86_400 - 3600,
		},
		{
			name: 'the night the clocks go back is one hour longer',
			inventory: month('Europe/Berlin', office('00:00-06:00')),
			from: '2026-10-25T00:00:00+02:00',
			to: '2026-10-26T00:00:00+01:00',
			want: 7 * 3600,
		},
		{
			name: 'twelve hours of each day over New Year',
			inventory: month('Asia/Shanghai', office()),
			from: '2026-12-31T00:00:00+08:00',
			to: '2027-01-02T00:00:00+08:00',
			want: 86_400,
		},
		{
			name: 'hours that change in the middle of the month',
			inventory: month(
				'Asia/Shanghai',
				`  calendars: [{ id: x, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }, { id: x, valid_from: 2026-06-16, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-18:00' }] }]\n`,
			),
			from: '2026-06-01T00:00:00+08:00',
			to: '2026-07-01T00:00:00+08:00',
			want: 15 * 12 * 3600 + 15 * 10 * 3600,
		},
	])('$name', async ({ inventory, from, to, want }) => {
		expect(await agreed(inventory, from, to)).toBe(want);
	});
});

test('services agree with a walk over every second, whatever the children say', async () => {
	const inventory = inventoryOf(`  checks: [{ id: c1 }, { id: c2 }, { id: c3 }]
  services:
    - { id: pair, name: P, checks: [c1, c2], combine: { quorum: 1, redundancy: 2 } }
    - { id: any, name: A, checks: [c1, c2, c3], combine: any }
    - { id: top, name: T, children: [pair], checks: [c3] }
    - { id: c1, name: S1, checks: [c1] }
    - { id: c2, name: S2, checks: [c2] }
    - { id: c3, name: S3, checks: [c3] }`);
	const runs = fc.array(fc.tuple(fc.constantFrom(0, 1, null), fc.integer({ min: 1, max: 15 })), { minLength: 1, maxLength: 8 });
	await fc.assert(
		fc.asyncProperty(fc.tuple(runs, runs, runs), async (checks) => {
			const storage = createMemoryStorage();
			for (const [i, list] of checks.entries()) {
				let at = 0;
				const spans: Span[] = [];
				for (const [value, length] of list) {
					if (value !== null) spans.push({ from: at, to: at + length * 10, value });
					at += length * 10;
				}
				await write(storage, check(`c${i + 1}`), spans);
			}
			const availability = open(storage, inventory, T0 + DAY);
			const seconds = new Map<string, string[]>();
			for (const { service, timeline } of await availability.ledgers({ fromMs: T0, toMs: T0 + 900_000 }))
				seconds.set(
					service.id,
					timeline.flatMap(({ from, to, state }) => new Array<string>(to - from).fill(state)),
				);
			const rank = ['down', 'unknown', 'degraded', 'up'];
			for (let s = 0; s < 900; s++) {
				const [one, two, three] = ['c1', 'c2', 'c3'].map((id) => seconds.get(id)?.[s] ?? '') as [string, string, string];
				const good = [one, two].filter((state) => state === 'up').length;
				const pair = good === 2 ? 'up' : good === 1 ? 'degraded' : [one, two].includes('unknown') ? 'unknown' : 'down';
				expect(seconds.get('pair')?.[s]).toBe(pair);
				expect(seconds.get('any')?.[s]).toBe([one, two, three].sort((a, b) => rank.indexOf(b) - rank.indexOf(a))[0]);
				expect(seconds.get('top')?.[s]).toBe([pair, three].sort((a, b) => rank.indexOf(a) - rank.indexOf(b))[0]);
			}
		}),
		{ numRuns: 25 },
	);
});
