import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findCommand, runCommand, temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import { type ScrapingBench, scrapeConfig, startScraping } from '../../tests/harness/scraping.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let pages: Map<string, Handler>;
let seen: Map<string, IncomingMessage>;
let address: string;
let closeServer: () => Promise<void>;
let bench: ScrapingBench | null = null;

beforeEach(async () => {
	pages = new Map();
	seen = new Map();
	const server = createServer((request, response) => {
		const path = request.url?.split('?')[0] ?? '';
		seen.set(path, request);
		const page = pages.get(path);
		if (page === undefined) response.writeHead(404).end();
		else page(request, response);
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
	closeServer = () =>
		new Promise((resolve) => {
			server.closeAllConnections();
			server.close(() => resolve());
		});
});

afterEach(async () => {
	await bench?.stop();
	bench = null;
	await closeServer();
});

const text =
	(body: string, headers: Record<string, string> = {}): Handler =>
	(_request, response) =>
		response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4', ...headers }).end(body);

function job(name: string, more = ''): string {
	return `{job_name: ${name}, metrics_path: /${name}, static_configs: [{targets: ['${address}']}]${more === '' ? '' : `, ${more}`}}`;
}

const config = (...jobs: string[]) => `{scrape_interval: 300ms, scrape_timeout: 300ms, scrape_configs: [${jobs.join(', ')}]}`;

async function begin(...jobs: string[]): Promise<ScrapingBench> {
	bench = await startScraping(config(...jobs), { env: { PASSWORD: 'hunter2', TOKEN: 's3cret\n' }, timesOut: /\/(hung|trickling)$/ });
	return bench;
}

test('a target is scraped again and again, with its labels, its report and its metadata', async () => {
	pages.set('/good', text('# HELP m_total What.\n# TYPE m_total counter\nm_total{a="1"} 5\nm_total{a="2",job="x"} NaN\nold 1 1000\n'));
	const { series, last, store, scraping } = await begin(job('good', 'honor_timestamps: true'));
	await waitFor('three scrapes', async () => ((await series('up'))[0]?.values.length ?? 0) >= 3);
	const [one, two] = await series('m_total');
	expect(one?.labels).toEqual({ a: '1', instance: address, job: 'good' });
	expect(new Set(one?.values)).toEqual(new Set([5]));
	expect(two?.labels).toEqual({ a: '2', exported_job: 'x', instance: address, job: 'good' });
	expect(two?.values[0]).toBeNaN();
	expect(await series('old')).toEqual([]);
	expect(store.metadata('m_total').get('m_total')).toEqual({ type: 'counter', help: 'What.', unit: '' });
	expect(await last('up')).toBe(1);
	expect(await last('scrape_samples_scraped')).toBe(3);
	expect(await last('scrape_samples_post_metric_relabeling')).toBe(3);
	expect((await series('scrape_series_added'))[0]?.values.slice(0, 3)).toEqual([2, 0, 0]);
	expect((await last('scrape_duration_seconds')) as number).toBeGreaterThan(0);
	// Times lie on a grid of the target's own, unless the machine is late.
	const request = seen.get('/good');
	expect(request?.headers).toMatchObject({ 'accept-encoding': 'gzip', 'x-prometheus-scrape-timeout-seconds': '0.3' });
	expect(request?.headers.accept).toContain('application/openmetrics-text;version=1.0.0');
	expect(scraping.targets()).toMatchObject({
		activeTargets: [
			{
				discoveredLabels: { __address__: address, __metrics_path__: '/good', __scheme__: 'http', job: 'good' },
				labels: { instance: address, job: 'good' },
				scrapePool: 'good',
				scrapeUrl: `http://${address}/good`,
				lastError: '',
				health: 'up',
				scrapeInterval: '300ms',
				scrapeTimeout: '300ms',
			},
		],
		droppedTargets: [],
		droppedTargetCounts: { good: 0 },
	});
	expect(Date.parse(scraping.targets().activeTargets[0]?.lastScrape ?? '')).toBeGreaterThan(Date.now() - 60_000);
});

test('what goes is marked stale once, and comes back', async () => {
	let body = 'a{x="1"} 1\nb 1\n';
	pages.set('/m', (request, response) => text(body)(request, response));
	const { series, last } = await begin(job('m'));
	await waitFor('a scrape', async () => (await last('b')) === 1);
	body = 'a{x="1"} 1\n';
	await waitFor('b to be stale', async () => (await last('b')) === 'stale');
	const scrapes = (await series('up'))[0]?.values.length ?? 0;
	await waitFor('more scrapes', async () => ((await series('up'))[0]?.values.length ?? 0) > scrapes + 2);
	expect((await series('b'))[0]?.values.filter((value) => value === 'stale')).toHaveLength(1);
	expect((await series('a'))[0]?.values).not.toContain('stale');
	body = 'a{x="1"} 1\nb 2\n';
	await waitFor('b to be back', async () => (await last('b')) === 2);
	body = '# nothing any more';
	await waitFor('all to be stale', async () => (await last('a')) === 'stale' && (await last('b')) === 'stale');
	expect(await last('up')).toBe(1);
	expect(await last('scrape_samples_scraped')).toBe(0);
});

test('a failing target is down and its series are stale, once', async () => {
	let broken = false;
	pages.set('/m', (request, response) => (broken ? response.writeHead(503).end() : text('a 1\nb 2\n')(request, response)));
	const { series, last, scraping } = await begin(job('m'));
	await waitFor('a scrape', async () => (await last('a')) === 1);
	broken = true;
	await waitFor('three failures', async () => (await series('up'))[0]?.values.slice(-3).every((value) => value === 0));
	for (const metric of ['a', 'b']) expect((await series(metric))[0]?.values.filter((value) => value === 'stale')).toHaveLength(1);
	expect(scraping.targets().activeTargets[0]).toMatchObject({ health: 'down', lastError: 'the target answered with HTTP status 503' });
	broken = false;
	await waitFor('it to be back', async () => (await last('up')) === 1 && (await last('a')) === 1);
	// The series were known all the time.
	expect((await series('scrape_series_added'))[0]?.values.slice(1)).not.toContain(2);
});

test('nothing of a scrape that failed is remembered', async () => {
	let body = 'a 1\nb 2\nc\n';
	pages.set('/m', (request, response) => text(body)(request, response));
	const { series, last } = await begin(job('m'));
	await waitFor('a failure', async () => (await last('up')) === 0);
	expect(await series('a')).toEqual([]);
	body = 'a 1\nb 2\n';
	await waitFor('a success', async () => (await last('up')) === 1);
	expect((await series('scrape_series_added'))[0]?.values.filter((value) => value !== 0)).toEqual([2]);
});

describe('a bad target suffers alone', () => {
	const bad: { name: string; page: Handler; more?: string; says: string }[] = [
		{ name: 'hung', page: () => {}, says: 'no complete answer within 100 ms' },
		{
			name: 'trickling',
			page: (_request, response) => {
				response.writeHead(200);
				const timer = setInterval(() => response.write('a 1\n'), 20);
				response.on('close', () => clearInterval(timer));
			},
			says: 'no complete answer within 100 ms',
		},
		{
			name: 'gigabyte',
			page: (_request, response) => {
				response.writeHead(200);
				const block = Buffer.alloc(256 * 1024, 'a 1\n');
				const more = () => {
					for (let i = 0; i < 4096 && !response.destroyed; i++) if (!response.write(block)) return;
				};
				response.on('drain', more);
				more();
			},
			more: 'body_size_limit: 1MB',
			says: 'more than 1048576 bytes',
		},
		{ name: 'bomb', page: text('', {}), more: 'body_size_limit: 1MB', says: 'larger than body_size_limit' },
		{ name: 'malformed', page: text('a 1\nb{c="d} 2\n'), says: 'line 2: a label value does not end' },
		{ name: 'cut', page: text('a 1\n', { 'content-type': 'application/openmetrics-text; version=1.0.0' }), says: '# EOF is missing' },
		{ name: 'binary', page: text('a{b="\ufffd"} 1\n'), says: 'not UTF-8' },
		{ name: 'error', page: (_request, response) => response.writeHead(500).end('a 1\n'), says: 'HTTP status 500' },
		{ name: 'reset', page: (request) => request.socket.destroy(), says: 'failed' },
		{
			name: 'circle',
			page: (_request, response) => response.writeHead(302, { location: '/circle' }).end(),
			says: 'redirects more than 10 times',
		},
		{ name: 'deflated', page: text('a 1\n', { 'content-encoding': 'deflate' }), says: 'content encoding "deflate"' },
		{ name: 'ungzipped', page: text('a 1\n', { 'content-encoding': 'gzip' }), says: 'cannot be decompressed' },
		{ name: 'samples', page: text('a 1\nb 2\nc 3\n'), more: 'sample_limit: 2', says: 'sample_limit is 2' },
		{ name: 'labels', page: text('a{b="c"} 1\n'), more: 'label_limit: 3', says: 'label_limit is 3' },
		{ name: 'longname', page: text('a{bbbbbbbbbbbbb="c"} 1\n'), more: 'label_name_length_limit: 12', says: 'label_name_length_limit' },
		{ name: 'unreadable', page: text('a 1\n'), more: 'authorization: {credentials: {env: MISSING}}', says: 'FN' },
	];
	test.each(bad)('$name', async ({ name, page, more, says }) => {
		const bomb = gzipSync(Buffer.alloc(8 * 1024 * 1024, 'a 1\n'));
		pages.set(
			`/${name}`,
			name === 'bomb' ? (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb) : page,
		);
		if (name === 'binary') pages.set('/binary', (_request, response) => response.end(Buffer.from('a{b="\xff"} 1\n', 'latin1')));
		pages.set('/good', text('good 1\n'));
		const { last, series, scraping } = await begin(
			job('good'),
			job(name, `scrape_interval: 100ms, scrape_timeout: 100ms${more === undefined ? '' : `, ${more}`}`),
		);
		const scrapes = async (of: string) => (await series('up')).find((one) => one.labels['job'] === of)?.values.length ?? 0;
		await waitFor('three failures and two successes', async () => (await scrapes(name)) >= 3 && (await scrapes('good')) >= 2);
		expect(await last('up', { job: name })).toBe(0);
		const target = scraping.targets().activeTargets.find((one) => one.scrapePool === name);
		expect(target?.lastError).toContain(says === 'FN' ? 'MISSING' : says);
		for (const metric of ['a', 'b', 'c']) expect(await series(metric)).toEqual([]);
		expect(await last('up', { job: 'good' })).toBe(1);
		expect((await series('good'))[0]?.values).not.toContain('stale');
	});
});

test('credentials go to the target and to nobody else', async () => {
	const other = createServer((request, response) => {
		seen.set('other', request);
		response.end('moved 1\n');
	});
	await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
	try {
		const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/`;
		pages.set('/basic', (_request, response) => response.writeHead(302, { location }).end());
		pages.set('/token', (_request, response) => response.writeHead(307, { location: '/second' }).end());
		pages.set('/second', text('second 1\n'));
		const { last } = await begin(
			job('basic', 'basic_auth: {username: me, password: {env: PASSWORD}}'),
			job('token', 'authorization: {credentials: {env: TOKEN}}'),
		);
		await waitFor('both', async () => (await last('moved')) === 1 && (await last('second')) === 1);
		expect(seen.get('/basic')?.headers.authorization).toBe(`Basic ${Buffer.from('me:hunter2').toString('base64')}`);
		expect(seen.get('other')?.headers.authorization).toBeUndefined();
		expect(seen.get('/second')?.headers.authorization).toBe('Bearer s3cret');
	} finally {
		other.closeAllConnections();
		await new Promise((resolve) => other.close(resolve));
	}
});

const openssl = findCommand('openssl');

test.skipIf(openssl === null)('TLS is checked against a CA and a name of its own, or not at all on demand', async () => {
	const folder = temporaryFolder('scrape-tls');
	const [key, cert] = [join(folder.path, 'key.pem'), join(folder.path, 'cert.pem')];
	runCommand(openssl ?? '', [
		...[
			'req',
			'-x509',
			'-newkey',
			'ec',
			'-pkeyopt',
			'ec_paramgen_curve:prime256v1',
			'-nodes',
			'-days',
			'2',
			'-subj',
			'/CN=exporter.internal',
		],
		...['-addext', 'subjectAltName=DNS:exporter.internal', '-keyout', key, '-out', cert],
	]);
	const secure = createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => response.end('a 1\n'));
	await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
	try {
		const target = `scheme: https, static_configs: [{targets: ['127.0.0.1:${(secure.address() as AddressInfo).port}']}]`;
		const { series, scraping } = await begin(
			`{job_name: named, ${target}, tls_config: {ca_file: '${cert}', server_name: exporter.internal}}`,
			`{job_name: unnamed, ${target}, tls_config: {ca_file: '${cert}'}}`,
			`{job_name: unknown, ${target}, tls_config: {server_name: exporter.internal}}`,
			`{job_name: unchecked, ${target}, tls_config: {insecure_skip_verify: true}}`,
		);
		await waitFor('all four', async () => (await series('up')).length === 4);
		const up = Object.fromEntries((await series('up')).map(({ labels, values }) => [labels['job'], values.at(-1)]));
		expect(up).toEqual({ named: 1, unnamed: 0, unknown: 0, unchecked: 1 });
		expect(scraping.targets().activeTargets.find((one) => one.scrapePool === 'unknown')?.lastError).toContain('self-signed');
	} finally {
		secure.closeAllConnections();
		await new Promise((resolve) => secure.close(resolve));
		folder.remove();
	}
});

test('gzip and OpenMetrics are understood', async () => {
	const body = gzipSync('# TYPE x counter\n# UNIT x_seconds seconds\nx_total 3 # {t="1"} 1\n# EOF\n');
	pages.set('/m', (_request, response) =>
		response
			.writeHead(200, { 'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'content-encoding': 'gzip' })
			.end(body),
	);
	const { last, store } = await begin(job('m'));
	await waitFor('a scrape', async () => (await last('x_total')) === 3);
	expect(store.metadata('x_total').get('x_total')).toMatchObject({ type: 'counter' });
});

test('relabelling renames and drops samples, and the same series in two spellings is one', async () => {
	pages.set('/m', text('keep{a="1",tmp="x"} 1\ndrop_me 2\nkeep{tmp="y",a="1"} 3\n'));
	const { series, last } = await begin(
		job('m', 'metric_relabel_configs: [{source_labels: [__name__], regex: drop.*, action: drop}, {regex: tmp, action: labeldrop}]'),
	);
	await waitFor('a scrape', async () => (await last('up')) === 1);
	expect(await series('drop_me')).toEqual([]);
	expect(await series('keep')).toMatchObject([{ labels: { a: '1', job: 'm' } }]);
	expect(await last('scrape_samples_scraped')).toBe(3);
	expect(await last('scrape_samples_post_metric_relabeling')).toBe(2);
});

test('a job with too many targets is down as a whole', async () => {
	pages.set('/m', text('a 1\n'));
	const { series, scraping } = await begin(
		`{job_name: m, metrics_path: /m, target_limit: 1, static_configs: [{targets: ['${address}', 'localhost:${address.split(':')[1]}']}]}`,
	);
	await waitFor('both to be down', async () => (await series('up')).filter((one) => one.values.at(-1) === 0).length === 2);
	expect(scraping.targets().activeTargets[0]?.lastError).toContain('target_limit is 1');
	expect(seen.has('/m')).toBe(false);
});

test('a store without room for new series makes the target fail, and says why', async () => {
	pages.set('/m', text('a 1\nb 1\nc 1\n'));
	bench = await startScraping(config(job('m')), { store: { maxSeries: 6 } });
	const { scraping, series } = bench;
	await waitFor('a failure', () => scraping.targets().activeTargets[0]?.lastError.includes('max_series'));
	expect(scraping.targets().activeTargets[0]?.health).toBe('down');
	expect((await series('up')).flatMap((one) => one.values)).not.toContain(1);
});

describe('a reload', () => {
	test('leaves unchanged jobs alone, ends removed ones, and carries changed ones over', async () => {
		for (const name of ['same', 'gone', 'changed']) pages.set(`/${name}`, text(`${name}_a 1\n${name}_b 1\n`));
		const { reload, last, series, scraping } = await begin(job('same'), job('gone'), job('changed'));
		await waitFor('all', async () => (await last('same_a')) === 1 && (await last('gone_a')) === 1 && (await last('changed_a')) === 1);
		await reload(
			config(job('same'), job('changed', 'metric_relabel_configs: [{source_labels: [__name__], regex: .*_b, action: drop}]'), job('new')),
		);
		for (const metric of ['gone_a', 'gone_b']) expect(await last(metric)).toBe('stale');
		expect(await last('up', { job: 'gone' })).toBe('stale');
		await waitFor('what is dropped now to be stale', async () => (await last('changed_b')) === 'stale');
		const count = (await series('changed_a'))[0]?.values.length ?? 0;
		await waitFor('more', async () => ((await series('changed_a'))[0]?.values.length ?? 0) > count);
		for (const metric of ['changed_a', 'same_a', 'same_b']) expect((await series(metric))[0]?.values).not.toContain('stale');
		expect(scraping.targets().activeTargets.map((one) => one.scrapePool)).toEqual(['same', 'changed', 'new']);
	});

	test('that cannot be used changes nothing', async () => {
		pages.set('/m', text('a 1\n'));
		const { reload, last, series, scraping } = await begin(job('m'));
		await waitFor('a scrape', async () => (await last('a')) === 1);
		await expect(reload(config(job('n', 'tls_config: {ca_file: /nowhere/ca.pem}')))).rejects.toMatchObject({
			code: 'FN_SCRAPE_CA_UNREADABLE',
		});
		const count = (await series('a'))[0]?.values.length ?? 0;
		await waitFor('more', async () => ((await series('a'))[0]?.values.length ?? 0) > count);
		expect(scraping.targets().activeTargets).toHaveLength(1);
	});
});

test('files of targets are read again when they change, and a broken one changes nothing', async () => {
	for (const name of ['a', 'b', 'c']) pages.set(`/${name}`, text(`${name} 1\n`));
	const group = (name: string) => ({ targets: [address], labels: { __metrics_path__: `/${name}`, name } });
	bench = await startScraping(
		config(
			`{job_name: files, file_sd_configs: [{files: ['t/*.json', 't/*.yml']}], relabel_configs: [{source_labels: [name], regex: c, action: drop}]}`,
		),
		{
			prepare: (folder) => {
				mkdirSync(join(folder, 't'));
				writeFileSync(join(folder, 't/one.json'), JSON.stringify([group('a'), group('c')]));
				writeFileSync(join(folder, 't/two.yml'), `- targets: ['${address}']\n  labels: {__metrics_path__: /b, name: b}\n`);
			},
		},
	);
	const { last, folder, scraping, metrics } = bench;
	await waitFor('both', async () => (await last('a')) === 1 && (await last('b')) === 1);
	expect(scraping.targets()).toMatchObject({
		droppedTargets: [{ discoveredLabels: { __meta_filepath: join(folder, 't/one.json'), name: 'c' } }],
		droppedTargetCounts: { files: 1 },
	});
	writeFileSync(join(folder, 't/one.json'), '[{"targets": [1]}]');
	rmSync(join(folder, 't/two.yml'));
	await waitFor('b to end', async () => (await last('b')) === 'stale' && (await last('up', { name: 'b' })) === 'stale');
	expect(await last('a')).toBe(1);
	expect(await metrics.getSingleMetricAsString('fournines_scrape_discovery_failures_total')).toContain('{scrape_job="files"} 1');
	writeFileSync(join(folder, 't/one.json'), JSON.stringify([group('b')]));
	await waitFor('b to be back instead of a', async () => (await last('a')) === 'stale' && (await last('b')) === 1);
});

test('stopping ends no series, and a configuration without jobs does nothing', async () => {
	pages.set('/m', text('a 1\n'));
	const { scraping, last, series } = await begin(job('m'));
	await waitFor('a scrape', async () => (await last('a')) === 1);
	await scraping.stop();
	const count = (await series('a'))[0]?.values.length;
	expect(await last('a')).toBe(1);
	await scraping.prepare(scrapeConfig(''))();
	await scraping.start();
	expect(scraping.targets()).toEqual({ activeTargets: [], droppedTargets: [], droppedTargetCounts: {} });
	expect((await series('a'))[0]?.values.length).toBe(count);
});
