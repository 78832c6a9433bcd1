import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compressSync } from 'snappy';
import { COLLECTOR_NODE_FLAGS } from '../collector/node-flags.ts';
import { encodeRemoteWriteV1 } from '../protocol/remote-write/encode-v1.ts';
import { encodeRemoteWriteV2 } from '../protocol/remote-write/encode-v2.ts';
import type { WriteSeries } from '../protocol/remote-write/write-series.ts';
import {
	findCommand,
	freePort,
	type RunningProcess,
	runCommand,
	startProcess,
	temporaryFolder,
	waitFor,
} from '../tests/harness/process.ts';

/**
 * CPU per sample and memory of ingest, beside the peers that are installed, with the same bytes in the same run.
 * Usage: node bench/ingest.ts [series] [rounds] [repeats]
 */
const SERIES_PER_REQUEST = 2000;
const STEP_MS = 15_000;
/** Background work that a request causes (flushes, indexing, garbage collection) belongs to its price. */
const SETTLE_MS = 6000;

interface Measured {
	readonly server: string;
	readonly firstSightMicros: number;
	readonly steadyMicros: number;
	readonly rssMegabytes: number;
}

interface Contender {
	readonly name: string;
	readonly version: string;
	readonly contentType: string;
	readonly payload: 'v1' | 'v2';
	readonly start: (folder: string) => Promise<{ readonly running: RunningProcess; readonly url: string }>;
}

const V1_TYPE = 'application/x-protobuf';
const V2_TYPE = 'application/x-protobuf;proto=io.prometheus.write.v2.Request';

function labelsOf(series: number): readonly string[] {
	const host = Math.floor(series / 500);
	const metric = series % 500;
	return [
		'__name__',
		`node_subsystem_${metric % 100}_operation_seconds_total`,
		'cpu',
		String(metric % 8),
		'device',
		`nvme${Math.floor(metric / 100)}n1`,
		'environment',
		'production',
		'host',
		`app-server-${String(host).padStart(4, '0')}`,
		'instance',
		`10.20.${host >> 8}.${host & 255}:9100`,
		'job',
		'node',
		'mode',
		['idle', 'iowait', 'irq', 'nice', 'softirq', 'steal', 'system', 'user'][Math.floor(metric / 8) % 8] ?? 'idle',
		'system',
		`business-system-${host % 20}`,
		'zone',
		`government-zone-${host % 3}`,
	];
}

/** Half counters that grow unevenly, a quarter gauges of two decimals, a quarter that rarely change. */
function sampleValue(series: number, round: number): number {
	const noise = ((series * 7919 + round * 104_729) % 1000) / 1000;
	if (series % 4 < 2) return Math.floor(1e6 + series + round * 150 + noise * 40);
	return series % 4 === 2 ? Math.round(noise * 10_000) / 100 : series % 97;
}

function payloads(version: 'v1' | 'v2', seriesCount: number, rounds: number, endMs: number): Buffer[][] {
	const encode = version === 'v1' ? encodeRemoteWriteV1 : encodeRemoteWriteV2;
	const labels = Array.from({ length: seriesCount }, (_, i) => labelsOf(i));
	return Array.from({ length: rounds }, (_, round) => {
		const requests: Buffer[] = [];
		for (let from = 0; from < seriesCount; from += SERIES_PER_REQUEST) {
			const series: WriteSeries[] = labels.slice(from, from + SERIES_PER_REQUEST).map((its, i) => ({
				labels: its,
				samples: [{ timestampMs: endMs - (rounds - round) * STEP_MS, value: sampleValue(from + i, round) }],
			}));
			requests.push(compressSync(Buffer.from(encode(series))));
		}
		return requests;
	});
}

async function send(url: string, contentType: string, requests: readonly Buffer[], agent: Agent): Promise<void> {
	for (const body of requests) {
		const status = await new Promise<number>((resolve, reject) => {
			const outgoing = request(
				url,
				{
					method: 'POST',
					agent,
					headers: {
						'content-type': contentType,
						'content-encoding': 'snappy',
						'content-length': body.length,
						'x-prometheus-remote-write-version': contentType === V1_TYPE ? '0.1.0' : '2.0.0',
					},
				},
				(response) => {
					response.resume();
					response.on('end', () => resolve(response.statusCode ?? 0));
				},
			);
			outgoing.setTimeout(60_000, () => outgoing.destroy(new Error('no answer within 60 s')));
			outgoing.on('error', reject);
			outgoing.end(body);
		});
		if (status >= 300) throw new Error(`${url} answered ${status}`);
	}
}

