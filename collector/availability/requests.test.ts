import { afterEach, describe, expect, test } from 'vitest';
import { labelsFromObject } from '../../core/labels.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { requestExpressions } from '../inventory/request-terms.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import { DAY, inventoryOf, open, T0 } from './ledger.fixture.ts';
import { openRequestDays } from './request-days.ts';

const SOURCE = { job: 'nginx', instance: 'app-1:/var/log/nginx/access.log', host: 'app-1' };
const YAML = `  calendars: [{ id: day, seasons: [{ from: 01-01, to: 12-31, hours: '08:00-20:00' }] }]
  checks: [{ id: k }]
  services:
    - { id: portal, name: P, checks: [k], requests: { access_log: { routes: [api], bad: [5xx, '499'] } } }
    - { id: office, name: O, checks: [k], calendar: day, requests: { access_log: { routes: [api], bad: [5xx, '499'] } } }
    - { id: silent, name: S, checks: [k] }`;

/** The log is read every ten seconds; each time there were nine answers of 200, and one of the status. */
async function asked(storage: MemoryStorage, span: { readonly from: number; readonly to: number }, status = '502'): Promise<void> {
	const appender = storage.appender();
	const put = (name: string, labels: Record<string, string>, t: number, value: number) =>
		appender.append(labelsFromObject({ __name__: name, ...SOURCE, ...labels }), t, value);
	for (let t = span.from; t < span.to; t += 10_000) {
		const n = (t - T0) / 10_000 + 10 * 8640;
		put('fournines_access_log_up', {}, t, 1);
		put('nginx_http_response_count_total', { route: 'api', status: '200', method: 'GET', server: 's' }, t, n * 9);
		put('nginx_http_response_count_total', { route: 'api', status, method: 'GET', server: 's' }, t, n);
		put('nginx_http_response_count_total', { route: 'other', status: '500', method: 'GET', server: 's' }, t, n * 100);
	}
	await appender.commit();
}

describe('requests of a service', () => {
	test.each([
		{ name: 'a status of a class that is bad', status: '502', good: 8640 * 9 },
		{ name: 'a status that is bad by itself', status: '499', good: 8640 * 9 },
		{ name: 'a status that the client caused', status: '404', good: 8640 * 10 },
	])('are counted by $name, beside the time and not mixed in', async ({ status, good }) => {
		const storage = createMemoryStorage();
		await asked(storage, { from: T0 - DAY, to: T0 + 2 * DAY }, status);
		const availability = open(storage, inventoryOf(YAML), T0 + 2 * DAY);
		const range = { fromMs: T0, toMs: T0 + DAY };
		expect((await availability.requests('portal', range))?.figures).toMatchObject({
			good,
			total: 86_400,
			coverage: '100.000',
			target: '99.99',
		});
		expect(await availability.requests('silent', range)).toBeNull();
		// No check said anything, so all time is unknown, whatever was asked.
		expect((await availability.ledger('portal', range)).figures).toMatchObject({ unknownSeconds: 86_400, sliWorst: '0.000' });
	});

	test("outside of the service's hours and in maintenance they are told apart", async () => {
		const storage = createMemoryStorage();
		await asked(storage, { from: T0 - DAY, to: T0 + 2 * DAY });
		const noon = T0 / 1000 + 12 * 3600;
		const exclusions = async () => [{ from: noon, to: noon + 600, reason: 'maintenance: w' }];
		const availability = open(storage, inventoryOf(YAML), T0 + 2 * DAY, { exclusions });
		const figures = (await availability.requests('office', { fromMs: T0, toMs: T0 + DAY }))?.figures;
		expect(figures).toMatchObject({ total: (12 * 360 - 60) * 10, excluded: (12 * 360 + 60) * 10, sli: '90.000', coverage: '100.000' });
	});

	test.each([
		{
			name: 'Tomcat, whose errors are taken away',
			requests: '{ tomcat: { connectors: [http] } }',
			names: ['tomcat_global_request_total', 'tomcat_global_error_total'],
			labels: { job: 'tomcat', worker: 'http' },
		},
		{
			name: 'an interface, whose rejected records are',
			requests: '{ interface: { id: cases } }',
			names: ['interface_records_sent_total', 'interface_records_rejected_total'],
			labels: { job: 'interface', interface: 'cases' },
		},
		{
			name: 'counters of which some are no requests at all',
			requests: "{ good: 'a_total - b_total', total: 'a_total - b_total' }",
			names: ['a_total', 'b_total'],
			labels: { job: 'x' },
			total: 59 * 47,
		},
	])('are counted of $name', async ({ requests, names, labels, total = 59 * 50 }) => {
		const storage = createMemoryStorage();
		const appender = storage.appender();
		for (let i = 0; i <= 60; i++)
			for (const [k, name] of names.entries())
				appender.append(labelsFromObject({ __name__: name, ...labels }), T0 - 60_000 + i * 60_000, 100 + i * (k === 0 ? 50 : 3));
		await appender.commit();
		const inventory = inventoryOf(`  checks: [{ id: k }]\n  services: [{ id: s, name: S, checks: [k], requests: ${requests} }]`);
		const figures = (await open(storage, inventory, T0 + DAY).requests('s', { fromMs: T0, toMs: T0 + 3_540_000 }))?.figures;
		expect(figures).toMatchObject({ total, good: 59 * 47, coverage: '100.000' });
	});

	test('the value of a broken exporter that is no number of requests is none', async () => {
		const storage = createMemoryStorage();
		const appender = storage.appender();
		for (let i = 0; i <= 60; i++) {
			const value = i === 30 ? Number.POSITIVE_INFINITY : i === 40 ? Number.NaN : i;
			appender.append(labelsFromObject({ __name__: 'asked_total' }), T0 + i * 60_000, value);
		}
		await appender.commit();
		const inventory = inventoryOf(
			'  checks: [{ id: k }]\n  services: [{ id: s, name: S, checks: [k], requests: { good: asked_total, total: asked_total } }]',
		);
		const figures = (await open(storage, inventory, T0 + DAY).requests('s', { fromMs: T0, toMs: T0 + 3_660_000 }))?.figures;
		expect(figures).toMatchObject({ total: 60, good: 60 });
	});

	test.each([
		{
			requests: { access_log: { kind: 'tomcat' as const, bad: ['5xx'] } },
			good: 'tomcat_http_response_count_total{job="tomcat", status!~"5.."}',
		},
		{
			requests: { access_log: { kind: 'nginx' as const, hosts: ['a', 'b.c'], servers: ['x"y'], bad: ['500', '4xx'] } },
			good: 'nginx_http_response_count_total{job="nginx", host=~"a|b\\\\.c", server=~"x\\"y", status!~"500|4.."}',
		},
		{
			requests: { tomcat: { connectors: ['http-nio-8080'] } },
			good: 'tomcat_global_request_total{job="tomcat", worker=~"http-nio-8080"} - tomcat_global_error_total{job="tomcat", worker=~"http-nio-8080"}',
		},
		{
			requests: { interface: { id: 'cases' } },
			good: 'interface_records_sent_total{interface="cases"} - interface_records_rejected_total{interface="cases"}',
		},
	])('the simple form stands for $good', ({ requests, good }) => {
		expect(requestExpressions(requests).good).toBe(good);
	});
});

