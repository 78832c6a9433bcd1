import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configOrThrow } from '../../core/config-file.ts';
import { labelsFromObject } from '../../core/labels.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import type { Queryable } from '../storage/storage.ts';
import { readChecks, readCheckWindows } from './check-reader.ts';

/** Three days before a month ends, so that the days are read in several pieces. */
const BEGIN = Date.parse('2026-10-29T00:00:00Z') / 1000;
const DAY = 86_400;
const DAYS = 7;
const INVENTORY = configOrThrow(
	parseInventoryFile(
		`inventory:
  zone: UTC
  hosts: [{ id: a, zone: z, check: ping }, { id: b, zone: z }]
  vantages: [{ host: a, reference: gate }]
  checks: [{ id: portal, interval: 5m }, { id: gate, interval: 5m }, { id: ping, interval: 10m, confirm: { failed: 2, of: 3, recovered: 2 } }]`,
		'x.yml',
	),
);

interface Outage {
	readonly at: number;
	readonly lasts: number;
	readonly silent: boolean;
}

async function store(
	series: readonly {
		readonly check: string;
		readonly vantage: string;
		readonly instance: string;
		readonly stepSeconds: number;
		readonly outages: readonly Outage[];
		readonly degraded: readonly number[];
	}[],
): Promise<MemoryStorage> {
	const storage = createMemoryStorage();
	const appender = storage.appender();
	for (const { check, vantage, instance, stepSeconds, outages, degraded } of series) {
		const labels = labelsFromObject({ __name__: 'probe_success', job: 'probe', instance, check, vantage });
		const weak = labelsFromObject({ __name__: 'fournines_check_degraded', job: 'probe', instance, check, vantage });
		for (let at = 0; at < DAYS * DAY; at += stepSeconds) {
			const outage = outages.find((one) => at >= one.at && at < one.at + one.lasts);
			if (outage?.silent === true) continue;
			appender.append(labels, (BEGIN + at) * 1000, outage === undefined ? 1 : 0);
			appender.append(weak, (BEGIN + at) * 1000, degraded.some((from) => at >= from && at < from + 7200) ? 1 : 0);
		}
	}
	await appender.commit();
	return storage;
}

const outage = fc.record({ at: fc.nat(DAYS * DAY), lasts: fc.nat(2 * DAY), silent: fc.boolean() });
const series = fc.record({
	check: fc.constantFrom('portal', 'gate', 'ping'),
	vantage: fc.constantFrom('a', 'b'),
	instance: fc.constantFrom('x', 'y'),
	stepSeconds: fc.constantFrom(300, 601),
	outages: fc.array(outage, { maxLength: 4 }),
	degraded: fc.array(fc.nat(DAYS * DAY), { maxLength: 2 }),
});
const days = Array.from({ length: DAYS }, (_, i) => ({ from: BEGIN + i * DAY, to: BEGIN + (i + 1) * DAY }));

describe('several windows at once', () => {
	test('are each what they are alone', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(series, { maxLength: 5 }), fc.uniqueArray(fc.nat(DAYS - 1), { minLength: 1 }), async (all, chosen) => {
				const storage = await store(all);
				const windows = chosen.sort((a, b) => a - b).map((day) => days[day] as (typeof days)[number]);
				const ids = ['portal', 'ping'];
				const together = await readCheckWindows(storage, INVENTORY, { ids, windows });
				for (const [i, window] of windows.entries()) {
					expect(together[i]).toEqual(await readChecks(storage, INVENTORY, { ids, window }));
					for (const id of ids) expect(together[i]?.get(id)).toEqual((await readChecks(storage, INVENTORY, { ids: [id], window })).get(id));
				}
			}),
			{ numRuns: 60 },
		);
	});

	test('read each stretch of the store once', async () => {
		const storage = await store([{ check: 'portal', vantage: 'a', instance: 'x', stepSeconds: 300, outages: [], degraded: [] }]);
		const asked: string[] = [];
		const counting: Queryable = {
			...storage,
			select: (matchers, minMs, maxMs, options) => {
				const metric = matchers.find(({ name }) => name === '__name__')?.value;
				if (metric === 'probe_success') asked.push(`${new Date(minMs).toISOString()} ${new Date(maxMs).toISOString()}`);
				return storage.select(matchers, minMs, maxMs, options);
			},
		};
		const year = Array.from({ length: DAYS }, (_, i) => days[i] as (typeof days)[number]);
		await readCheckWindows(counting, INVENTORY, { ids: ['portal'], windows: year });
		// The reach of a check of 5 min is 135 min (docs/availability.md); months are read to their last millisecond.
		expect(asked.filter((range, i) => asked.indexOf(range) === i)).toHaveLength(asked.length);
		expect(asked[0]).toBe('2026-10-28T21:45:00.000Z 2026-10-31T23:59:59.999Z');
		expect(asked[1]).toBe('2026-11-01T00:00:00.000Z 2026-11-05T02:15:00.000Z');
	});
});

test('two vantage points whose clocks disagree cannot confirm each other: what each saw stands, unconfirmed', async () => {
	const seen = { check: 'portal', instance: 'x', stepSeconds: 300, degraded: [] };
	const storage = await store([
		{ ...seen, vantage: 'a', outages: [{ at: 36_000, lasts: 1800, silent: false }] },
		{ ...seen, vantage: 'b', outages: [{ at: 39_600, lasts: 1800, silent: false }] },
	]);
	const timeline =
		(await readChecks(storage, INVENTORY, { ids: ['portal'], window: days[0] as (typeof days)[number] })).get('portal') ?? [];
	expect(timeline.filter(({ state }) => state !== 'up')).toEqual([]);
	expect(timeline.filter(({ unconfirmed }) => unconfirmed).map(({ from, to }) => [from - BEGIN, to - BEGIN])).toEqual([
		[36_000, 37_800],
		[39_600, 41_400],
	]);
});
