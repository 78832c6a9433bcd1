import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compressSync } from 'snappy';
import { encodeRemoteWriteV1 } from '../protocol/remote-write/encode-v1.ts';
import { temporaryFolder } from '../tests/harness/process.ts';
import { type Peer, startFournines } from './peers.ts';
import { wideSeries } from './query-data.ts';

/**
 * What ingest and rules feel of other people's queries: the latency of write requests and the lateness of rules, idle and while ten queries over
 * seven days of 1,000 series run, again and again.
 * Usage: node bench/isolation.ts [series] [seconds of each phase] [step of the data in seconds]
 */
const DAY_MS = 86_400_000;
const GROUPS = 20;
const WRITE_EVERY_MS = 50;
const POLL_EVERY_MS = 10;

interface Phase {
	readonly phase: 'idle' | 'queries';
	readonly writes: number;
	readonly ingestP50Ms: number;
	readonly ingestP99Ms: number;
	readonly ruleEvaluations: number;
	/** From the slot of an evaluation until its result could be seen: the time of the look itself included. */
	readonly ruleLatenessP99Ms: number;
	readonly queriesAnswered: number;
	readonly queriesRefused: number;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function percentile(values: readonly number[], share: number): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function rules(): string {
	const groups = Array.from({ length: GROUPS }, (_, i) => {
		const record = `  - {record: "bench:sum${i}", expr: "sum by (group) (rate(bench_operations_total{group=\\"group-${i}\\"}[5m]))"}`;
		return `- name: g${i}\n  interval: 1s\n  rules:\n${record}`;
	});
	return `groups:\n${groups.join('\n')}\n`;
}

async function load(peer: Peer, count: number, stepMs: number, endMs: number): Promise<void> {
	const series = wideSeries(count);
	const steps = Math.floor((7 * DAY_MS) / stepMs);
	for (let from = 0; from < steps; from += 60) {
		const body = encodeRemoteWriteV1(
			series.map(({ labels }, index) => ({
				labels,
				samples: Array.from({ length: Math.min(60, steps - from) }, (_, i) => ({
					timestampMs: endMs - (steps - from - i) * stepMs,
					value: index + (from + i) * 7,
				})),
			})),
		);
		await peer.write(compressSync(Buffer.from(body)));
	}
}

interface RulesAnswer {
	readonly data: { readonly groups: readonly { readonly name: string; readonly lastEvaluation: string }[] };
}

async function measure(peer: Peer, phase: Phase['phase'], seconds: number, count: number): Promise<Phase> {
	const series = wideSeries(count);
	const endAt = performance.now() + seconds * 1000;
	const going = () => performance.now() < endAt;
	const latencies: number[] = [];
	const lateness: number[] = [];
	let queriesAnswered = 0;
	let queriesRefused = 0;
	const writing = async () => {
		for (let i = 0; going(); i++) {
			const timestampMs = Date.now();
			const body = compressSync(
				Buffer.from(encodeRemoteWriteV1(series.map(({ labels }, k) => ({ labels, samples: [{ timestampMs, value: k + i }] })))),
			);
			const started = performance.now();
			await peer.write(body);
			latencies.push(performance.now() - started);
			await pause(WRITE_EVERY_MS);
		}
	};
	const watching = async () => {
		const seen = new Map<string, string>();
		while (going()) {
			const answer = JSON.parse((await peer.get('/api/v1/rules')).toString('utf8')) as RulesAnswer;
			const nowMs = Date.now();
			for (const { name, lastEvaluation } of answer.data.groups) {
				const before = seen.get(name);
				seen.set(name, lastEvaluation);
				// The first look does not know for how long it could have been seen.
				if (before !== undefined && before !== lastEvaluation) lateness.push(nowMs - Date.parse(lastEvaluation));
			}
			await pause(POLL_EVERY_MS);
		}
	};
	const querying = async (which: number) => {
		while (phase === 'queries' && going()) {
			const end = Math.floor(Date.now() / 1000);
			const query = encodeURIComponent(`sum(rate(bench_operations_total[${5 + which}m]))`);
			await peer.get(`/api/v1/query_range?query=${query}&start=${end - 7 * 86_400}&end=${end}&step=600`).then(
				() => queriesAnswered++,
				(error: unknown) => {
					if (queriesRefused++ === 0) process.stderr.write(`a query was refused: ${String(error).slice(0, 300)}\n`);
					return pause(50);
				},
			);
		}
	};
	await Promise.all([writing(), watching(), ...Array.from({ length: 10 }, (_, i) => querying(i))]);
	return {
		phase,
		writes: latencies.length,
		ingestP50Ms: percentile(latencies, 0.5),
		ingestP99Ms: percentile(latencies, 0.99),
		ruleEvaluations: lateness.length,
		ruleLatenessP99Ms: percentile(lateness, 0.99),
		queriesAnswered,
		queriesRefused,
	};
}

async function main(): Promise<void> {
	const [count = 1000, seconds = 30, stepSeconds = 30] = process.argv.slice(2).map(Number);
	const folder = temporaryFolder('bench-isolation');
	try {
		const peer = await startFournines({ folder: folder.path, rules: rules() });
		await load(peer, count, stepSeconds * 1000, Date.now() - 1000);
		await pause(3000);
		const phases = [await measure(peer, 'idle', seconds, count), await measure(peer, 'queries', seconds, count)];
		await peer.stop();
		const out = fileURLToPath(new URL('./results/', import.meta.url));
		mkdirSync(out, { recursive: true });
		const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
		writeFileSync(
			join(out, 'isolation.json'),
			`${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, series: count, seconds, stepSeconds, version: `Node ${process.version}`, phases }, null, '\t')}\n`,
		);
		console.log(
			'| phase | writes | ingest p50, ms | ingest p99, ms | rule evaluations | rule lateness p99, ms | 7-day queries answered |\n|---|---|---|---|---|---|---|',
		);
		for (const row of phases) {
			const numbers = [row.ingestP50Ms, row.ingestP99Ms, row.ruleLatenessP99Ms].map((value) => value.toFixed(1));
			console.log(
				`| ${row.phase} | ${row.writes} | ${numbers[0]} | ${numbers[1]} | ${row.ruleEvaluations} | ${numbers[2]} | ${row.queriesAnswered} |`,
			);
		}
	} finally {
		folder.remove();
	}
}

await main();
