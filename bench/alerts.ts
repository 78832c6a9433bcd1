import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { compressSync } from 'snappy';
import { stringify } from 'yaml';
import { encodeRemoteWriteV1 } from '../protocol/remote-write/encode-v1.ts';
import { startAgentProcess } from '../tests/harness/collector.ts';
import { findCommand, freePort, startProcess, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import { type AlertPath, type PathOptions, startOurs, startTheirs } from './alert-servers.ts';
import { numbersFrom } from './numbers-from.ts';
import { cpuMicros, median, rssMegabytes } from './peers.ts';

/**
 * From a sample to a message, from a fault to a message, and what ten thousand active alerts cost, beside Prometheus and
 * Alertmanager with the same rules at the same interval and group_wait 0.
 * Usage: node bench/alerts.ts [--trials 60] [--faults 5] [--alerts 10000] [--reposts 10]; 0 trials, faults or alerts leave that part out,
 * and then no result is kept.
 */
interface Settings {
	readonly trials: number;
	readonly faults: number;
	readonly alerts: number;
	readonly reposts: number;
}

const DEFAULTS: Settings = { trials: 60, faults: 5, alerts: 10_000, reposts: 10 };
const ALERTS_PER_POST = 500;

async function startBoth(options: PathOptions): Promise<readonly AlertPath[]> {
	const theirs = await startTheirs(options);
	return [await startOurs(options), ...(theirs === null ? [] : [theirs])];
}

async function write(path: AlertPath, labels: readonly string[], value: number): Promise<void> {
	const series = [{ labels, samples: [{ timestampMs: Date.now(), value }] }];
	const response = await fetch(path.writeUrl, {
		method: 'POST',
		headers: {
			'content-type': 'application/x-protobuf',
			'content-encoding': 'snappy',
			'x-prometheus-remote-write-version': '0.1.0',
			...path.writeAuth,
		},
		body: compressSync(Buffer.from(encodeRemoteWriteV1(series))),
	});
	if (!response.ok) throw new Error(`${path.name} answered ${response.status}: ${await response.text()}`);
}

const percentile = (values: readonly number[], share: number) =>
	[...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.ceil(values.length * share) - 1)] ?? Number.NaN;

interface Trial {
	readonly what: string;
	readonly metric: string;
	/** Good samples of other checks a second, as a fleet sends them all the time. */
	readonly others: number;
}

const TRIALS: readonly Trial[] = [
	{ what: "a check's sample", metric: 'probe_success', others: 0 },
	{ what: "a check's sample among 20 good ones a second", metric: 'probe_success', others: 20 },
	{ what: 'any other sample', metric: 'bench_value', others: 0 },
];
/** Not in step with the interval of evaluation. */
const PACE_MS = 1370;

/** The sample that decides goes to both at the same moment; the rules are evaluated every 5 s, as those that are shipped for checks. */
async function sampleToMessage(folder: string, trials: number): Promise<readonly object[]> {
	const rules = `groups:
  - name: bench
    interval: 5s
    rules:
      - { alert: BenchCheck, expr: 'probe_success == 0', labels: { severity: critical } }
      - { alert: BenchMetric, expr: 'bench_value == 0', labels: { severity: critical } }
`;
	const paths = await startBoth({ folder, rules, evaluation: '5s', groupBy: 'case' });
	try {
		const results: object[] = [];
		for (const [round, trial] of TRIALS.entries()) {
			const sentAtMs = new Map<string, number>();
			const stop = new AbortController();
			const noise = makeNoise(paths, trial.others, stop.signal);
			const nameOf = (i: number) => `${round}-${i}`;
			for (let i = 0; i < trials; i++) await Promise.all(paths.map((path) => write(path, labelsOf(trial.metric, nameOf(i)), 1)));
			await pause(6000);
			for (let i = 0; i < trials; i++) {
				await pause(PACE_MS);
				await Promise.all(
					paths.map((path) => {
						sentAtMs.set(`${path.name} ${nameOf(i)}`, performance.now());
						return write(path, labelsOf(trial.metric, nameOf(i)), 0);
					}),
				);
			}
			for (const path of paths) {
				const delays: number[] = [];
				for (let i = 0; i < trials; i++) {
					await waitFor(`the message of ${path.name}`, () => path.arrivedAtMs(nameOf(i)) !== undefined, { timeoutMs: 90_000 });
					delays.push((path.arrivedAtMs(nameOf(i)) ?? 0) - (sentAtMs.get(`${path.name} ${nameOf(i)}`) ?? 0));
				}
				const { name: server, version } = path;
				results.push({
					what: trial.what,
					server,
					version,
					medianMs: Math.round(median(delays)),
					p99Ms: Math.round(percentile(delays, 0.99)),
					trials,
				});
			}
			stop.abort();
			await noise;
		}
		return results;
	} finally {
		for (const path of paths) await path.stop();
	}
}

