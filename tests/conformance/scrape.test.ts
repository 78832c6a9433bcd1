import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
	findCommand,
	freePort,
	type RunningProcess,
	startProcess,
	type TemporaryFolder,
	temporaryFolder,
	waitFor,
} from '../harness/process.ts';
import { type ScrapingBench, startScraping } from '../harness/scraping.ts';

const exporterCommand = findCommand('prometheus-node-exporter');
const prometheusCommand = findCommand('prometheus');

/** Everything that two scrapers could understand differently; the second text has other series than the first. */
const PAGES = [
	`# HELP odd_total Odd "things"\\nhappen.
# TYPE odd_total counter
odd_total{path="C:\\\\DIR",text="line\\nfeed \\"quoted\\" \\x",empty="",zh="四个九"} 1.5e3
odd_total {path = "spaced" , } 0x
`.replace(' 0x\n', '\t-0\n'),
	'',
];
PAGES[0] += `job_conflict{job="mine",instance="there",exported_job="x"} 1
values{v="nan"} NaN
values{v="inf"} +Inf
values{v="minus"} -Inf
values{v="small"} 4.9406564584124654e-324
values{v="digits"} 0.30000000000000004
values{v="int"} 9007199254740993
rename_me{instance_id="42"} 7
drop_me 1
h_bucket{le="0.5"} 1
h_bucket{le="+Inf"} 2
h_sum 1
h_count 2
leaving 1
`;
PAGES[1] = (PAGES[0] as string).replace('leaving 1\n', 'arriving 1\n');

const METRIC_RELABELLING = `[{source_labels: [__name__], regex: drop_.*, action: drop},
  {source_labels: [__name__], regex: rename_(.*), target_label: __name__, replacement: 'renamed_$1'},
  {regex: instance_(.+), action: labelmap, replacement: 'mapped_$1'},
  {regex: instance_.+, action: labeldrop},
  {source_labels: [v], target_label: shard, modulus: 7, action: hashmod}]`;

type Vector = readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[];

