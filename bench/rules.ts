import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { compressSync } from 'snappy';
import { encodeRemoteWriteV1 } from '../protocol/remote-write/encode-v1.ts';
import type { WriteSeries } from '../protocol/remote-write/write-series.ts';
import { temporaryFolder } from '../tests/harness/process.ts';
import { numbersFrom } from './numbers-from.ts';
import { cpuMicros, type Peer, rssMegabytes, startFournines, startPrometheusPeer } from './peers.ts';
import { sampleValue } from './query-data.ts';

/**
 * CPU of rule evaluation beside Prometheus, with the same rules over the same samples in the same run: alerting and
 * recording rules every 15 s, nothing else going on. Usage: node bench/rules.ts [--rules 1000] [--series 100000] [--seconds 60]
 */
interface Settings {
	readonly rules: number;
	readonly series: number;
	readonly seconds: number;
}

const DEFAULTS: Settings = { rules: 1000, series: 100_000, seconds: 60 };
const RULES_PER_GROUP = 50;
const STEP_MS = 15_000;
const PAST_MS = 420_000;
/** Samples lie ahead by as much as a receiver takes, so that nothing has to be sent while it is measured. */
const AHEAD_MS = 240_000;
const SERIES_PER_REQUEST = 1000;

/** The kinds of expressions that rule files have, each over the series of one metric. */
function expression(rule: number): string {
	const metric = `bench_rule_${rule}_total`;
	switch (rule % 5) {
		case 0:
			return `sum by (system) (rate(${metric}[5m])) > 1e9`;
		case 1:
			return `${metric} < 0`;
		case 2:
			return `avg by (zone) (rate(${metric}{zone="zone-1"}[5m])) / 100`;
		case 3:
			return `increase(${metric}{instance=~"app-00[0-4].*"}[5m]) == 0`;
		default:
			return `max by (system) (max_over_time(${metric}[5m]))`;
	}
}

function ruleFile({ rules }: Settings): string {
	const groups: string[] = [];
	for (let from = 0; from < rules; from += RULES_PER_GROUP) {
		const list: string[] = [];
		for (let rule = from; rule < Math.min(from + RULES_PER_GROUP, rules); rule++) {
			const records = rule % 5 === 2 || rule % 5 === 4;
			list.push(
				`      - ${records ? `record: bench:rule_${rule}` : `alert: Bench${rule}`}\n        expr: ${JSON.stringify(expression(rule))}`,
			);
		}
		groups.push(`  - name: bench-${from}\n    interval: 15s\n    rules:\n${list.join('\n')}`);
	}
	return `groups:\n${groups.join('\n')}\n`;
}

function labelsOf(index: number, rules: number): readonly string[] {
	const host = Math.floor(index / rules);
	return [
		'__name__',
		`bench_rule_${index % rules}_total`,
		'instance',
		`app-${String(host).padStart(4, '0')}`,
		'job',
		'bench',
		'system',
		`system-${host % 5}`,
		'zone',
		`zone-${host % 2}`,
	];
}

async function load(peers: readonly Peer[], { series: count, rules }: Settings): Promise<void> {
	const nowMs = Math.floor(Date.now() / STEP_MS) * STEP_MS;
	for (let from = 0; from < count; from += SERIES_PER_REQUEST) {
		const series: WriteSeries[] = [];
		for (let index = from; index < Math.min(from + SERIES_PER_REQUEST, count); index++) {
			const samples = [];
			for (let timestampMs = nowMs - PAST_MS; timestampMs <= nowMs + AHEAD_MS; timestampMs += STEP_MS) {
				samples.push({ timestampMs, value: sampleValue('counter', index, (timestampMs - nowMs + PAST_MS) / STEP_MS) });
			}
			series.push({ labels: labelsOf(index, rules), samples });
		}
		const body = compressSync(Buffer.from(encodeRemoteWriteV1(series)));
		await Promise.all(peers.map((peer) => peer.write(body)));
	}
}

/** Evaluations so far, by the server's own count. */
async function evaluations(peer: Peer): Promise<number> {
	const metric = peer.name === 'fournines' ? 'fournines_ruler_evaluations_total' : 'prometheus_rule_evaluations_total';
	const text = (await peer.get('/metrics')).toString('utf8');
	return [...text.matchAll(new RegExp(`^${metric}\\{[^}]*\\} (\\S+)$`, 'gm'))].reduce((sum, match) => sum + Number(match[1]), 0);
}

async function main(): Promise<void> {
	const own = numbersFrom(process.argv.slice(2), DEFAULTS);
	const folder = temporaryFolder('bench-rules');
	const peers: Peer[] = [];
	try {
		const rules = ruleFile(own);
		for (const start of [startFournines, startPrometheusPeer]) {
			const peer = await start({ folder: folder.path, rules });
			if (peer !== null) peers.push(peer);
		}
		await load(peers, own);
		const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));
		// One round for each group to see its series for the first time, and for what the load left behind.
		await pause(20);
		const before = await Promise.all(peers.map(async (peer) => ({ cpu: cpuMicros(peer.pid), count: await evaluations(peer) })));
		await pause(own.seconds);
		const results = await Promise.all(
			peers.map(async (peer, i) => {
				const cpuSeconds = (cpuMicros(peer.pid) - (before[i]?.cpu ?? 0)) / 1e6;
				const evaluated = (await evaluations(peer)) - (before[i]?.count ?? 0);
				return {
					server: peer.name,
					version: peer.version,
					evaluated,
					cpuSeconds: Number(cpuSeconds.toFixed(2)),
					microsPerRule: Math.round((cpuSeconds * 1e6) / evaluated),
					rssMegabytes: Math.round(rssMegabytes(peer.pid)),
				};
			}),
		);
		const output = join(import.meta.dirname, 'results');
		mkdirSync(output, { recursive: true });
		const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
		writeFileSync(
			join(output, 'rules.json'),
			`${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, settings: own, results }, null, '\t')}\n`,
		);
		console.log('| server | version | rules evaluated | CPU, s | CPU per rule, µs | RSS, MB |\n|---|---|---|---|---|---|');
		for (const row of results) {
			console.log(`| ${row.server} | ${row.version} | ${row.evaluated} | ${row.cpuSeconds} | ${row.microsPerRule} | ${row.rssMegabytes} |`);
		}
	} finally {
		for (const peer of peers) await peer.stop();
		folder.remove();
	}
}

await main();