function labelsOf(metric: string, name: string): readonly string[] {
	const check = metric === 'probe_success' ? ['check', name, 'instance', name] : [];
	return ['__name__', metric, 'case', name, ...check, 'job', 'bench'];
}

async function makeNoise(paths: readonly AlertPath[], perSecond: number, signal: AbortSignal): Promise<void> {
	for (let i = 0; perSecond > 0 && !signal.aborted; i++) {
		await Promise.all(paths.map((path) => write(path, labelsOf('probe_success', `good-${i % 100}`), 1)));
		await pause(1000 / perSecond);
	}
}

/** Three of the last five probes failed, in both; a real target that stops answering, probed by our agent and by blackbox_exporter. */
async function faultToMessage(folder: string, faults: number, intervalSeconds: number): Promise<readonly object[]> {
	const blackbox = findCommand('prometheus-blackbox-exporter');
	const window = `${intervalSeconds * 5}s`;
	const rules = `groups: [{ name: bench, interval: 1s, rules: [{ alert: BenchDown, expr: 'count_over_time(probe_success[${window}]) - sum_over_time(probe_success[${window}]) >= 3', labels: { severity: critical } }] }]\n`;
	const targets = Array.from({ length: faults }, (_, i) => startTarget(`case-${i}`));
	const opened = await Promise.all(targets);
	const exporterPort = await freePort();
	const modules = join(folder, 'blackbox.yml');
	writeFileSync(modules, 'modules: { http_2xx: { prober: http, timeout: 2s } }\n');
	const exporter =
		blackbox === null ? null : startProcess(blackbox, [`--config.file=${modules}`, `--web.listen-address=127.0.0.1:${exporterPort}`]);
	const scrape = stringify({
		scrape_configs: opened.map(({ name, url }) => ({
			job_name: name,
			scrape_interval: `${intervalSeconds}s`,
			metrics_path: '/probe',
			params: { module: ['http_2xx'], target: [url] },
			static_configs: [{ targets: [`127.0.0.1:${exporterPort}`], labels: { check: name } }],
		})),
	});
	const options = { folder, rules, evaluation: '1s', groupBy: 'check', scrape };
	const paths = exporter === null ? [await startOurs(options)] : await startBoth(options);
	const agentConfig = join(folder, 'agent.yml');
	const ours = paths[0];
	if (ours === undefined) throw new Error('our path did not start');
	writeFileSync(
		agentConfig,
		stringify({
			host: { name: 'bench' },
			listen: '',
			collector: { url: ours.alertsUrl, token: { file: join(folder, 'ours/keys/local-agent.token') } },
			inputs: {
				probes: opened.map(({ name, url }) => ({ id: name, kind: 'http', target: url, interval: `${intervalSeconds}s`, timeout: '2s' })),
			},
		}),
	);
	const agent = startAgentProcess({ configFile: agentConfig, dataDir: join(folder, 'agent') });
	try {
		await pause(intervalSeconds * 6000);
		const delays = new Map(paths.map((path) => [path.name, [] as number[]]));
		for (const [i, target] of opened.entries()) {
			await pause(((i * 0.37) % 1) * intervalSeconds * 1000);
			const brokenAtMs = performance.now();
			target.fail();
			for (const path of paths) {
				await waitFor(`the message of ${path.name}\n${agent.output().slice(-500)}`, () => path.arrivedAtMs(target.name) !== undefined, {
					intervalMs: 10,
					timeoutMs: intervalSeconds * 20_000,
				});
				delays.get(path.name)?.push(((path.arrivedAtMs(target.name) ?? 0) - brokenAtMs) / 1000);
			}
		}
		return [...delays].map(([server, values]) => ({
			probeEvery: `${intervalSeconds} s`,
			server,
			medianSeconds: Number(median(values).toFixed(1)),
			longestSeconds: Number(Math.max(...values).toFixed(1)),
			faults,
		}));
	} finally {
		await agent.stop();
		for (const path of paths) await path.stop();
		await exporter?.stop();
		for (const target of opened) target.stop();
	}
}