describe('counted days', () => {
	let folder: TemporaryFolder | null = null;
	afterEach(() => {
		folder?.remove();
		folder = null;
	});
	const range = { fromMs: T0, toMs: T0 + 3 * DAY };
	const HOLE = { from: T0 + DAY + 3_600_000, to: T0 + DAY + 7_200_000 };

	test('what comes two days late is counted in its minutes, and days whose samples have gone stay', async () => {
		folder = temporaryFolder('requests');
		const storage = createMemoryStorage();
		await asked(storage, { from: T0 - DAY, to: HOLE.from });
		await asked(storage, { from: HOLE.to, to: T0 + 5 * DAY });
		let days = openRequestDays(folder.path);
		const now = T0 + 5 * DAY;
		const available = (from: MemoryStorage) => open(from, inventoryOf(YAML), now, { requestDays: days });
		let availability = available(storage);
		const figures = async () => (await availability.requests('portal', range))?.figures;
		// 360 readings are missing: the counter rose by them at once, an hour later.
		expect(await figures()).toMatchObject({ total: (3 * 8640 - 361) * 10, unplaced: 3610, coverage: '98.607' });
		await asked(storage, HOLE);
		expect((await figures())?.unplaced).toBe(3610);
		availability.invalidate(HOLE.from, HOLE.to);
		const whole = { total: 3 * 86_400, good: 3 * 77_760, unplaced: 0, coverage: '100.000' };
		expect(await figures()).toMatchObject(whole);
		days.close();
		days = openRequestDays(folder.path);
		availability = available(createMemoryStorage());
		expect(await figures()).toMatchObject(whole);
		availability.invalidate(T0, now);
		expect(await figures()).toMatchObject(whole);
		days.close();
	});

	test('the day that goes on is counted anew each time', async () => {
		const storage = createMemoryStorage();
		await asked(storage, { from: T0 - DAY, to: T0 + 3_600_000 });
		const availability = open(storage, inventoryOf(YAML), T0 + 3_600_000);
		const today = async () => (await availability.requests('portal', { fromMs: T0, toMs: T0 + DAY }))?.figures;
		expect(await today()).toMatchObject({ total: 3600, toMs: T0 + 3_600_000 });
		const before = (await today())?.total;
		await asked(storage, { from: T0 - DAY, to: T0 + 3_600_000 }, '503');
		// Answers of 503 that nobody had seen when the log was read: as many again as those of 502.
		expect((await today())?.total).toBe((before ?? 0) + 360);
	});
});
