import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CollectorConfigSchema, checkCollectorConfig } from '../../collector/config.ts';
import { parseConfig } from '../../core/config-file.ts';
import { httpExchange } from '../../core/http-client.ts';
import { startTrialCollector, TRIAL_PASSWORD, type TrialCollector } from '../harness/trial-collector.ts';

const BROWSER = { origin: 'https://monitor.example', 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.9' };
let collector: TrialCollector;

/** As a reverse proxy sends it that puts its own name for the collector into Host. */
const send = (method: string, path: string, headers: Record<string, string>, body?: unknown) =>
	httpExchange(`${collector.address}/api/fournines/v1${path}`, {
		method,
		timeoutMs: 60_000,
		headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
const logIn = (headers: Record<string, string>) => send('POST', '/session', headers, { account: 'ann', password: TRIAL_PASSWORD });
const cookieOf = (answer: Awaited<ReturnType<typeof logIn>>) => String(answer.headers['set-cookie']);
const addresses = (): readonly unknown[] => {
	const database = new DatabaseSync(join(collector.folder, 'data', 'state', 'state.db'), { readOnly: true });
	try {
		return database
			.prepare("select src_addr from operation_log where action = 'login' order by at_ms, id")
			.all()
			.map((row) => row['src_addr']);
	} finally {
		database.close();
	}
};

beforeAll(async () => {
	collector = await startTrialCollector('proxy', {
		config: "server: { external_url: 'https://monitor.example', trusted_proxies: [127.0.0.0/8] }",
		people: { ann: 'system' },
	});
});
afterAll(() => collector.remove());

describe('behind a reverse proxy that ends TLS', () => {
	test('a browser keeps its session to TLS, and what a person does is on record with where they are', async () => {
		expect(cookieOf(await logIn(BROWSER))).toMatch(/; Secure/);
		expect(cookieOf(await logIn({}))).not.toMatch(/; Secure/);
		expect(addresses()).toEqual(['203.0.113.9', '127.0.0.1']);
	});

	test.each([
		{ name: 'the page under its external address may act', origin: 'https://monitor.example', status: 201 },
		{ name: 'another site may not', origin: 'https://evil.example', status: 403 },
		{ name: 'nor may a page without a place', origin: 'null', status: 403 },
	])('$name', async ({ origin, status }) => {
		const [cookie = ''] = cookieOf(await logIn(BROWSER)).split(';');
		const problem = {
			channel: 'phone',
			reporter: 'a',
			contact: '',
			department: '',
			service: null,
			category: '',
			title: 't',
			text: '',
			receivedMs: 1,
		};
		expect((await send('POST', '/problems', { ...BROWSER, origin, cookie }, problem)).status).toBe(status);
	});
});

test('an address is believed from nobody who is not named, and what is no network is said', async () => {
	const plain = await startTrialCollector('no-proxy', { people: { ann: 'system' } });
	const trusting = collector;
	collector = plain;
	try {
		await logIn(BROWSER);
		expect(addresses()).toEqual(['127.0.0.1']);
	} finally {
		collector = trusting;
		await plain.remove();
	}
	const check = (proxy: string) =>
		parseConfig(`server: { trusted_proxies: ['${proxy}'] }`, { file: 'c.yml', schema: CollectorConfigSchema, check: checkCollectorConfig })
			.kind;
	for (const proxy of ['10.1.0.0/24', '::1', 'fd00::/8', '10.0.0.1']) expect([proxy, check(proxy)]).toEqual([proxy, 'ok']);
	for (const proxy of ['nginx', '10.1.0.0/33', '10.1.0.0/', '10.1.0/24', '::1/129', '0.0.0.0/0'])
		expect([proxy, check(proxy)]).toEqual([proxy, 'bad']);
});
