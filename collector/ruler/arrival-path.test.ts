import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ArrivalWorld, createArrivalWorld } from './arrival-world.fixture.ts';

const RULES = `groups:
  - name: checks
    interval: 1m
    rules:
      - {record: 'check:down', expr: 'probe_success == bool 0'}
      - {alert: CheckFailed, expr: probe_success == 0}
      - {alert: CheckFailedLong, expr: probe_success == 0, for: 90s}
      - {alert: Recorded, expr: 'max by (check) ({__name__=~"check:.*"}) == 1'}
      - {record: other, expr: vector(1)}
  - name: elsewhere
    interval: 1m
    rules:
      - {alert: Elsewhere, expr: 'check:down == 1'}
  - name: later
    interval: 1m
    query_offset: 30s
    rules:
      - {alert: Later, expr: probe_success == 0}
`;

let world: ArrivalWorld;

beforeEach(async () => {
	world = await createArrivalWorld(RULES, { arrivalSettleMs: 200, arrivalGapMs: 1000 });
});

afterEach(() => world.stop());

const check = (value: number) => world.push('probe_success', value, { check: 'a' });
const rule = (name: string) => world.rule(name);

describe('a check that fails', () => {
	test('fires soon after its sample, together with what depends on it', async () => {
		const arrivedMs = world.clock.now();
		check(0);
		await world.clock.advance(199);
		expect(world.told).toEqual([]);
		await world.clock.advance(1);
		expect(world.told.map(({ what }) => what)).toEqual(['CheckFailed', 'Recorded', 'Elsewhere']);
		expect(new Set(world.told.map(({ atMs }) => atMs - arrivedMs))).toEqual(new Set([200]));
		expect(rule('CheckFailedLong').alerting?.state).toBe('pending');
		expect(rule('other').partMs ?? rule('other').arrivalMs).toBeNull();
		expect(rule('Later').partMs ?? rule('Later').arrivalMs).toBeNull();
	});

	test('begins the time that a rule waits, which ends between two slots', async () => {
		const arrivedMs = world.clock.now();
		check(0);
		await world.clock.advance(90_199);
		expect(rule('CheckFailedLong').alerting?.state).toBe('pending');
		await world.clock.advance(1);
		const alert = [...(rule('CheckFailedLong').alerting?.active.values() ?? [])][0];
		expect(alert).toMatchObject({ state: 'firing', activeAtMs: arrivedMs + 200, firedAtMs: arrivedMs + 90_200 });
	});

	test('and comes back is told as soon', async () => {
		check(0);
		await world.clock.advance(2000);
		check(1);
		await world.clock.advance(200);
		expect(rule('CheckFailed').alerting?.state).toBe('inactive');
		expect(world.told.at(-1)?.what).toBe('-Elsewhere');
	});
});

test('samples that come together are judged once, and those that trickle in not more often than the gap allows', async () => {
	const seen = new Set<number>();
	for (let i = 0; i < 40; i++) {
		check(1);
		await world.clock.advance(50);
		const { partMs } = rule('CheckFailed');
		if (partMs !== null) seen.add(partMs);
	}
	// Two seconds: at 0.2 s and 1.2 s.
	expect([...seen].map((ms) => ms % 1000)).toHaveLength(2);
});

test('a sample that comes before an evaluation is judged by it, or by the next', async () => {
	check(1);
	await world.clock.advance(100);
	check(0);
	await world.clock.advance(3000);
	expect(rule('CheckFailed').alerting?.state).toBe('firing');
});

test('slots go on beside it', async () => {
	for (let i = 0; i < 300; i++) {
		check(0);
		await world.clock.advance(997);
	}
	expect(world.clock.now() - (world.ruler.groups()[0]?.lastEvaluationMs ?? 0)).toBeLessThanOrEqual(60_000);
	expect(world.clock.now() - (rule('other').lastEvaluationMs ?? 0)).toBeLessThanOrEqual(60_000);
});

test.each([
	{ name: 'a slot that comes late does not go back behind it', slotAfterMs: -5, evaluated: false },
	{ name: 'the next slot is evaluated', slotAfterMs: 59_995, evaluated: true },
	{ name: 'a clock that was set back does not stop the rules', slotAfterMs: -3_600_000, evaluated: true },
])('$name', async ({ slotAfterMs, evaluated }) => {
	const [group] = world.ruler.groups();
	const [first] = group?.rules ?? [];
	if (group === undefined || first === undefined) throw new Error('there is no rule');
	const arrivalMs = world.clock.now();
	await group.evaluateOnArrival(first, undefined, new AbortController().signal);
	await group.evaluate(arrivalMs + slotAfterMs);
	expect(group.rules.map(({ lastEvaluationMs }) => (lastEvaluationMs ?? 0) - arrivalMs)).toEqual([
		evaluated ? slotAfterMs : 0,
		slotAfterMs,
		slotAfterMs,
		slotAfterMs,
		slotAfterMs,
	]);
});

test('a metric that no rule reads evaluates nothing', async () => {
	world.push('node_load1', 3);
	await world.clock.advance(5000);
	expect(world.ruler.groups().flatMap(({ rules }) => rules.flatMap(({ partMs, arrivalMs }) => partMs ?? arrivalMs ?? []))).toEqual([]);
});

test('nothing is evaluated after the stop', async () => {
	check(0);
	await world.ruler.stop();
	check(0);
	await world.clock.advance(5000);
	expect(world.told).toEqual([]);
});

test('with no share of the processor everything waits for its slot', async () => {
	await world.stop();
	world = await createArrivalWorld(RULES, { arrivalShare: 0 });
	check(0);
	await world.clock.advance(5000);
	expect(world.told).toEqual([]);
	expect(await world.registry.getSingleMetricAsString('fournines_ruler_arrival_rules_count')).toContain('kind="slot"} 7');
	await world.clock.advance(60_000);
	expect(world.told.map(({ what }) => what)).toContain('CheckFailed');
});