async function startTarget(name: string): Promise<{ readonly name: string; readonly url: string; fail(): void; stop(): void }> {
	let status = 200;
	const server = createServer((_request, response) => {
		response.statusCode = status;
		response.end('hello');
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		name,
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
		fail: () => {
			status = 503;
		},
		stop: () => {
			server.close();
			server.closeAllConnections();
		},
	};
}

/** The same alerts posted again and again, as every evaluator does; nothing changes, so that only the dispatch is measured. */
async function activeAlerts(folder: string, { alerts: count, reposts }: Settings): Promise<readonly object[]> {
	const paths = await startBoth({ folder, rules: 'groups: []\n', evaluation: '15s', groupBy: 'alertname' });
	const startsAt = new Date().toISOString();
	const batches: string[] = [];
	const endsAt = new Date(Date.now() + 3_600_000).toISOString();
	for (let from = 0; from < count; from += ALERTS_PER_POST) {
		const part = Array.from({ length: Math.min(ALERTS_PER_POST, count - from) }, (_, i) => ({
			labels: {
				alertname: `Bench${(from + i) % 100}`,
				instance: `app-${from + i}:8080`,
				severity: 'warning',
				system: 'bench',
				team: 'ops',
			},
			annotations: { summary: `app-${from + i} 响应变慢`, description: '最近 5 分钟有 70% 的请求超过 1 秒。' },
			startsAt,
			endsAt,
			generatorURL: 'http://127.0.0.1/graph',
		}));
		batches.push(JSON.stringify(part));
	}
	const post = async (path: AlertPath) => {
		for (const body of batches) {
			const response = await fetch(`${path.alertsUrl}/api/v2/alerts`, {
				method: 'POST',
				headers: { 'content-type': 'application/json', ...path.alertsAuth },
				body,
			});
			if (!response.ok) throw new Error(`${path.name} answered ${response.status}: ${await response.text()}`);
			await response.arrayBuffer();
		}
	};
	try {
		const results: object[] = [];
		for (const path of paths) {
			await pause(5000);
			const emptyMegabytes = rssMegabytes(path.alertsPid);
			await post(path);
			await pause(10_000);
			const filledMegabytes = rssMegabytes(path.alertsPid);
			const idleFrom = cpuMicros(path.alertsPid);
			await pause(10_000);
			const idleMicrosPerMs = (cpuMicros(path.alertsPid) - idleFrom) / 10_000;
			const from = cpuMicros(path.alertsPid);
			const startedAtMs = performance.now();
			for (let i = 0; i < reposts; i++) {
				await post(path);
				await pause(1000);
			}
			const tookMs = performance.now() - startedAtMs;
			const micros = cpuMicros(path.alertsPid) - from - idleMicrosPerMs * tookMs;
			results.push({
				server: path.name,
				alerts: count,
				microsPerRepostedAlert: Number((micros / (reposts * count)).toFixed(2)),
				addedMegabytes: Math.round(filledMegabytes - emptyMegabytes),
				afterRepostsMegabytes: Math.round(rssMegabytes(path.alertsPid) - emptyMegabytes),
				messages: path.messages(),
			});
		}
		return results;
	} finally {
		for (const path of paths) await path.stop();
	}
}

function table(rows: readonly object[]): string {
	const [first] = rows;
	if (first === undefined) return '';
	const names = Object.keys(first);
	const lines = rows.map((row) => `| ${Object.values(row).join(' | ')} |`);
	return `| ${names.join(' | ')} |\n|${'---|'.repeat(names.length)}\n${lines.join('\n')}\n`;
}

function keep(settings: Settings, results: object): void {
	const output = join(import.meta.dirname, 'results');
	mkdirSync(output, { recursive: true });
	const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
	writeFileSync(
		join(output, 'alerts.json'),
		`${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, settings, ...results }, null, '\t')}\n`,
	);
}

async function main(): Promise<void> {
	const own = numbersFrom(process.argv.slice(2), DEFAULTS);
	const folder = temporaryFolder('bench-alerts');
	const part = (name: string) => {
		const path = join(folder.path, name);
		mkdirSync(path);
		return path;
	};
	try {
		const results = {
			sampleToMessage: own.trials === 0 ? [] : await sampleToMessage(part('sample'), own.trials),
			faultToMessage:
				own.faults === 0
					? []
					: [...(await faultToMessage(part('fault-5'), own.faults, 5)), ...(await faultToMessage(part('fault-10'), own.faults, 10))],
			activeAlerts: own.alerts === 0 ? [] : await activeAlerts(part('active'), own),
		};
		if (Object.values(results).every((rows) => rows.length > 0)) keep(own, results);
		for (const rows of Object.values(results)) console.log(table(rows));
	} finally {
		folder.remove();
	}
}

await main();
