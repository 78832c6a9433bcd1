import { afterEach, describe, expect, test } from 'vitest';
import { type ArrivalWorld, createArrivalWorld, type WorldOptions } from './arrival-world.fixture.ts';

let world: ArrivalWorld;

afterEach(() => world.stop());

/** The slots of the group are a year apart, so that what is told comes from an arrival, or from the slot that a test asks for. */
async function start(rules: string, options: WorldOptions = {}): Promise<void> {
	world = await createArrivalWorld(`groups: [{ name: g, interval: 1y, rules: [${rules}] }]`, options);
}

const slot = () => world.ruler.evaluateOnce(world.clock.now());
const from = (instance: string) => ({ instance });
const told = () => world.told.map(({ what }) => what);

describe('two metrics of one measurement that arrive in two requests', () => {
	const RATIO = '{ alert: ErrorsHigh, expr: errors / requests > 0.5 }';

	/** A round in which the errors come `apartMs` before the requests. */
	async function round(errors: number, requests: number, apartMs: number): Promise<void> {
		const measuredMs = world.clock.now();
		world.push('errors', errors, from('a'));
		await world.clock.advance(apartMs);
		world.push('requests', requests, from('a'), world.clock.now() - measuredMs);
		await world.clock.advance(15_000 - apartMs);
	}

	function both(instance: string, errors: number): void {
		world.push('errors', errors, from(instance));
		world.push('requests', 100, from(instance));
	}

	test.each([
		{ name: 'at once', apartMs: 0 },
		{ name: 'within the time that samples settle', apartMs: 50 },
		{ name: 'later', apartMs: 700 },
		{ name: 'much later', apartMs: 6000 },
	])('give no false alert when they come $name', async ({ apartMs }) => {
		await start(RATIO);
		// Every error counter is larger than half of the requests before it.
		for (let i = 1; i <= 4; i++) await round(20 * 4 ** i, 100 * 4 ** i, apartMs);
		expect(world.told).toEqual([]);
		expect(world.rule('ErrorsHigh').partMs).not.toBeNull();
		await round(900 * 4 ** 5, 1000 * 4 ** 5, apartMs);
		expect(told()).toEqual(['ErrorsHigh a']);
	});

	test('that have rhythms of their own do not wait for each other', async () => {
		await start(RATIO);
		for (let i = 0; i < 3; i++) {
			world.push('requests', 100, from('a'));
			await world.clock.advance(7000);
			world.push('errors', 1, from('a'));
			await world.clock.advance(8000);
		}
		world.push('errors', 90, from('a'));
		await world.clock.advance(200);
		expect(told()).toEqual(['ErrorsHigh a']);
	});

	test('are not waited for on behalf of a host that the alert is not about', async () => {
		await start(RATIO);
		for (let i = 0; i < 2; i++) {
			both('a', 1);
			both('b', 1);
			await world.clock.advance(15_000);
		}
		world.push('errors', 99, from('a'));
		both('b', 99);
		await world.clock.advance(200);
		expect(told()).toEqual(['ErrorsHigh b']);
	});

	test('hold up what adds up all hosts, but not for long', async () => {
		await start('{ alert: ErrorsHigh, expr: sum(errors) / sum(requests) > 0.5 }');
		await slot();
		for (let i = 0; i < 2; i++) {
			both('a', 1);
			both('b', 1);
			await world.clock.advance(15_000);
		}
		world.push('errors', 200, from('a'));
		await world.clock.advance(500);
		both('b', 90);
		await world.clock.advance(500);
		expect(world.told).toEqual([]);
		await world.clock.advance(3000);
		both('b', 90);
		await world.clock.advance(500);
		expect(told()).toEqual(['ErrorsHigh']);
	});
});

describe('samples of the past', () => {
	test('fire nothing when a spool is emptied after an outage', async () => {
		await start('{ alert: Full, expr: disk_used > 0.9 }');
		for (let ageMs = 240_000; ageMs > 30_000; ageMs -= 15_000) {
			world.push('disk_used', 0.99, from('a'), ageMs);
			await world.clock.advance(200);
		}
		world.push('disk_used', 0.1, from('a'));
		await world.clock.advance(5000);
		expect(world.told).toEqual([]);
		world.push('disk_used', 0.95, from('a'));
		await world.clock.advance(500);
		expect(told()).toEqual(['Full a']);
	});
});

