import { describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { labelsFromObject, labelValue } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import { createAvailability } from './availability.ts';
import { whatIf } from './budget.ts';
import { createBudgets } from './budgets.ts';
import { equals } from './matchers.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
// November has 30 days: 259.20 s at 99.99 %.
const MONTH = Date.parse('2026-11-01T00:00:00Z');
const inventory = configOrThrow(
	parseInventoryFile(
		`inventory:
  zone: UTC
  calendars: [{ id: day, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }]
  checks: [{ id: k }]
  services: [{ id: s, name: S, checks: [k] }, { id: office, name: O, checks: [k], calendar: day }, { id: group, name: G, children: [s, office] }]`,
		'x.yml',
	),
);

/** Good checks from three days before `nowMs` on, failed ones in the spans. */
async function filled(nowMs: number, failed: readonly (readonly [number, number])[]): Promise<MemoryStorage> {
	const storage = createMemoryStorage();
	const appender = storage.appender();
	const labels = labelsFromObject({ __name__: 'probe_success', check: 'k', vantage: 'a' });
	for (let t = Math.min(MONTH, nowMs - 3 * DAY); t <= nowMs; t += 10_000)
		appender.append(labels, t, failed.some(([from, to]) => t >= from && t < to) ? 0 : 1);
	await appender.commit();
	return storage;
}

function open(storage: MemoryStorage, nowMs: number) {
	const clock = { ...systemClock, now: () => nowMs };
	const availability = createAvailability({ queryable: storage, inventory: () => inventory, clock });
	return createBudgets({ availability, store: storage, inventory: () => inventory, clock, log: silentLogger });
}

const burning = (state: Awaited<ReturnType<ReturnType<typeof open>['states']>>[number] | undefined) =>
	state?.burns.filter((burn) => burn.burning).map(({ name }) => name);

describe('budgets', () => {
	test('an outage of a minute an hour ago burns in the longer windows only', async () => {
		const now = MONTH + 2 * DAY;
		const [state] = await open(await filled(now, [[now - 2 * HOUR, now - 2 * HOUR + 60_000]]), now).states();
		expect(state).toMatchObject({ serviceId: 's', budgetSeconds: 259.2, usedSeconds: 60, remainingSeconds: 199.2, lostAtMs: null });
		// 6 h at six times the pace: 12.96 s; but nothing in the last half hour.
		expect(state?.burns.map(({ longUsedSeconds, shortUsedSeconds }) => [longUsedSeconds, shortUsedSeconds])).toEqual([
			[0, 0],
			[60, 0],
			[60, 60],
			[60, 60],
		]);
		expect(burning(state)).toEqual(['slow', 'creeping']);
	});

	test('the worst burn says when the month is lost, but not when that is after its end', async () => {
		const outage = (now: number) => [[now - 2 * HOUR, now - 2 * HOUR + 60_000]] as const;
		const early = MONTH + 2 * DAY;
		const [state] = await open(await filled(early, outage(early)), early).states();
		// 199.2 s are left, and a minute went in the last day.
		expect(state?.lossForecastAtMs).toBe(early + 199.2 * 1440 * 1000);
		const late = MONTH + 28 * DAY;
		const [last] = await open(await filled(late, outage(late)), late).states();
		expect(burning(last)).toEqual(['slow', 'creeping']);
		expect(last?.lossForecastAtMs).toBeNull();
	});

	test('while it is down every second costs one', async () => {
		const now = MONTH + 2 * DAY;
		const [state, , group] = await open(await filled(now, [[now - 100_000, now + 1]]), now).states();
		expect(state).toMatchObject({ usedSeconds: 100, lossForecastAtMs: now + 159_200 });
		expect(burning(state)).toEqual(['fast', 'quick', 'slow', 'creeping']);
		expect(group).toMatchObject({ serviceId: 'group', usedSeconds: 100 });
	});

	test('two failed checks are no evidence', async () => {
		const now = MONTH + 2 * DAY;
		const storage = createMemoryStorage();
		const appender = storage.appender();
		const labels = labelsFromObject({ __name__: 'probe_success', check: 'k', vantage: 'a' });
		// Those of the hours before are evidence of the longer windows only.
		const failed = (t: number) => (t >= now - 30_000 && t < now - 10_000) || (t >= now - 2 * HOUR && t < now - 2 * HOUR + 50_000);
		for (let t = now - 3 * HOUR; t <= now; t += 10_000) appender.append(labels, t, failed(t) ? 0 : 1);
		await appender.commit();
		const hasty = { ...inventory, checks: inventory.checks.map((check) => ({ ...check, confirm: { failed: 1, of: 1, recovered: 1 } })) };
		const clock = { ...systemClock, now: () => now };
		const availability = createAvailability({ queryable: storage, inventory: () => hasty, clock });
		const [state] = await createBudgets({ availability, store: storage, inventory: () => hasty, clock, log: silentLogger }).states();
		expect(state?.burns[0]).toMatchObject({ longUsedSeconds: 20, failedChecks: 2, burning: false });
		expect(state?.burns[1]).toMatchObject({ longUsedSeconds: 70, failedChecks: 7, burning: true });
	});

	test('three failed checks are, and burn where the limit of the window is passed', async () => {
		const now = MONTH + 10 * DAY;
		const states = async (seconds: number) => {
			const storage = createMemoryStorage();
			const appender = storage.appender();
			const labels = labelsFromObject({ __name__: 'probe_success', check: 'k', vantage: 'a' });
			const step = (seconds * 1000) / 3;
			for (let t = now - HOUR; t <= now; t += step) appender.append(labels, t, t >= now - 6 * step && t < now - 3 * step ? 0 : 1);
			await appender.commit();
			const fast = { ...inventory, checks: inventory.checks.map((check) => ({ ...check, interval: `${seconds / 3}s` })) };
			const clock = { ...systemClock, now: () => now };
			const availability = createAvailability({ queryable: storage, inventory: () => fast, clock });
			return (await createBudgets({ availability, store: storage, inventory: () => fast, clock, log: silentLogger }).states())[0];
		};
		// 259.2 s in 30 days: 14.4 times as fast is 5.184 s in an hour, 6 times 12.96 s in six, 3 times 25.92 s in a day.
		for (const [seconds, want] of [
			[3, []],
			[6, ['fast']],
			[12, ['fast']],
			[15, ['fast', 'quick']],
			[24, ['fast', 'quick']],
			[27, ['fast', 'quick', 'slow', 'creeping']],
		] as const) {
			const state = await states(seconds);
			expect(state).toMatchObject({ usedSeconds: seconds, burns: [{ failedChecks: 3 }, {}, {}, {}] });
			expect(burning(state), `${seconds} s`).toEqual(want);
		}
	});

	test('says at which second the target was lost', async () => {
		const now = MONTH + 2 * DAY;
		const start = MONTH + DAY;
		const [state] = await open(await filled(now, [[start, start + 400_000]]), now).states();
		expect(state).toMatchObject({ remainingSeconds: -140.8, lostAtMs: start + 260_000, lossForecastAtMs: null });
	});

	test.each([
		{
			name: 'twenty minutes tonight',
			id: 's',
			from: 22 * HOUR,
			minutes: 20,
			want: { costSeconds: 1200, freeSeconds: 0, remainingAfterSeconds: -940.8, kept: false },
		},
		{
			name: 'twenty minutes tonight of a service that is closed then',
			id: 'office',
			from: 22 * HOUR,
			minutes: 20,
			want: { costSeconds: 0, freeSeconds: 1200, kept: true },
		},
		{
			name: 'half of it inside the hours',
			id: 'office',
			from: 19.975 * HOUR,
			minutes: 3,
			want: { costSeconds: 90, freeSeconds: 90, remainingAfterSeconds: 39.6, kept: true },
		},
		{
			name: 'next month, whose 31 days allow more',
			id: 's',
			from: 35 * DAY,
			minutes: 1,
			want: { costSeconds: 60, remainingSeconds: 267.84, remainingAfterSeconds: 207.84 },
		},
		{
			name: 'a minute after an outage of a minute and a half',
			id: 's',
			from: 22 * HOUR,
			minutes: 1,
			failed: 90_000,
			want: { costSeconds: 60, remainingSeconds: 169.2, remainingAfterSeconds: 109.2, kept: true },
		},
		{
			name: 'over the end of the month, whose part alone it costs',
			id: 's',
			from: 30 * DAY - 60_000,
			minutes: 10,
			want: { costSeconds: 60, freeSeconds: 0, remainingSeconds: 259.2, remainingAfterSeconds: 199.2, kept: true },
		},
	])('what if: $name', async ({ id, from, minutes, failed = 0, want }) => {
		const now = MONTH + HOUR;
		const budgets = open(await filled(now, [[MONTH + 60_000, MONTH + 60_000 + failed]]), now);
		expect(await budgets.whatIf(id, MONTH + from, MONTH + from + minutes * 60_000)).toMatchObject(want);
	});

	test('what is used up to the last hundredth is kept, and one second more is not', () => {
		const outage = (seconds: number) => whatIf({ remainingSeconds: 60 }, { from: 0, to: seconds }, []);
		expect(outage(60)).toMatchObject({ remainingAfterSeconds: 0, kept: true });
		expect(outage(61)).toMatchObject({ remainingAfterSeconds: -1, kept: false });
	});

	test('becomes series for rules', async () => {
		const now = MONTH + 2 * DAY;
		const storage = await filled(now, [[now - 100_000, now + 1]]);
		await open(storage, now).record();
		const read = async (name: string) =>
			(
				await storage.select([{ name: '__name__', kind: '=', value: name, test: (value) => value === name, literals: [name] }], now, now)
			).map(({ values }) => values[0]);
		expect(await read('fournines_budget_used_seconds')).toEqual([100, 0, 100]);
		expect((await read('fournines_budget_burn_used_seconds')).length).toBe(12);
		expect(await read('fournines_budget_loss_timestamp_seconds')).toContain((now + 159_200) / 1000);
	});

	test('requests become series as well, of the services that name some', async () => {
		const now = MONTH + 2 * DAY;
		const storage = await filled(now, []);
		const appender = storage.appender();
		for (let t = MONTH - 60_000, n = 0; t <= now; t += 60_000, n++)
			for (const [code, each] of [
				['200', 3],
				['500', 1],
			] as const)
				appender.append(labelsFromObject({ __name__: 'asked_total', code }), t, n * each);
		await appender.commit();
		const asked = {
			...inventory,
			services: inventory.services.map((service) =>
				service.id === 's' ? { ...service, requests: { good: 'asked_total{code="200"}', total: 'asked_total' } } : service,
			),
		};
		const clock = { ...systemClock, now: () => now };
		const availability = createAvailability({ queryable: storage, inventory: () => asked, clock });
		await createBudgets({ availability, store: storage, inventory: () => asked, clock, log: silentLogger }).record();
		const read = async (name: string) =>
			(await storage.select([equals('__name__', `fournines_requests_${name}`)], now, now)).map(({ labels, values }) => [
				labelValue(labels, 'service'),
				values[0],
			]);
		// Two days of four requests a minute, one of which fails; one in ten thousand may.
		expect(await read('counted')).toEqual([['s', 11_520]]);
		expect(await read('good')).toEqual([['s', 8640]]);
		expect(await read('sli_ratio')).toEqual([['s', 0.75]]);
		expect(await read('coverage_ratio')).toEqual([['s', 1]]);
		expect(await read('budget')).toEqual([['s', 1.15]]);
	});
});
