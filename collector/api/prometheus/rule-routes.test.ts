import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { temporaryFolder } from '../../../tests/harness/process.ts';
import { createEngine } from '../../promql/engine.ts';
import { createRuler } from '../../ruler/ruler.ts';
import { createMemoryStorage } from '../../storage/memory-storage.ts';
import { sendFailure } from './answers.ts';
import { registerRuleRoutes } from './rule-routes.ts';

const folder = temporaryFolder('rule-routes');
let app: FastifyInstance;

beforeAll(async () => {
	const file = join(folder.path, 'rules.yml');
	const group = (name: string) => `  - {name: ${name}, rules: [{alert: A, expr: up == 0}]}\n`;
	writeFileSync(file, `groups:\n${['a', 'b', 'c', 'd', 'e'].map(group).join('')}`);
	const storage = createMemoryStorage();
	const ruler = createRuler({
		engine: createEngine({ queryable: storage, clock: systemClock }),
		appendable: storage,
		sink: async () => {},
		clock: systemClock,
		log: silentLogger,
		metrics: new Registry(),
		externalUrl: '',
	});
	await ruler.load([file]);
	app = fastify();
	app.setErrorHandler((error, request, reply) => sendFailure(error, { request, reply, log: silentLogger }));
	registerRuleRoutes(app, ruler);
});
afterAll(async () => {
	await app.close();
	folder.remove();
});

async function page(query: string): Promise<{ readonly names: string; readonly token: string | undefined; readonly status: number }> {
	const response = await app.inject(`/api/v1/rules${query}`);
	const { data } = response.json<{ data?: { groups: readonly { name: string }[]; groupNextToken?: string } }>();
	return { status: response.statusCode, names: (data?.groups ?? []).map(({ name }) => name).join(''), token: data?.groupNextToken };
}

test('groups come page by page, each once', async () => {
	const seen: string[] = [];
	let query = '?group_limit=2';
	for (;;) {
		const { names, token } = await page(query);
		seen.push(names);
		if (token === undefined) break;
		query = `?group_limit=2&group_next_token=${token}`;
	}
	expect(seen).toEqual(['ab', 'cd', 'e']);
});

test.each([
	{ name: 'no limit', query: '', names: 'abcde', status: 200 },
	{ name: 'a limit that all fit into', query: '?group_limit=5', names: 'abcde', status: 200 },
	{ name: 'a token without a limit', query: '?group_next_token=x', names: '', status: 400 },
	{ name: 'a token that no group has', query: '?group_limit=2&group_next_token=x', names: '', status: 400 },
])('$name: $status', async ({ query, names, status }) => {
	expect(await page(query)).toEqual({ status, names, token: undefined });
});