describe('a part of a rule', () => {
	test('changes only its own alerts and series', async () => {
		await start("{ record: 'host:load', expr: load * 2 }, { alert: Busy, expr: 'host:load > 4' }");
		world.push('load', 3, from('a'));
		world.push('load', 3, from('b'));
		await world.clock.advance(200);
		expect(told().sort()).toEqual(['Busy a', 'Busy b']);
		world.told.length = 0;
		world.push('load', 1, from('a'));
		await world.clock.advance(400);
		expect(told()).toEqual(['-Busy a']);
		expect([...world.rule('Busy').series.values()].filter((labels) => labels.includes('a'))).toEqual([]);
		expect(world.rule('Busy').series.size).toBe(2);
		expect(world.rule('host:load').series.size).toBe(2);
	});

	test('resolves when its series ends', async () => {
		await start('{ alert: Busy, expr: load > 4 }');
		world.push('load', 5, from('a'));
		await world.clock.advance(500);
		world.push('load', null, from('a'));
		await world.clock.advance(500);
		expect(told()).toEqual(['Busy a', '-Busy a']);
	});

	test('asks the store for nothing else', async () => {
		const parts: (string | undefined)[] = [];
		await start('{ alert: Busy, expr: max by (instance) (load) > 4 }', {
			wrap: (engine) => ({
				...engine,
				instant: (query, timeMs, options) => {
					parts.push(options?.within?.value);
					return engine.instant(query, timeMs, options);
				},
			}),
		});
		parts.length = 0;
		world.push('load', 1, from('host.1'));
		await world.clock.advance(1000);
		world.push('load', 1, from('host.1'));
		world.push('load', 1, from('b'));
		await world.clock.advance(1000);
		expect(parts).toEqual(['host.1', 'b|host\\.1']);
	});

	test('goes on with the alert of before a restart, and leaves those of other hosts for their own time', async () => {
		const rules = '{ alert: Busy, expr: load > 4, for: 1m }';
		await start(rules);
		const earlier = world;
		const { clock } = earlier;
		for (const instance of ['a', 'b']) world.push('load', 5, from(instance));
		const sinceMs = clock.now() + 100;
		await clock.advance(70_000);
		expect(told().sort()).toEqual(['Busy a', 'Busy b']);
		await world.stop();
		await start(rules, { earlier });
		for (const instance of ['a', 'b']) {
			world.push('load', 5, from(instance));
			await clock.advance(2000);
			expect(told().at(-1)).toBe(`Busy ${instance}`);
		}
		const alerts = [...(world.rule('Busy').alerting?.active.values() ?? [])];
		expect(alerts.map(({ state, activeAtMs }) => [state, activeAtMs])).toEqual(
			Array(2).fill(['firing', Math.floor(sinceMs / 1000) * 1000]),
		);
	});
});

describe('time that an alert waits', () => {
	test('keep_firing_for ends on time', async () => {
		await start('{ alert: Busy, expr: load > 4, keep_firing_for: 20s }');
		world.push('load', 5, from('a'));
		await world.clock.advance(1000);
		world.push('load', 1, from('a'));
		const clearedMs = world.clock.now();
		await world.clock.advance(60_000);
		expect(world.told).toEqual([
			{ what: 'Busy a', atMs: clearedMs - 900 },
			{ what: '-Busy a', atMs: clearedMs + 20_100 },
		]);
	});

	test('a `for` that is over fires only when the condition still holds', async () => {
		await start('{ alert: Busy, expr: load > 4, for: 20s }');
		world.push('load', 5, from('a'));
		await world.clock.advance(10_000);
		world.push('load', 1, from('a'));
		await world.clock.advance(60_000);
		expect(world.told).toEqual([]);
		expect(world.rule('Busy').alerting?.active.size).toBe(0);
	});
});

describe('rules that cannot be evaluated on arrival', () => {
	test.each([
		{
			name: 'one that reads what it writes',
			rules: "{ record: 'a:count', expr: 'a:count + load' }, { alert: A, expr: 'a:count > 1' }",
			metric: 'load',
		},
		{
			name: 'a circle of two',
			rules: "{ record: 'a:x', expr: 'b:x + load' }, { record: 'b:x', expr: 'a:x' }, { alert: A, expr: 'b:x > 1' }",
			metric: 'load',
		},
		{ name: 'one that reads its own alerts', rules: '{ alert: A, expr: "count(ALERTS) + on () load > 0" }', metric: 'load' },
		{ name: 'one that looks at another time', rules: '{ alert: A, expr: load offset 1m > 0 }', metric: 'load' },
		{ name: 'one that records for nobody', rules: "{ record: 'a:x', expr: load }", metric: 'load' },
	])('$name waits for its slot', async ({ rules, metric }) => {
		await start(rules);
		// At first sight several inputs are awaited.
		for (let i = 0; i < 3; i++) {
			world.push(metric, 5, from('a'));
			await world.clock.advance(15_000);
		}
		const evaluated = world.ruler
			.groups()
			.flatMap((group) => group.rules.filter(({ partMs, arrivalMs }) => (partMs ?? arrivalMs) !== null));
		expect(evaluated.map(({ definition }) => definition.name).filter((name) => name !== 'A' || !rules.includes(':'))).toEqual([]);
	});

	test('what adds up hosts begins with the first slot, because hosts may be missing before', async () => {
		await start('{ alert: Few, expr: count(load) < 3 }');
		world.push('load', 1, from('a'));
		await world.clock.advance(1000);
		expect(world.rule('Few').arrivalMs).toBeNull();
		await slot();
		const arrivedMs = world.clock.now();
		world.push('load', 1, from('a'));
		await world.clock.advance(1000);
		expect(world.rule('Few').arrivalMs).toBe(arrivedMs + 100);
	});
});
