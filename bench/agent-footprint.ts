import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from '../agent/node-flags.ts';
import { buildAgent } from '../scripts/build-agent.ts';
import { type Exporter, type ExporterKind, exporterCommand, startExporter } from '../tests/harness/exporters.ts';
import { startMariaDb } from '../tests/harness/mariadb.ts';
import { startNginx } from '../tests/harness/nginx.ts';
import { freePort, startProcess, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import { startRedis } from '../tests/harness/redis.ts';

/**
 * The bundled agent with all its sources on (host, MariaDB, Redis, Nginx, an HTTP and a TCP probe), pushing through its
 * spool to a receiver, beside node_exporter, mysqld_exporter, redis_exporter, the Nginx exporter and blackbox_exporter on
 * the same targets in the same run. Usage: `node bench/agent-footprint.ts [ROUNDS] [SECONDS]`, by default 40 rounds of
 * 1.5 s; the pace only shortens the run, figures are per round. All run from copies of
 * their binaries, so that no other process shares their pages and PSS is what each costs alone.
 */

interface Row {
	readonly process: string;
	readonly anonymousMiB: number;
	readonly pssMiB: number;
	readonly residentMiB: number;
	readonly cpuMsPerRound: number;
	readonly series: number;
}

interface Measured {
	readonly name: string;
	readonly pid: number;
	readonly series: () => Promise<number>;
}

const WARM_UP_ROUNDS = 15;
const PROBES = ['http_2xx', 'tcp_connect'] as const;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

async function main(): Promise<void> {
	const rounds = Number(process.argv[2] ?? 40);
	const seconds = Number(process.argv[3] ?? 1.5);
	const kinds: readonly ExporterKind[] = ['node', 'mysqld', 'redis', 'nginx', 'blackbox'];
	const missing = kinds.filter((kind) => exporterCommand(kind) === null);
	if (missing.length > 0)
		throw new Error(`not installed: ${missing.map((kind) => `prometheus-${kind}-exporter`).join(', ')}; without all peers there is no sum`);
	const cleanups: (() => Promise<void> | void)[] = [];
	try {
		const folder = temporaryFolder('bench-footprint');
		cleanups.push(() => folder.remove());
		const mariadb = await startMariaDb();
		cleanups.push(() => mariadb.remove());
		const redis = await startRedis();
		cleanups.push(() => redis.remove());
		const nginx = await startNginx();
		cleanups.push(() => nginx.remove());
		const receiver = await startReceiver();
		cleanups.push(() => receiver.close());

		/** A copy of a program, whose pages nobody else shares. */
		const copyOf = (program: string, name: string) => {
			const copy = join(folder.path, name);
			copyFileSync(program, copy);
			chmodSync(copy, 0o755);
			return copy;
		};
		const binaryOf = (kind: ExporterKind) => copyOf(exporterCommand(kind) ?? kind, `${kind}-exporter`);
		const started: Exporter[] = [];
		cleanups.push(async () => {
			for (const exporter of started) await exporter.stop();
		});
		started.push(await startExporter('node', [], {}, binaryOf('node')));
		started.push(
			await startExporter(
				'mysqld',
				['--collect.slave_status', '--collect.info_schema.processlist'],
				{
					DATA_SOURCE_NAME: `${mariadb.username}:${mariadb.password}@(${mariadb.address})/`,
				},
				binaryOf('mysqld'),
			),
		);
		started.push(
			await startExporter('redis', [`-redis.addr=redis://${redis.address}`], { REDIS_PASSWORD: redis.password }, binaryOf('redis')),
		);
		started.push(await startExporter('nginx', [`-nginx.scrape-uri=${nginx.statusUrl}`], {}, binaryOf('nginx')));
		started.push(await startExporter('blackbox', ['--config.file=/etc/prometheus/blackbox.yml'], {}, binaryOf('blackbox')));
		const pages = started.flatMap((exporter) =>
			exporter.kind === 'blackbox'
				? PROBES.map(
						(module) => `http://${exporter.address}/probe?module=${module}&target=${module === 'http_2xx' ? nginx.url : mariadb.address}`,
					)
				: [exporter.url],
		);

		const secret = (name: string, text: string) => {
			const file = join(folder.path, name);
			writeFileSync(file, text, { mode: 0o600 });
			return file;
		};
		const node = copyOf(process.execPath, 'node');
		const bundle = await buildAgent({ outFile: join(folder.path, 'agent.cjs') });
		const port = await freePort();
		const config = join(folder.path, 'agent.yml');
		const every = `interval: ${seconds * 1000}ms`;
		writeFileSync(
			config,
			[
				`listen: 127.0.0.1:${port}`,
				every,
				`collector: { url: "http://127.0.0.1:${receiver.port}" }`,
				'inputs:',
				`  mysql: [{ address: "${mariadb.address}", username: ${mariadb.username}, password: { file: "${secret('m', mariadb.password)}" } }]`,
				`  redis: [{ address: "${redis.address}", password: { file: "${secret('r', redis.password)}" } }]`,
				`  nginx: [{ url: "${nginx.statusUrl}" }]`,
				'  probes:',
				`    - { id: portal, kind: http, target: "${nginx.url}", timeout: 1s }`,
				`    - { id: database, kind: tcp, target: "${mariadb.address}", timeout: 1s }`,
				'',
			].join('\n'),
		);
		const flags = process.env['FOURNINES_BENCH_FLAGS']?.split(' ') ?? AGENT_NODE_FLAGS;
		const agent = startProcess(node, [...flags, bundle, '--config', config, '--data', join(folder.path, 'data')], {
			env: { ...AGENT_ENVIRONMENT },
		});
		cleanups.push(async () => {
			await agent.stop();
		});
		const agentPage = `http://127.0.0.1:${port}/metrics`;
		await waitFor('the agent', async () => (await fetch(agentPage)).ok, { timeoutMs: 10_000 }).catch((error: unknown) => {
			throw new Error(`${String(error)}\n${agent.output()}`);
		});

		const measured: Measured[] = [
			{ name: 'fournines-agent', pid: agent.pid, series: () => countSeries([agentPage]) },
			...started.map((exporter) => ({
				name: `${exporter.kind} exporter`,
				pid: exporter.pid,
				series: () => countSeries(pages.filter((page) => page.includes(exporter.address))),
			})),
		];
		await scrape(pages, WARM_UP_ROUNDS, seconds);
		const before = measured.map(({ pid }) => cpuMs(pid));
		const sentBefore = receiver.bytes();
		await scrape(pages, rounds, seconds);
		const after = measured.map(({ pid }) => cpuMs(pid));
		const wireBytes = receiver.bytes() - sentBefore;
		// Before the pages are read for counting: rendering a page is not part of the agent's round.
		const memories = measured.map(({ pid }) => memoryOf(pid));
		const rows: Row[] = [];
		for (const [i, one] of measured.entries()) {
			rows.push({
				process: one.name,
				...(memories[i] as ReturnType<typeof memoryOf>),
				cpuMsPerRound: round(((after[i] ?? 0) - (before[i] ?? 0)) / rounds),
				series: await one.series(),
			});
		}
		report(rows, { rounds, seconds, flags: flags.join(' '), wireBytesPerRound: Math.round(wireBytes / rounds) });
	} finally {
		for (const clean of cleanups.reverse()) await clean();
	}
}

async function startReceiver(): Promise<{ readonly port: number; readonly bytes: () => number; close(): void }> {
	let bytes = 0;
	const server = createServer((request, response) => {
		request.on('data', (chunk: Buffer) => {
			bytes += chunk.length;
		});
		request.on('end', () => response.writeHead(204, { 'x-prometheus-remote-write-samples-written': '1' }).end());
	});
	const port = await freePort();
	await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
	return {
		port,
		bytes: () => bytes,
		close: () => {
			server.closeAllConnections();
			server.close();
		},
	};
}

async function scrape(pages: readonly string[], rounds: number, seconds: number): Promise<void> {
	for (let i = 0; i < rounds; i++) {
		await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
		for (const page of pages) await (await fetch(page)).arrayBuffer();
	}
}

async function countSeries(pages: readonly string[]): Promise<number> {
	let count = 0;
	for (const page of pages)
		count += (await (await fetch(page)).text()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
	return count;
}

/** Time on a CPU of all threads, from the scheduler's nanoseconds: `/proc/<pid>/stat` only counts in hundredths of a second. */
function cpuMs(pid: number): number {
	let total = 0;
	for (const task of readdirSync(`/proc/${pid}/task`)) {
		total += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
	}
	return total;
}

function memoryOf(pid: number): Pick<Row, 'anonymousMiB' | 'pssMiB' | 'residentMiB'> {
	const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
	const field = (name: string) => round(Number(new RegExp(`^${name}:\\s+([0-9]+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024);
	return { anonymousMiB: field('Anonymous'), pssMiB: field('Pss'), residentMiB: field('Rss') };
}

function round(value: number): number {
	return Math.round(value * 100) / 100;
}

function report(rows: readonly Row[], run: Readonly<Record<string, string | number>>): void {
	const exporters = rows.slice(1);
	const total = (pick: (row: Row) => number) => round(exporters.reduce((sum, row) => sum + pick(row), 0));
	const sum: Row = {
		process: 'sum of the exporters',
		anonymousMiB: total((row) => row.anonymousMiB),
		pssMiB: total((row) => row.pssMiB),
		residentMiB: total((row) => row.residentMiB),
		cpuMsPerRound: total((row) => row.cpuMsPerRound),
		series: total((row) => row.series),
	};
	const all = [...rows, sum];
	const file = join(root, 'bench', 'results', 'agent-footprint.json');
	mkdirSync(dirname(file), { recursive: true });
	const machine = {
		cpu: cpus()[0]?.model ?? '',
		cores: cpus().length,
		node: process.version,
		platform: `${process.platform} ${process.arch}`,
	};
	writeFileSync(file, `${JSON.stringify({ benchmark: 'agent-footprint', machine, run, rows: all }, null, '\t')}\n`);
	const lines = all.map(
		(row) => `| ${row.process} | ${row.anonymousMiB} | ${row.pssMiB} | ${row.residentMiB} | ${row.cpuMsPerRound} | ${row.series} |`,
	);
	process.stdout.write(
		`| process | anonymous MiB | PSS MiB | resident MiB | CPU ms per round | series |\n|---|---|---|---|---|---|\n${lines.join('\n')}\n`,
	);
	process.stdout.write(`wire: ${run['wireBytesPerRound']} bytes per round\n`);
}

await main();