/** User and system time of the process and all its threads, in microseconds. */
function cpuMicros(pid: number): number {
	const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

function rssMegabytes(pid: number): number {
	return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function measure(contender: Contender, rounds: readonly (readonly Buffer[])[], seriesCount: number): Promise<Measured> {
	const folder = temporaryFolder('bench');
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	const { running, url } = await contender.start(folder.path);
	try {
		await pause(1000);
		const atStart = cpuMicros(running.pid);
		await send(url, contender.contentType, rounds[0] ?? [], agent);
		await pause(SETTLE_MS);
		const afterFirst = cpuMicros(running.pid);
		for (const requests of rounds.slice(1)) await send(url, contender.contentType, requests, agent);
		await pause(SETTLE_MS);
		const atEnd = cpuMicros(running.pid);
		return {
			server: contender.name,
			firstSightMicros: (afterFirst - atStart) / seriesCount,
			steadyMicros: (atEnd - afterFirst) / (seriesCount * (rounds.length - 1)),
			rssMegabytes: rssMegabytes(running.pid),
		};
	} catch (error) {
		throw new Error(`${contender.name}: ${running.output()}`, { cause: error });
	} finally {
		agent.destroy();
		await running.stop();
		folder.remove();
	}
}

function contenders(): Contender[] {
	const ours = async (folder: string) => {
		const running = startProcess(process.execPath, [
			...COLLECTOR_NODE_FLAGS,
			fileURLToPath(new URL('./ingest-server.ts', import.meta.url)),
			folder,
		]);
		const port = await waitFor('the server', () => /listening (\d+)/.exec(running.output())?.[1]);
		return { running, url: `http://127.0.0.1:${port}/api/v1/write` };
	};
	const list: Contender[] = [
		{ name: 'fournines', version: `Node ${process.version}`, contentType: V1_TYPE, payload: 'v1', start: ours },
		{ name: 'fournines, remote write 2', version: `Node ${process.version}`, contentType: V2_TYPE, payload: 'v2', start: ours },
	];
	const prometheus = findCommand('prometheus');
	if (prometheus !== null) {
		list.push({
			name: 'prometheus',
			version: /version (\S+)/.exec(runCommand(prometheus, ['--version']))?.[1] ?? '',
			contentType: V1_TYPE,
			payload: 'v1',
			start: async (folder) => {
				const port = await freePort();
				writeFileSync(join(folder, 'prometheus.yml'), 'global: {}\n');
				const running = startProcess(prometheus, [
					`--config.file=${join(folder, 'prometheus.yml')}`,
					`--storage.tsdb.path=${join(folder, 'data')}`,
					`--web.listen-address=127.0.0.1:${port}`,
					'--web.enable-remote-write-receiver',
				]);
				await waitFor('prometheus', () => running.output().includes('Server is ready'));
				return { running, url: `http://127.0.0.1:${port}/api/v1/write` };
			},
		});
	}
	const victoria = findCommand('victoria-metrics');
	if (victoria !== null) {
		list.push({
			name: 'victoria-metrics',
			version: packageVersion('victoria-metrics'),
			contentType: V1_TYPE,
			payload: 'v1',
			start: async (folder) => {
				const port = await freePort();
				const running = startProcess(victoria, [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${join(folder, 'data')}`]);
				await waitFor('victoria-metrics', async () => (await fetch(`http://127.0.0.1:${port}/health`)).ok);
				return { running, url: `http://127.0.0.1:${port}/api/v1/write` };
			},
		});
	}
	return list;
}

/** Debian's build does not know its own version; the package does. */
function packageVersion(name: string): string {
	const query = findCommand('dpkg-query');
	return query === null ? 'unknown' : (runCommand(query, ['--show', name]).split(/\s+/)[1] ?? 'unknown');
}

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

async function main(): Promise<void> {
	const [seriesCount = 100_000, rounds = 21, repeats = 3] = process.argv.slice(2).map(Number);
	const runs: Measured[] = [];
	const peers = contenders();
	for (let repeat = 0; repeat < repeats; repeat++) {
		const endMs = Date.now();
		const bodies = { v1: payloads('v1', seriesCount, rounds, endMs), v2: payloads('v2', seriesCount, rounds, endMs) };
		for (const contender of peers) {
			const measured = await measure(contender, bodies[contender.payload], seriesCount);
			runs.push(measured);
			process.stderr.write(`${JSON.stringify(measured)}\n`);
		}
	}
	const results = peers.map(({ name, version }) => {
		const own = runs.filter((run) => run.server === name);
		return {
			server: name,
			version,
			firstSightMicros: median(own.map((run) => run.firstSightMicros)),
			steadyMicros: median(own.map((run) => run.steadyMicros)),
			rssMegabytes: median(own.map((run) => run.rssMegabytes)),
		};
	});
	const folder = fileURLToPath(new URL('./results/', import.meta.url));
	mkdirSync(folder, { recursive: true });
	const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
	writeFileSync(
		join(folder, seriesCount === 100_000 ? 'ingest.json' : `ingest-${seriesCount}.json`),
		`${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, seriesCount, rounds, repeats, results, runs }, null, '\t')}\n`,
	);
	console.log('| server | version | first sight, µs/sample | steady, µs/sample | RSS, MB |\n|---|---|---|---|---|');
	for (const row of results) {
		console.log(
			`| ${row.server} | ${row.version} | ${row.firstSightMicros.toFixed(2)} | ${row.steadyMicros.toFixed(2)} | ${row.rssMegabytes.toFixed(0)} |`,
		);
	}
}

await main();
