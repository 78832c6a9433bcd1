import { afterEach, describe, expect, test } from 'vitest';
import { createMatcher } from '../promql/matcher.ts';
import { type ArrivalWorld, createArrivalWorld, type WorldOptions } from './arrival-world.fixture.ts';

let world: ArrivalWorld;

afterEach(() => world.stop());

/** The slots of the group are a year apart. */
const group = (rules: string, more = '') => `groups: [{ name: g, interval: 1y, ${more} rules: [${rules}] }]`;

async function start(rules: string, options: WorldOptions = {}, more = ''): Promise<void> {
	world = await createArrivalWorld(group(rules, more), options);
}

const from = (instance: string) => ({ instance });
const told = () => world.told.map(({ what }) => what);
const busy = (name: string, severity: string) => `{ alert: ${name}, expr: load > 4, labels: { severity: ${severity} } }`;

/** Every query takes so long. */
const costing = (ms: number): WorldOptions => ({
	wrap: (engine, clock) => ({
		...engine,
		instant: async (query, timeMs, options) => {
			const result = await engine.instant(query, timeMs, options);
			await clock.sleep(ms);
			return result;
		},
	}),
});

/** Time goes on until the slot of all groups is over. */
async function slotAt(timeMs: number): Promise<void> {
	let isOver = false;
	const slot = world.ruler.evaluateOnce(timeMs).finally(() => {
		isOver = true;
	});
	while (!isOver) await world.clock.advance(50);
	await slot;
}

async function counted(metric: string): Promise<number> {
	const text = await world.registry.getSingleMetricAsString(metric);
	return Number(/ (\S+)$/m.exec(text.split('\n').at(-1) ?? '')?.[1]);
}

const usedSeconds = () => counted('fournines_ruler_arrival_seconds_total');

describe('the share of the processor', () => {
	test('is spent on the most severe rules first', async () => {
		await start([busy('Info', 'info'), busy('None', 'none'), busy('Warning', 'warning'), busy('Critical', 'critical')].join(', '));
		world.push('load', 5, from('a'));
		await world.clock.advance(1000);
		expect(told()).toEqual(['Critical a', 'Warning a', 'Info a', 'None a']);
	});

	test('counts a recording rule as severe as the alert that it serves', async () => {
		await start(
			`${busy('Warning', 'warning')}, { record: 'a:x', expr: load }, { alert: Critical, expr: 'a:x > 4', labels: { severity: critical } }`,
		);
		world.push('load', 5, from('a'));
		await world.clock.advance(1000);
		expect(told()).toEqual(['Critical a', 'Warning a']);
	});

	test('is never exceeded, and what is left waits for its slot', async () => {
		const rules = Array.from({ length: 20 }, (_, i) => busy(`R${i}`, i < 10 ? 'info' : 'critical'));
		await start(rules.join(', '), costing(50));
		const beganMs = world.clock.now();
		for (let i = 0; i < 200; i++) {
			world.push('load', 5, from('a'));
			await world.clock.advance(100);
		}
		const elapsedSeconds = (world.clock.now() - beganMs) / 1000;
		const used = await usedSeconds();
		// A tenth, two seconds' worth that was saved, and one evaluation.
		expect(used).toBeLessThanOrEqual(elapsedSeconds * 0.1 + 0.2 + 0.05);
		expect(used).toBeGreaterThan(elapsedSeconds * 0.08);
		expect(await counted('fournines_ruler_arrival_waits_total')).toBe(0);
		await slotAt(world.clock.now());
		expect(await counted('fournines_ruler_arrival_waits_total')).toBeGreaterThan(0);
		expect(new Set(told()).size).toBe(20);
	});

	test('is not given to one dear rule', async () => {
		await start(busy('Dear', 'critical'), costing(40));
		const beganMs = world.clock.now();
		for (let i = 0; i < 400; i++) {
			world.push('load', 5, from('a'));
			await world.clock.advance(50);
		}
		const elapsedSeconds = (world.clock.now() - beganMs) / 1000;
		expect(await usedSeconds()).toBeLessThanOrEqual(elapsedSeconds * 0.025 + 0.12);
		expect(await usedSeconds()).toBeGreaterThan(elapsedSeconds * 0.02);
	});
});

