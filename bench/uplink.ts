import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { uncompressSync } from 'snappy';
import { ExpositionPage } from '../agent/inputs/exposition-page.ts';
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from '../agent/node-flags.ts';
import { SeriesTracker } from '../agent/rounds/series-tracker.ts';
import { RecordEncoder } from '../agent/uplink/record-codec.ts';
import { Spool } from '../agent/uplink/spool.ts';
import { silentLogger } from '../core/log.ts';
import { decodeWriteV1 } from '../protocol/remote-write/decode-v1.ts';
import { decodeWriteV2 } from '../protocol/remote-write/decode-v2.ts';
import { WriteColumns } from '../protocol/remote-write/write-columns.ts';
import { buildAgent } from '../scripts/build-agent.ts';
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
 * What it costs to bring scraped samples to a collector: bytes on the wire and CPU per sample, while the receiver is there, and through an
 * outage in which everything goes to the disk and comes back. The agent's scrape input beside vmagent, both scraping the same node_exporter
 * at the same pace. The spool alone: ours writes and reads ready records of the same page and nothing else; of vmagent, which has its queue on the
 * disk in an outage only, what the outage costs more. Usage: `node bench/uplink.ts [ROUNDS] [SECONDS]`, by default 60 rounds of 1 s in each phase.
 */

interface Receiver {
	readonly url: string;
	bytes: number;
	samples: number;
	requests: number;
	/** Away: refuses connections. */
	open(): Promise<void>;
	close(): Promise<void>;
}

interface Row {
	readonly process: string;
	readonly version: string;
	readonly wireBytesPerSample: number;
	readonly steadyCpuUsPerSample: number;
	readonly outageCpuUsPerSample: number;
	readonly spoolCpuUsPerSample: number;
	readonly samples: number;
}

async function startReceiver(): Promise<Receiver> {
	const port = await freePort();
	let server: Server | null = null;
	const columns = new WriteColumns();
	const receiver: Receiver = {
		url: `http://127.0.0.1:${port}/api/v1/write`,
		bytes: 0,
		samples: 0,
		requests: 0,
		open: () =>
			new Promise((resolve) => {
				server = createServer((request, response) => {
					const chunks: Buffer[] = [];
					request.on('data', (chunk: Buffer) => chunks.push(chunk));
					request.on('end', () => {
						const body = Buffer.concat(chunks);
						receiver.bytes += body.length;
						receiver.requests++;
						const two = request.headers['content-type']?.includes('write.v2') === true;
						columns.reset();
						if (two) decodeWriteV2(uncompressSync(body) as Buffer, columns);
						else decodeWriteV1(uncompressSync(body) as Buffer, columns);
						receiver.samples += columns.sampleCount;
						response.writeHead(204, { 'x-prometheus-remote-write-samples-written': String(columns.sampleCount) }).end();
					});
				});
				server.listen(port, '127.0.0.1', () => resolve());
			}),
		close: () =>
			new Promise((resolve) => {
				server?.close(() => resolve());
				server?.closeAllConnections();
			}),
	};
	return receiver;
}

/** Time on a CPU of all threads, in microseconds, from the scheduler's nanoseconds. */
function cpuUs(pid: number): number {
	let total = 0;
	for (const task of readdirSync(`/proc/${pid}/task`)) {
		total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1000;
	}
	return total;
}

async function measure(what: {
	readonly name: string;
	readonly version: string;
	readonly pid: number;
	readonly receiver: Receiver;
	readonly roundsMs: number;
}): Promise<Row> {
	const { receiver, pid, roundsMs } = what;
	await receiver.open();
	await waitFor(`samples of ${what.name}`, () => receiver.samples > 0, { timeoutMs: 60_000 });
	// Connections, caches and compiled code settle.
	await pause(Math.min(15_000, roundsMs / 2));
	const start = { bytes: receiver.bytes, samples: receiver.samples, cpu: cpuUs(pid) };
	await pause(roundsMs);
	const steady = { bytes: receiver.bytes - start.bytes, samples: receiver.samples - start.samples, cpu: cpuUs(pid) - start.cpu };
	await receiver.close();
	const before = { samples: receiver.samples, cpu: cpuUs(pid) };
	await pause(roundsMs);
	await receiver.open();
	// Drained when as much has come as was measured meanwhile, by the rate of the steady phase.
	const rate = steady.samples / roundsMs;
	const began = performance.now();
	await waitFor(
		`the backlog of ${what.name}`,
		() => receiver.samples - before.samples >= rate * (roundsMs + performance.now() - began) * 0.97,
		{ timeoutMs: 300_000 },
	);
	const outage = { samples: receiver.samples - before.samples, cpu: cpuUs(pid) - before.cpu };
	await receiver.close();
	return {
		process: what.name,
		version: what.version,
		wireBytesPerSample: round(steady.bytes / steady.samples),
		steadyCpuUsPerSample: round(steady.cpu / steady.samples),
		outageCpuUsPerSample: round(outage.cpu / outage.samples),
		spoolCpuUsPerSample: round(outage.cpu / outage.samples - steady.cpu / steady.samples),
		samples: steady.samples + outage.samples,
	};
}

/** Rounds before the spool is measured: an agent runs for months, so its code is compiled, and the request was taken apart. */
const SPOOL_WARM_UP = 300;

