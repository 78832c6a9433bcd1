import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { compressSync } from 'snappy';
import { encodeRemoteWriteV1 } from '../protocol/remote-write/encode-v1.ts';
import { startCollectorProcess } from '../tests/harness/collector.ts';
import { startFakeServer } from '../tests/harness/fake-server.ts';
import { freePort, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import { numbersFrom } from './numbers-from.ts';
import { cpuMicros, median } from './peers.ts';

/**
 * What evaluation on arrival costs a province: many rules, and hosts that push all their series one after the other, with and without a
 * share for it; and how long deciding samples wait in between. Usage: node bench/arrivals.ts [--rules 1000] [--hosts 100] [--seconds 60]
 */
const DEFAULTS = { rules: 1000, hosts: 100, seconds: 60, trials: 20 };
type Settings = typeof DEFAULTS;

const INTERVAL_MS = 15_000;
const RULES_PER_GROUP = 50;

/** Four rules of five look at one host; the fifth adds up all, or serves one that does. */
function ruleFile({ rules }: Settings): string {
	const groups: string[] = [];
	const kinds = (rule: number) => {
		const metric = `arrival_${rule}`;
		switch (rule % 5) {
			case 0:
				return `alert: Above${rule}, expr: '${metric} > 1e9'`;
			case 1:
				return `alert: Rising${rule}, expr: 'rate(${metric}[5m]) > 1e9', for: 1m`;
			case 2:
				return `alert: Ratio${rule}, expr: '${metric} / on (instance) ${`arrival_${rule - 1}`} > 1e9'`;
			case 3:
				return `alert: PerHost${rule}, expr: 'max by (instance) (max_over_time(${metric}[5m])) > 1e9'`;
			default:
				return `alert: Sum${rule}, expr: 'sum by (system) (rate(${metric}[5m])) > 1e9'`;
		}
	};
	for (let from = 0; from < rules; from += RULES_PER_GROUP) {
		const list = Array.from({ length: Math.min(RULES_PER_GROUP, rules - from) }, (_, i) => `      - { ${kinds(from + i)} }`);
		groups.push(`  - name: arrivals-${from}\n    interval: 15s\n    rules:\n${list.join('\n')}`);
	}
	groups.push(
		"  - name: deciding\n    interval: 15s\n    rules:\n      - { alert: Deciding, expr: 'deciding == 0', labels: { severity: critical } }",
	);
	return `groups:\n${groups.join('\n')}\n`;
}

async function measure(folder: string, share: number, own: Settings): Promise<object> {
	mkdirSync(folder);
	const arrived = new Map<string, number>();
	const sink = await startFakeServer({
		handle: (request, exchange) => {
			const { alerts } = JSON.parse(request.body.toString('utf8')) as { alerts: { labels: Record<string, string> }[] };
			for (const { labels } of alerts) arrived.set(labels['case'] ?? '', performance.now());
			exchange.answer(200, 'ok');
		},
	});
	const configFile = join(folder, 'collector.yml');
	writeFileSync(join(folder, 'rules.yml'), ruleFile(own));
	writeFileSync(
		configFile,
		`rules: { files: [rules.yml], arrival_cpu_share: ${share} }
alerts:
  route: { receiver: r, group_by: [case], group_wait: 0s, group_interval: 1s }
  receivers: [{ name: r, webhook_configs: [{ url: '${sink.baseUrl}' }] }]
  storm: { messages: 0 }
`,
	);
	const dataDir = join(folder, 'data');
	const collector = await startCollectorProcess({ dataDir, port: await freePort(), configFile, env: { NODE_ENV: 'production' } });
	const authorization = `Bearer ${readFileSync(join(dataDir, 'keys/local-agent.token'), 'utf8').trim()}`;
	const write = async (series: Parameters<typeof encodeRemoteWriteV1>[0]) => {
		const response = await fetch(`${collector.url}/api/v1/write`, {
			method: 'POST',
			headers: {
				'content-type': 'application/x-protobuf',
				'content-encoding': 'snappy',
				'x-prometheus-remote-write-version': '0.1.0',
				authorization,
			},
			body: compressSync(Buffer.from(encodeRemoteWriteV1(series))),
		});
		if (!response.ok) throw new Error(`the collector answered ${response.status}: ${await response.text()}`);
	};
	const pushHost = (host: number, round: number) =>
		write(
			Array.from({ length: own.rules }, (_, rule) => ({
				labels: ['__name__', `arrival_${rule}`, 'instance', `app-${host}`, 'job', 'bench', 'system', `system-${host % 5}`],
				samples: [{ timestampMs: Date.now(), value: round * 100 + host + rule }],
			})),
		);
	const decide = (name: string, value: number) =>
		write([{ labels: ['__name__', 'deciding', 'case', name, 'instance', name], samples: [{ timestampMs: Date.now(), value }] }]);
	const stop = new AbortController();
	const pushing = (async () => {
		const beganMs = performance.now();
		for (let sent = 0; !stop.signal.aborted; sent++) {
			await pause(Math.max(0, beganMs + (sent * INTERVAL_MS) / own.hosts - performance.now()));
			await pushHost(sent % own.hosts, Math.floor(sent / own.hosts));
		}
	})();
	try {
		// Every host once, and every group one slot behind it.
		await pause(2.5 * INTERVAL_MS);
		const counter = async (metric: string) => {
			const text = await collector.get('/metrics');
			return [...text.matchAll(new RegExp(`^${metric}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))].reduce((sum, match) => sum + Number(match[1]), 0);
		};
		const counters = async () => ({
			cpu: cpuMicros(collector.pid()) / 1e6,
			spent: await counter('fournines_ruler_arrival_seconds_total'),
			onArrival: await counter('fournines_ruler_fast_evaluations_total'),
			waited: await counter('fournines_ruler_arrival_waits_total'),
		});
		const before = await counters();
		const beganMs = performance.now();
		const delays: number[] = [];
		for (let trial = 0; trial < own.trials; trial++) {
			const name = `case-${trial}`;
			await decide(name, 1);
			await pause((own.seconds * 1000) / own.trials - 200);
			const sentMs = performance.now();
			await decide(name, 0);
			void waitFor('the message', () => arrived.has(name), { timeoutMs: 60_000 }).then(
				() => delays.push((arrived.get(name) ?? 0) - sentMs),
				() => delays.push(Number.POSITIVE_INFINITY),
			);
		}
		const seconds = (performance.now() - beganMs) / 1000;
		const after = await counters();
		await waitFor('all messages', () => delays.length === own.trials, { timeoutMs: 90_000 });
		const perCent = (value: number) => Number(((value / seconds) * 100).toFixed(1));
		return {
			share,
			cpuPerCent: perCent(after.cpu - before.cpu),
			arrivalPerCent: perCent(after.spent - before.spent),
			evaluationsPerSecond: Math.round((after.onArrival - before.onArrival) / seconds),
			leftToSlotsPerSecond: Math.round((after.waited - before.waited) / seconds),
			medianMs: Math.round(median(delays)),
			longestMs: Math.round(Math.max(...delays)),
		};
	} finally {
		stop.abort();
		await pushing.catch(() => {});
		await collector.stop();
		await sink.stop();
	}
}

async function main(): Promise<void> {
	const own = numbersFrom(process.argv.slice(2), DEFAULTS);
	const folder = temporaryFolder('bench-arrivals');
	try {
		const results: object[] = [];
		for (const share of [0, 0.1]) results.push(await measure(join(folder.path, String(share)), share, own));
		const output = join(import.meta.dirname, 'results');
		mkdirSync(output, { recursive: true });
		const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
		writeFileSync(
			join(output, 'arrivals.json'),
			`${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, settings: own, results }, null, '\t')}\n`,
		);
		for (const row of results) console.log(JSON.stringify(row));
	} finally {
		folder.remove();
	}
}

await main();