describe('two evaluations of a rule', () => {
	test('never run at once, and the second does not write behind the first', async () => {
		let underWay = 0;
		let most = 0;
		await start(busy('Busy', 'info'), {
			wrap: (engine, clock) => ({
				...engine,
				instant: async (query, timeMs, options) => {
					most = Math.max(most, ++underWay);
					await clock.sleep(20);
					underWay--;
					return engine.instant(query, timeMs, options);
				},
			}),
		});
		const slotMs = world.clock.now() + 90;
		world.push('load', 5, from('a'));
		await world.clock.advance(105);
		await slotAt(slotMs);
		expect(most).toBe(1);
		expect(world.rule('Busy').partMs).toBe(slotMs + 10);
		expect(world.rule('Busy').lastEvaluationMs).toBe(slotMs + 10);
	});

	test('do not make up for what arrives while the one at the slot runs', async () => {
		let slotQueryMs = 0;
		await start(busy('Busy', 'info'), {
			wrap: (engine, clock) => ({
				...engine,
				instant: async (query, timeMs, options) => {
					const result = await engine.instant(query, timeMs, options);
					if (options?.within === undefined) await clock.sleep(slotQueryMs);
					return result;
				},
			}),
		});
		world.push('load', 1, from('a'));
		await world.clock.advance(150);
		slotQueryMs = 180;
		const slot = world.ruler.evaluateOnce(world.clock.now());
		await world.clock.advance(10);
		// It is collected while the slot runs, and may not be judged yet, because the rule was just now.
		world.push('load', 5, from('a'));
		await world.clock.advance(1000);
		await slot;
		expect(told()).toEqual(['Busy a']);
	});

	test('keep their order when the clock steps back', async () => {
		await start(busy('Busy', 'info'));
		const aheadMs = world.clock.now() + 2000;
		await world.ruler.evaluateOnce(aheadMs);
		world.push('load', 5, from('a'));
		await world.clock.advance(200);
		expect(world.rule('Busy').partMs).toBe(aheadMs);
	});
});

describe('a part of a rule', () => {
	test('repeats and writes nothing of the others', async () => {
		await start(busy('Busy', 'info'));
		world.push('load', 5, from('a'));
		world.push('load', 5, from('b'));
		await world.clock.advance(200);
		expect(told().sort()).toEqual(['Busy a', 'Busy b']);
		await world.clock.advance(61_000);
		world.push('load', 5, from('a'));
		await world.clock.advance(200);
		expect(told().slice(2)).toEqual(['Busy a']);
		const written = await world.storage.select([createMatcher('=', '__name__', 'ALERTS')], 0, Number.MAX_SAFE_INTEGER);
		expect(written.map(({ labels, values }) => [labels[labels.indexOf('instance') + 1], values.length])).toEqual([
			['a', 2],
			['b', 1],
		]);
	});

	test('is all of it where a limit counts all results', async () => {
		await start(busy('Busy', 'info'), {}, 'limit: 2,');
		await world.ruler.evaluateOnce(world.clock.now());
		for (const instance of ['a', 'b', 'c']) {
			world.push('load', 5, from(instance));
			await world.clock.advance(1000);
		}
		expect(world.rule('Busy').partMs).toBeNull();
		expect(world.rule('Busy').lastError).toContain('limit');
	});

	test('is not told by a label that the rule writes over', async () => {
		await start('{ alert: Busy, expr: load > 4, labels: { instance: all } }');
		world.push('load', 5, from('a'));
		await world.clock.advance(1000);
		expect(told()).toEqual(['Busy all']);
		world.push('load', 1, from('a'));
		await world.clock.advance(1000);
		expect(told()).toEqual(['Busy all', '-Busy all']);
	});

	test('is not told by the label that its series says its state with', async () => {
		await start('{ alert: Busy, expr: count by (alertstate) (load > 4) > 0 }');
		await world.ruler.evaluateOnce(world.clock.now());
		world.push('load', 5, { alertstate: 'x' });
		await world.clock.advance(1000);
		expect(world.rule('Busy').series.size).toBe(2);
		world.push('load', 1, { alertstate: 'x' });
		await world.clock.advance(1000);
		expect(told()).toEqual(['Busy', '-Busy']);
		expect(world.rule('Busy').series.size).toBe(0);
	});
});

test('a `for` that runs ends on time after a reload', async () => {
	await start('{ alert: Busy, expr: load > 4, for: 20s }');
	world.push('load', 5, from('a'));
	const firesMs = world.clock.now() + 20_100;
	await world.clock.advance(5000);
	await world.reload(group('{ alert: Busy, expr: load > 3, for: 20s }, { alert: Other, expr: load > 9 }'));
	await world.clock.advance(30_000);
	expect(world.told).toEqual([{ what: 'Busy a', atMs: firesMs }]);
});

test('a `for` that ends while another host’s part of the rule waits is looked at all the same', async () => {
	let queryMs = 0;
	await start('{ alert: Busy, expr: load > 4, for: 20s }, { alert: Slow, expr: slow > 0, labels: { severity: critical } }', {
		wrap: (engine, clock) => ({
			...engine,
			instant: async (query, timeMs, options) => {
				if (query.startsWith('slow')) await clock.sleep(queryMs);
				return engine.instant(query, timeMs, options);
			},
		}),
	});
	world.push('load', 5, from('a'));
	const firesMs = world.clock.now() + 20_100;
	await world.clock.advance(19_970);
	queryMs = 60;
	world.push('slow', 0, from('b'));
	world.push('load', 1, from('b'));
	// The samples of b are collected before the end, and judged behind it.
	await world.clock.advance(1000);
	expect(world.rule('Slow').partMs).toBe(firesMs - 30);
	expect(told()).toEqual(['Busy a']);
});