/** CPU per sample of writing, reading back and acknowledging the record of a page, round by round, with values that change. */
async function measureSpool(page: Buffer, folder: string, run: { readonly rounds: number; readonly seconds: number }): Promise<number> {
	const spool = new Spool({ folder, maxBytes: 64 * 1024 * 1024, maxAgeMs: 86_400_000, log: silentLogger, onDrop: () => {} });
	const encoder = new RecordEncoder();
	const tracker = new SeriesTracker({ job: 'node', instance: 'bench', host: 'bench' });
	const { families } = new ExpositionPage().read(page, { format: 'text', maxSamples: 100_000 });
	let samples = 0;
	let cpu = 0;
	for (let i = -SPOOL_WARM_UP; i < run.rounds; i++) {
		const series = tracker.update(
			families.map((family) => ({
				...family,
				measurements: family.measurements.map((one) => ({ ...one, value: one.value + ((i + SPOOL_WARM_UP) % 7) })),
			})),
			Date.now(),
		);
		if (i >= 0) await pause(run.seconds * 1000);
		const record = encoder.encode(series, Date.now());
		const before = process.cpuUsage();
		spool.appendEncoded(record, Date.now());
		const batch = spool.read({ samples: 10_000, alone: 200 }, Date.now());
		if (batch === null) throw new Error('what was written cannot be read');
		spool.acknowledge(batch);
		const used = process.cpuUsage(before);
		if (i < 0) continue;
		cpu += used.user + used.system;
		samples += batch.samples;
	}
	spool.close();
	return round(cpu / samples);
}

async function main(): Promise<void> {
	const rounds = Number(process.argv[2] ?? 60);
	const seconds = Number(process.argv[3] ?? 1);
	const exporter = findCommand('prometheus-node-exporter');
	const vmagent = findCommand('vmagent');
	if (exporter === null || vmagent === null) throw new Error('install prometheus-node-exporter and victoria-metrics to have peers');
	const folder = temporaryFolder('bench-uplink');
	const children: RunningProcess[] = [];
	const rows: Row[] = [];
	try {
		const target = `127.0.0.1:${await freePort()}`;
		children.push(startProcess(exporter, [`--web.listen-address=${target}`]));
		await waitFor('node_exporter', async () => (await fetch(`http://${target}/metrics`)).ok);
		const bundle = await buildAgent({ outFile: join(folder.path, 'agent.cjs') });

		const ours = await startReceiver();
		const config = join(folder.path, 'agent.yml');
		const inputs = `inputs: { host: { enabled: false }, scrape: [{ url: "http://${target}/metrics", job: node, timeout: 900ms }] }`;
		const destination = `remote_write: [{ name: bench, url: "${ours.url}" }]`;
		writeFileSync(config, `listen: ""\ninterval: ${seconds}s\nhost: { name: bench }\n${destination}\n${inputs}\n`);
		const agent = startProcess(process.execPath, [...AGENT_NODE_FLAGS, bundle, '--config', config, '--data', join(folder.path, 'agent')], {
			env: AGENT_ENVIRONMENT,
		});
		children.push(agent);

		const theirs = await startReceiver();
		const scrape = join(folder.path, 'scrape.yml');
		const job = `{job_name: node, scrape_interval: ${seconds}s, scrape_timeout: 900ms, static_configs: [{targets: ['${target}']}]}`;
		writeFileSync(scrape, `scrape_configs: [${job}]\n`);
		const peer = startProcess(vmagent, [
			`-promscrape.config=${scrape}`,
			`-remoteWrite.url=${theirs.url}`,
			`-remoteWrite.tmpDataPath=${join(folder.path, 'vmagent')}`,
			`-httpListenAddr=127.0.0.1:${await freePort()}`,
		]);
		children.push(peer);
		const version = /v([0-9.]+)/.exec(await runCommand(vmagent, ['-version']))?.[1] ?? '';
		const roundsMs = rounds * seconds * 1000;
		const page = Buffer.from(await (await fetch(`http://${target}/metrics`)).arrayBuffer());
		const own = await measureSpool(page, join(folder.path, 'spool'), { rounds: 60, seconds: seconds / 4 });
		const measured = (
			await Promise.all([
				measure({ name: 'fournines-agent', version: `Node ${process.version}`, pid: agent.pid, receiver: ours, roundsMs }),
				measure({ name: 'vmagent', version, pid: peer.pid, receiver: theirs, roundsMs }),
			])
		).map((row, i) => (i === 0 ? { ...row, spoolCpuUsPerSample: own } : row));
		rows.push(...measured);
	} finally {
		for (const child of children) await child.stop();
		folder.remove();
	}
	report(rows, { rounds, seconds });
}

function round(value: number): number {
	return Math.round(value * 100) / 100;
}

function report(rows: readonly Row[], run: { readonly rounds: number; readonly seconds: number }): void {
	const folder = join(import.meta.dirname, 'results');
	mkdirSync(folder, { recursive: true });
	const machine = {
		cpu: cpus()[0]?.model ?? '',
		cores: cpus().length,
		node: process.version,
		platform: `${process.platform} ${process.arch}`,
	};
	writeFileSync(join(folder, 'uplink.json'), `${JSON.stringify({ benchmark: 'uplink', machine, run, rows }, null, '\t')}\n`);
	process.stdout.write(
		'| process | version | bytes on the wire/sample | µs CPU/sample, steady | µs CPU/sample, through an outage | µs CPU/sample, spool write and read |\n|---|---|---|---|---|---|\n',
	);
	for (const row of rows) {
		process.stdout.write(
			`| ${row.process} | ${row.version} | ${row.wireBytesPerSample} | ${row.steadyCpuUsPerSample} | ${row.outageCpuUsPerSample} | ${row.spoolCpuUsPerSample} |\n`,
		);
	}
}

await main();
