import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { createManualClock } from '../../tests/harness/manual-clock.ts';
import { createEngine } from '../promql/engine.ts';
import { createMemoryStorage } from '../storage/memory-storage.ts';
import { planArrivals } from './arrival-plan.ts';
import { createRuler } from './ruler.ts';

const RULES = resolve(import.meta.dirname, '../../rules');

test('every shipped alert is decided on arrival, and all but those that compare hosts for one host alone', async () => {
	const clock = createManualClock();
	const storage = createMemoryStorage();
	const ruler = createRuler({
		engine: createEngine({ queryable: storage, clock }),
		appendable: storage,
		sink: async () => {},
		clock,
		log: silentLogger,
		metrics: new Registry(),
		externalUrl: '',
	});
	const files = readdirSync(RULES).filter((name) => name.endsWith('.yml') && !name.endsWith('.test.yml'));
	await ruler.load(files.map((name) => join(RULES, name)));
	const alerts = ruler.groups().flatMap(({ rules }) => rules.filter(({ alerting }) => alerting !== null));
	const plans = planArrivals(ruler.groups());
	const planned = new Set(plans.map(({ rule }) => rule));
	expect(alerts.filter((rule) => !planned.has(rule)).map(({ definition }) => definition.name)).toEqual([]);
	// docs/rules.md names them.
	const whole = plans.filter(({ label }) => label === null).map(({ rule }) => rule.definition.name);
	expect(whole.sort()).toEqual(['MysqlErrantTransactions', 'MysqlErrantTransactionsMariadb']);
	for (const name of whole) expect(readFileSync(join(RULES, '../docs/rules.md'), 'utf8')).toContain(`\`${name}\``);
});