describe.skipIf(exporterCommand === null || prometheusCommand === null)('beside a Prometheus that scrapes the same', () => {
	let folder: TemporaryFolder;
	let exporter: RunningProcess;
	let prometheus: RunningProcess;
	let bench: ScrapingBench;
	let prometheusAddress: string;
	let page = 0;
	let gone = false;
	const server = createServer((request, response) => {
		if (gone) response.writeHead(500).end();
		else if (request.url === '/limited') response.end('a 1\nb 2\n');
		else response.end(PAGES[page]);
	});

	beforeAll(async () => {
		folder = temporaryFolder('scrape-conformance');
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
		const node = `127.0.0.1:${await freePort()}`;
		const dead = `127.0.0.1:${await freePort()}`;
		exporter = startProcess(exporterCommand ?? '', [`--web.listen-address=${node}`]);
		await waitFor('node_exporter', async () => (await fetch(`http://${node}/metrics`)).ok);
		const jobs = `
- {job_name: odd, static_configs: [{targets: ['${address}'], labels: {system: s, path: target}}], metric_relabel_configs: ${METRIC_RELABELLING}}
- {job_name: honoured, honor_labels: true, static_configs: [{targets: ['${address}'], labels: {path: target}}]}
- {job_name: node, static_configs: [{targets: ['${node}']}], relabel_configs: [{source_labels: [__address__], regex: '(.*):.*', target_label: host}]}
- {job_name: dead, static_configs: [{targets: ['${dead}']}]}
- {job_name: limited, metrics_path: /limited, sample_limit: 1, static_configs: [{targets: ['${address}']}]}
`;
		writeFileSync(join(folder.path, 'prometheus.yml'), `global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:${jobs}`);
		const port = await freePort();
		prometheusAddress = `http://127.0.0.1:${port}`;
		prometheus = startProcess(prometheusCommand ?? '', [
			`--config.file=${join(folder.path, 'prometheus.yml')}`,
			`--storage.tsdb.path=${join(folder.path, 'data')}`,
			`--web.listen-address=127.0.0.1:${port}`,
		]);
		bench = await startScraping(`scrape_interval: 1s\nscrape_timeout: 1s\nscrape_configs:${jobs}`);
		await waitFor('Prometheus', async () => (await fetch(`${prometheusAddress}/-/ready`)).ok);
	});

	afterAll(async () => {
		await bench?.stop();
		await prometheus?.stop();
		await exporter?.stop();
		server.closeAllConnections();
		server.close();
		folder?.remove();
	});

	async function theirs(job: string): Promise<Map<string, string>> {
		const query = encodeURIComponent(`{job=~"${job}"}`);
		const answer = (await (await fetch(`${prometheusAddress}/api/v1/query?query=${query}`)).json()) as { data: { result: Vector } };
		return new Map(answer.data.result.map(({ metric, value }) => [key(metric), value[1]]));
	}

	async function ours(job: string): Promise<Map<string, string>> {
		const pattern = new RegExp(`^(?:${job})$`);
		const matcher = { name: 'job', kind: '=~', value: job, test: (value: string) => pattern.test(value), literals: null } as const;
		const found = await bench.store.series([matcher], 0, Date.now() + 1000);
		const result = new Map<string, string>();
		for (const name of new Set(found.map((labels) => labels[labels.indexOf('__name__') + 1] as string))) {
			for (const series of await bench.series(name)) {
				const value = series.values.at(-1);
				if (pattern.test(series.labels['job'] ?? '') && value !== 'stale')
					result.set(key({ ...series.labels, __name__: name }), goFloat(value));
			}
		}
		return result;
	}

	const key = (labels: Readonly<Record<string, string>>) => JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));
	const goFloat = (value: number | undefined) =>
		value === Infinity ? '+Inf' : value === -Infinity ? '-Inf' : Object.is(value, -0) ? '-0' : String(value);
	const unsteady = (name: string) => name.includes('scrape_duration_seconds') || name.includes('scrape_series_added');
	const steady = (values: Map<string, string>) =>
		new Map([...values].filter(([name]) => !unsteady(name)).sort(([a], [b]) => (a < b ? -1 : 1)));

	/** Waits until both say the same, and shows the difference when they never do. */
	async function agree(job: string, has: RegExp, hasNot: RegExp): Promise<Map<string, string>> {
		let mine = new Map<string, string>();
		let their = new Map<string, string>();
		await waitFor(
			'both to agree',
			async () => {
				[mine, their] = [steady(await ours(job)), steady(await theirs(job))];
				const text = [...mine.keys()].join('\n');
				return has.test(text) && !hasNot.test(text) && JSON.stringify([...mine]) === JSON.stringify([...their]);
			},
			{ intervalMs: 200 },
		).catch(() => {});
		expect([...mine]).toEqual([...their]);
		expect([...mine.keys()].join('\n')).toMatch(has);
		expect([...mine.keys()].join('\n')).not.toMatch(hasNot);
		return mine;
	}

	test('names, labels, values, up and stale markers agree', async () => {
		const all = await agree('odd|honoured|dead|limited', /leaving/, /arriving/);
		expect(all.size).toBeGreaterThan(35);
		page = 1;
		await agree('odd|honoured|dead|limited', /arriving/, /leaving/);
		gone = true;
		const after = await agree('odd|honoured|dead|limited', /"up"/, /arriving/);
		expect([...after.keys()].every((name) => name.includes('"up"') || name.includes('"scrape_'))).toBe(true);
		expect([...after.values()].every((value) => value === '0')).toBe(true);
	});

	test('the series of node_exporter are the same, and vanish with it', async () => {
		// CPU frequencies and the like come and go; what both have at one moment may differ by a little.
		const stable = (values: Map<string, string>) =>
			[...values.keys()].filter((name) => !/network|disk|filesystem|cpu_frequency/.test(name)).sort();
		let mine: readonly string[] = [];
		let their: readonly string[] = [];
		await waitFor('both to have scraped', async () => {
			[mine, their] = [stable(await ours('node')), stable(await theirs('node'))];
			return mine.length > 100 && mine.join('\n') === their.join('\n');
		}).catch(() => {});
		expect(mine).toEqual(their);
		expect(mine.length).toBeGreaterThan(100);
		await exporter.stop();
		const after = await agree('node', /"up"/, /node_/);
		expect([...after.values()].every((value) => value === '0')).toBe(true);
	});
});
