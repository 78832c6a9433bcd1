import fc from 'fast-check';
import { expect, test } from 'vitest';
import { labelsFromObject } from '../../core/labels.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import type { LedgerRange } from './availability.ts';
import { readChecks } from './check-reader.ts';
import { createMemoryDayStore } from './day-store.ts';
import type { Timeline } from './intervals.ts';
import { check, DAY, inventoryOf, open, T0 } from './ledger.fixture.ts';

const DAYS = 3;
const STEP_MS = 600_000;
const STEPS = (DAYS * DAY) / STEP_MS;
const NOW = T0 + 30 * DAY;
const inventory = inventoryOf(`  checks: [{ id: portal, interval: 10m }, { id: gate, interval: 10m }]
  vantages: [{ host: a, reference: gate }]
  services: [{ id: portal, name: P, checks: [portal] }]`);

interface Sample {
	readonly check: string;
	readonly vantage: string;
	readonly atMs: number;
	readonly value: number;
}

/** What two vantage points say for three days: outages, silence and single failures, many of them at midnight. */
const begin = fc.oneof(
	fc.nat(STEPS),
	fc.tuple(fc.constantFrom(1, 2), fc.integer({ min: -9, max: 9 })).map(([day, by]) => day * 144 + by),
);
const trouble = fc.record({ at: begin, steps: fc.integer({ min: 1, max: 40 }), value: fc.constantFrom(0, 0, null) });
const series = fc
	.record({
		check: fc.constantFrom('portal', 'portal', 'gate'),
		vantage: fc.constantFrom('a', 'b'),
		troubles: fc.array(trouble, { maxLength: 5 }),
	})
	.map(({ check: id, vantage, troubles }) =>
		Array.from({ length: STEPS }, (_, step): Sample[] => {
			const now = troubles.find(({ at, steps }) => step >= at && step < at + steps);
			return now?.value === null ? [] : [{ check: id, vantage, atMs: T0 + step * STEP_MS, value: now?.value ?? 1 }];
		}).flat(),
	);
const stored = fc
	.uniqueArray(series, { minLength: 1, maxLength: 3, selector: ([first]) => `${first?.check} ${first?.vantage}` })
	.map((list) => list.flat());

async function put(storage: MemoryStorage, samples: readonly Sample[]): Promise<void> {
	const appender = storage.appender();
	for (const { check: id, vantage, atMs, value } of samples)
		appender.append(labelsFromObject({ job: 'probe', instance: 'x', ...check(id, vantage) }), atMs, value);
	await appender.commit();
}

const whole: LedgerRange = { fromMs: T0, toMs: T0 + DAYS * DAY };
type Open = ReturnType<typeof open>;
const portal = async (availability: Open, range: LedgerRange) => availability.ledger('portal', range);

/** States and what was unconfirmed, without reasons, as `state from-to` in seconds of the three days. */
function statesOf(...timelines: readonly Timeline[]): readonly string[] {
	const runs: { state: string; from: number; to: number }[] = [];
	for (const { from, to, state: kind, unconfirmed } of timelines.flat()) {
		const state = `${kind}${unconfirmed ? ' unconfirmed' : ''}`;
		const last = runs.at(-1);
		if (last?.state === state && last.to === from) last.to = to;
		else runs.push({ state, from, to });
	}
	return runs.map(({ state, from, to }) => `${state} ${from - T0 / 1000}-${to - T0 / 1000}`);
}

test('stored checks say the same of every second, wherever the time is split and whether by days or at once', async () => {
	const cuts = fc.oneof(
		fc.nat(DAYS * 86_400),
		begin.map((step) => Math.min(Math.max(0, step), STEPS) * (STEP_MS / 1000)),
	);
	await fc.assert(
		fc.asyncProperty(stored, fc.array(cuts, { minLength: 1, maxLength: 4 }), async (samples, at) => {
			const storage = createMemoryStorage();
			await put(storage, samples);
			const [from, to] = [T0 / 1000, T0 / 1000 + DAYS * 86_400];
			const read = async (window: SecondSpan) => (await readChecks(storage, inventory, { ids: ['portal'], window })).get('portal') ?? [];
			const all = statesOf(await read({ from, to }));
			const bounds = [from, ...at.map((cut) => T0 / 1000 + cut).sort((a, b) => a - b), to];
			const parts: Timeline[] = [];
			for (const [i, end] of bounds.slice(1).entries())
				if (end > (bounds[i] as number)) parts.push(await read({ from: bounds[i] as number, to: end }));
			expect(statesOf(...parts)).toEqual(all);
			expect(statesOf((await portal(open(storage, inventory, NOW), whole)).timeline)).toEqual(all);
		}),
		{ numRuns: 150 },
	);
});

test('the order in which samples arrive does not matter, nor when the ledger was asked for in between', async () => {
	const batches = stored.chain((samples) =>
		fc.tuple(
			fc.shuffledSubarray(samples, { minLength: samples.length, maxLength: samples.length }),
			fc.array(fc.nat(samples.length), { minLength: 1, maxLength: 5 }),
			fc.boolean(),
		),
	);
	await fc.assert(
		fc.asyncProperty(batches, async ([samples, ends, byTime]) => {
			const expected = createMemoryStorage();
			await put(expected, samples);
			const want = await portal(open(expected, inventory, NOW), whole);
			const storage = createMemoryStorage();
			const availability = open(storage, inventory, NOW, { days: createMemoryDayStore() });
			// As a spool brings them, stretch by stretch in any order, or all mixed.
			const arriving = byTime ? [...samples].sort((a, b) => a.atMs - b.atMs) : samples;
			const bounds = [0, ...[...ends].sort((a, b) => a - b), arriving.length];
			const parts = bounds.slice(1).map((end, i) => arriving.slice(bounds[i], end));
			for (const batch of byTime ? parts.reverse() : parts) {
				if (batch.length === 0) continue;
				await put(storage, batch);
				availability.invalidate(Math.min(...batch.map(({ atMs }) => atMs)), Math.max(...batch.map(({ atMs }) => atMs)));
				await portal(availability, whole);
			}
			expect((await portal(availability, whole)).timeline).toEqual(want.timeline);
		}),
		{ numRuns: 80 },
	);
});
