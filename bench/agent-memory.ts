import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from '../agent/node-flags.ts';
import { buildAgent } from '../scripts/build-agent.ts';
import { findCommand, freePort, type RunningProcess, startProcess, temporaryFolder, waitFor } from '../tests/harness/process.ts';

/**
 * The bundled agent with its host input, pushing through its spool to a receiver, beside Debian's node_exporter, scraped
 * at the same pace in the same run. Usage: `node bench/agent-memory.ts [ROUNDS] [SECONDS]`, by default 40 rounds of 1 s.
 * The pace only shortens the run: figures are per round, and memory does not depend on it.
 */

interface Row {
	readonly process: string;
	/** V8 flags; where there are some, the agent's environment is set as well. */
	readonly flags: string;
	readonly anonymousMiB: number;
	readonly pssMiB: number;
	readonly residentMiB: number;
	readonly cpuMsPerRound: number;
	readonly series: number;
}

interface Candidate {
	readonly process: string;
	readonly flags: readonly string[];
	readonly child: RunningProcess;
	/** Page with its series; for node_exporter reading it is the round. */
	readonly url: string;
}

const WARM_UP_ROUNDS = 15;
const root = dirname(dirname(fileURLToPath(import.meta.url)));

async function main(): Promise<void> {
	const rounds = Number(process.argv[2] ?? 40);
	const seconds = Number(process.argv[3] ?? 1);
	const exporter = findCommand('prometheus-node-exporter');
	if (exporter === null) throw new Error('prometheus-node-exporter is not installed; install it to have a peer to compare with');
	const folder = temporaryFolder('bench-agent');
	const candidates: Candidate[] = [];
	const received = { requests: 0, bytes: 0 };
	const receiver = createServer((request, response) => {
		request.on('data', (chunk: Buffer) => {
			received.bytes += chunk.length;
		});
		request.on('end', () => {
			received.requests++;
			response.writeHead(204, { 'x-prometheus-remote-write-samples-written': '1' }).end();
		});
	});
	const receiverPort = await freePort();
	await new Promise<void>((resolve) => receiver.listen(receiverPort, '127.0.0.1', resolve));
	try {
		const bundle = await buildAgent({ outFile: join(folder.path, 'agent.cjs') });
		const variants = [
			{ flags: AGENT_NODE_FLAGS, env: AGENT_ENVIRONMENT },
			{ flags: [], env: {} },
		];
		for (const [i, { flags, env }] of variants.entries()) {
			const port = await freePort();
			const config = join(folder.path, `${i}.yml`);
			writeFileSync(config, `listen: 127.0.0.1:${port}\ninterval: ${seconds}s\ncollector: { url: "http://127.0.0.1:${receiverPort}" }\n`);
			const child = startProcess(process.execPath, [...flags, bundle, '--config', config, '--data', join(folder.path, String(i))], { env });
			candidates.push({ process: 'fournines-agent', flags, child, url: `http://127.0.0.1:${port}/metrics` });
		}
		const port = await freePort();
		const peer: Candidate = {
			process: 'node_exporter',
			flags: [],
			child: startProcess(exporter, [`--web.listen-address=127.0.0.1:${port}`]),
			url: `http://127.0.0.1:${port}/metrics`,
		};
		candidates.push(peer);
		for (const candidate of candidates) await waitFor(candidate.url, async () => (await fetch(candidate.url)).ok);
		await scrape(peer, WARM_UP_ROUNDS, seconds);
		const before = candidates.map(({ child }) => cpuMs(child.pid));
		await scrape(peer, rounds, seconds);
		const after = candidates.map(({ child }) => cpuMs(child.pid));
		const rows: Row[] = [];
		for (const [i, candidate] of candidates.entries()) {
			const memory = memoryOf(candidate.child.pid);
			rows.push({
				process: candidate.process,
				flags: candidate.flags.join(' '),
				...memory,
				cpuMsPerRound: round(((after[i] ?? 0) - (before[i] ?? 0)) / rounds),
				series: (await (await fetch(candidate.url)).text()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length,
			});
		}
		report(rows, { rounds, seconds });
	} finally {
		for (const { child } of candidates) await child.stop();
		receiver.closeAllConnections();
		receiver.close();
		folder.remove();
	}
}

async function scrape(peer: Candidate, rounds: number, seconds: number): Promise<void> {
	for (let i = 0; i < rounds; i++) {
		await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
		await (await fetch(peer.url)).arrayBuffer();
	}
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

function report(rows: readonly Row[], run: { readonly rounds: number; readonly seconds: number }): void {
	const file = join(root, 'bench', 'results', 'agent-memory.json');
	mkdirSync(dirname(file), { recursive: true });
	const machine = {
		cpu: cpus()[0]?.model ?? '',
		cores: cpus().length,
		node: process.version,
		platform: `${process.platform} ${process.arch}`,
	};
	writeFileSync(file, `${JSON.stringify({ benchmark: 'agent-memory', machine, run, rows }, null, '\t')}\n`);
	const lines = rows.map(
		(row) =>
			`| ${row.process}${row.flags === '' ? '' : ` \`${row.flags}\``} | ${row.anonymousMiB} | ${row.pssMiB} | ${row.residentMiB} | ${row.cpuMsPerRound} | ${row.series} |`,
	);
	process.stdout.write(
		`| process | anonymous MiB | PSS MiB | resident MiB | CPU ms per round | series |\n|---|---|---|---|---|---|\n${lines.join('\n')}\n`,
	);
}

await main();
