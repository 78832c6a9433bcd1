import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compressSync } from 'snappy';
import { encodeRemoteWriteV1 } from '../protocol/remote-write/encode-v1.ts';
import { temporaryFolder } from '../tests/harness/process.ts';
import { median, type Peer, type PeerOptions, startFournines, startPrometheusPeer } from './peers.ts';
import { hostSeries, sampleValue } from './query-data.ts';

/**
 * From the start of a server that was killed with a day of samples to its first answer, beside Prometheus with the same samples. Both get them by
 * remote write within a minute or so, a minute more to bring into blocks what a day would have, and are killed (SIGKILL).
 * Usage: node bench/store-restart.ts [hosts, of some sixty series] [steps of 15 s] [restarts]
 */
const STEP_MS = 15_000;
const STEPS_PER_REQUEST = 20;
const SETTLE_MS = 60_000;

interface Contender {
	readonly name: string;
	readonly start: (options: PeerOptions) => Promise<Peer | null>;
}

const CONTENDERS: readonly Contender[] = [
	{ name: 'fournines', start: startFournines },
	{ name: 'prometheus', start: startPrometheusPeer },
];

async function load(peer: Peer, hosts: number, steps: number, endMs: number): Promise<number> {
	let samples = 0;
	for (let from = 0; from < steps; from += STEPS_PER_REQUEST) {
		const count = Math.min(STEPS_PER_REQUEST, steps - from);
		for (let first = 0; first < hosts; first += 10) {
			const series = Array.from({ length: Math.min(10, hosts - first) }, (_, i) => hostSeries(first + i)).flat();
			const body = encodeRemoteWriteV1(
				series.map(({ labels, shape }, index) => ({
					labels,
					samples: Array.from({ length: count }, (_, i) => ({
						timestampMs: endMs - (steps - from - i) * STEP_MS,
						value: sampleValue(shape, index, from + i),
					})),
				})),
			);
			samples += series.length * count;
			await peer.write(compressSync(Buffer.from(body)));
		}
	}
	return samples;
}

async function kill(pid: number): Promise<void> {
	process.kill(pid, 'SIGKILL');
	for (;;) {
		try {
			process.kill(pid, 0);
		} catch {
			return;
		}
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}

interface Measured {
	readonly server: string;
	readonly version: string;
	readonly samples: number;
	/** Seconds from the start of the process to the answer. */
	readonly seconds: readonly number[];
	readonly medianSeconds: number;
	/** What the answer said: all series must be there. */
	readonly series: number;
}

async function measure(
	contender: Contender,
	folder: string,
	settings: { hosts: number; steps: number; restarts: number },
): Promise<Measured | null> {
	const endMs = Math.floor(Date.now() / STEP_MS) * STEP_MS;
	let peer = await contender.start({ folder });
	if (peer === null) return null;
	const { name, version } = peer;
	const samples = await load(peer, settings.hosts, settings.steps, endMs);
	await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
	const question = `/api/v1/query?query=${encodeURIComponent('count({instance=~"app-.+"})')}&time=${(endMs - STEP_MS) / 1000}`;
	const seconds: number[] = [];
	let series = 0;
	for (let i = 0; i < settings.restarts; i++) {
		await kill(peer.pid);
		const started = performance.now();
		peer = await contender.start({ folder });
		if (peer === null) throw new Error(`${name} did not start again`);
		const answer = JSON.parse((await peer.get(question)).toString('utf8')) as { data: { result: { value: [number, string] }[] } };
		seconds.push((performance.now() - started) / 1000);
		series = Number(answer.data.result[0]?.value[1] ?? 0);
	}
	await peer.stop();
	return { server: name, version, samples, seconds, medianSeconds: median(seconds), series };
}

async function main(): Promise<void> {
	const [hosts = 100, steps = 5760, restarts = 3] = process.argv.slice(2).map(Number);
	const folder = temporaryFolder('bench-restart');
	try {
		const results: Measured[] = [];
		for (const contender of CONTENDERS) {
			const own = join(folder.path, contender.name);
			mkdirSync(own);
			const measured = await measure(contender, own, { hosts, steps, restarts });
			if (measured !== null) results.push(measured);
		}
		const out = fileURLToPath(new URL('./results/', import.meta.url));
		mkdirSync(out, { recursive: true });
		const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
		writeFileSync(
			join(out, 'store-restart.json'),
			`${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, hosts, steps, restarts, results }, null, '\t')}\n`,
		);
		console.log('| server | version | series | samples | first answer after SIGKILL, s |\n|---|---|---|---|---|');
		for (const row of results)
			console.log(`| ${row.server} | ${row.version} | ${row.series} | ${row.samples} | ${row.medianSeconds.toFixed(2)} |`);
	} finally {
		folder.remove();
	}
}

await main();
