import { afterEach, describe, expect, test } from 'vitest';
import { findCommand, freePort, startProcess, waitFor } from '../../../tests/harness/process.ts';
import { collect, failureOf, oneInput, problemsOf } from '../input.fixture.ts';
import { Servers } from '../probe/probe.fixture.ts';

const servers = new Servers();
afterEach(() => servers.close());

const PAGE = `# HELP jobs_done_total Jobs.
# TYPE jobs_done_total counter
jobs_done_total{instance="inner",queue="a b"} 7 1772000000000
# TYPE latency_seconds histogram
latency_seconds_bucket{le="1"} 2
latency_seconds_bucket{le="+Inf"} 3
latency_seconds_sum 4.5
latency_seconds_count 3
go_goroutines 12
`;
const page = (text: string, type = 'text/plain; version=0.0.4', status = 200) =>
	servers.http((_request, response) => response.writeHead(status, { 'content-type': type }).end(text));
const scrape = (port: number, more: object = {}, env = {}) =>
	oneInput({ scrape: [{ url: `http://127.0.0.1:${port}/metrics`, job: 'batch', ...more }] }, env);

test('a page is passed on with job and instance; colliding labels are kept under another name', async () => {
	const port = await page(PAGE);
	const input = scrape(port, { labels: { service: 'exchange' } });
	expect(input.target).toMatchObject({ job: 'batch', instance: `127.0.0.1:${port}`, host: 'app-1', service: 'exchange' });
	expect(await collect(input)).toMatchObject({
		'jobs_done_total{exported_instance="inner",queue="a b"}': 7,
		'latency_seconds_bucket{le="+Inf"}': 3,
		latency_seconds_sum: 4.5,
		go_goroutines: 12,
		up: 1,
		scrape_samples_scraped: 6,
		scrape_samples_post_metric_relabeling: 6,
	});
	const families = await input.collect(new AbortController().signal, 0);
	expect(families.map(({ name, type }) => `${name} ${type}`)).toEqual(
		expect.arrayContaining([
			'jobs_done_total counter',
			'latency_seconds_bucket histogram',
			'latency_seconds_sum histogram',
			'go_goroutines unknown',
		]),
	);
});

test('OpenMetrics', async () => {
	const port = await page('# TYPE jobs_done counter\njobs_done_total{a="1"} 7\n# EOF\n', 'application/openmetrics-text; version=1.0.0');
	const families = await scrape(port).collect(new AbortController().signal, 0);
	expect(families[0]).toMatchObject({ name: 'jobs_done_total', type: 'counter' });
});

test('names are kept and dropped as a whole', async () => {
	const found = await collect(scrape(await page(PAGE), { keep: 'latency_.*|go_.*', drop: '.*_bucket' }));
	expect(Object.keys(found).filter((name) => !/^(up|scrape_)/.test(name))).toEqual([
		'latency_seconds_sum',
		'latency_seconds_count',
		'go_goroutines',
	]);
	expect(found).toMatchObject({ scrape_samples_scraped: 6, scrape_samples_post_metric_relabeling: 3 });
});

test('an account and a token', async () => {
	const seen: (string | undefined)[] = [];
	const port = await servers.http((request, response) => {
		seen.push(request.headers.authorization);
		response.end('a 1\n');
	});
	await collect(scrape(port, { bearer: { env: 'T' } }, { T: 'token' }));
	await collect(scrape(port, { username: 'u', password: { env: 'P' } }, { P: 'pw' }));
	expect(seen).toEqual(['Bearer token', `Basic ${Buffer.from('u:pw').toString('base64')}`]);
});

test.each([
	{ name: 'another status', text: 'gone', status: 503, code: 'FN_AGENT_SOURCE_STATUS' },
	{ name: 'a page of HTML', text: '<html>', status: 200, code: 'FN_AGENT_SOURCE_FORMAT' },
	{
		name: 'too many samples',
		text: Array.from({ length: 11 }, (_, i) => `a{i="${i}"} 1\n`).join(''),
		status: 200,
		code: 'FN_AGENT_SOURCE_FORMAT',
	},
	{ name: 'too many bytes', text: `# ${'x'.repeat(3000)}\na 1\n`, status: 200, code: 'FN_HTTP_BODY_TOO_LARGE' },
])('$name fails the whole page', async ({ text, status, code }) => {
	const input = scrape(await page(text, undefined, status), { max_samples: 10, max_body: 2048 });
	expect(await failureOf(input)).toMatchObject({ code });
	expect(input.onFailure).toMatchObject([{ name: 'up', measurements: [{ value: 0 }] }]);
});

test('a page that never ends', async () => {
	const port = await servers.http((_request, response) => {
		response.write('a 1\n');
	});
	expect(await failureOf(scrape(port, { timeout: '150ms' }))).toMatchObject({ code: 'FN_HTTP_TIMEOUT' });
});

test('two entries for one exporter are refused', () => {
	const one = { url: 'http://127.0.0.1:9100/metrics', job: 'node' };
	expect(problemsOf({ scrape: [one, one, { url: 'http://x', job: 'y', keep: '(' }] })).toEqual([
		'inputs.scrape[1].url: "node http://127.0.0.1:9100/metrics" is already the url of inputs.scrape[0]',
		'inputs.scrape[2].keep: "(" is not a regular expression',
	]);
});

const exporter = findCommand('prometheus-node-exporter');

describe.skipIf(exporter === null)('a real exporter', () => {
	test('every line of its page arrives', async () => {
		const port = await freePort();
		const child = startProcess(exporter ?? '', [
			'--collector.disable-defaults',
			'--collector.loadavg',
			'--collector.uname',
			`--web.listen-address=127.0.0.1:${port}`,
		]);
		try {
			const text = await waitFor('the exporter', async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
			const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
			const found = await collect(scrape(port));
			expect(found).toMatchObject({ up: 1, scrape_samples_scraped: lines.length });
			expect(found['node_load1']).toBeGreaterThanOrEqual(0);
		} finally {
			await child.stop();
		}
	});
});
