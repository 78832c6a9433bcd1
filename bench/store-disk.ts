import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Registry } from 'prom-client';
import { compressSync } from 'snappy';
import { openStore } from '../collector/tsdb/store.ts';
import { systemClock } from '../core/clock.ts';
import { silentLogger } from '../core/log.ts';
import { type Labels, METRIC_NAME } from '../protocol/labels.ts';
import { encodeRemoteWriteV1 } from '../protocol/remote-write/encode-v1.ts';
import { findCommand, freePort, runCommand, startProcess, temporaryFolder, waitFor } from '../tests/harness/process.ts';

/**
 * Bytes per sample on disk after compaction, beside VictoriaMetrics after a forced merge: real scrapes of node_exporter, recorded every
 * half second under changing load and re-stamped to 15 s, so that 5,760 of them are a day.
 * Usage: node bench/store-disk.ts [scrapes] [recording.jsonl]; a recording that exists is used, one that does not is made.
 */
const STEP_MS = 15_000;
const RECORD_MS = 500;
const DAY_MS = 86_400_000;
/** The start of a whole UTC day that is over. */
const startMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - 2 * DAY_MS;

interface Parsed {
	readonly labels: Labels;
	readonly value: number;
}

async function record(file: string, scrapes: number): Promise<void> {
	const command = findCommand('prometheus-node-exporter');
	if (command === null) throw new Error('prometheus-node-exporter is not installed');
	const port = await freePort();
	const exporter = startProcess(command, [`--web.listen-address=127.0.0.1:${port}`]);
	const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(5000) })).text();
	await waitFor('node_exporter', async () => (await scrape()).length > 0);
	const junk = temporaryFolder('bench-load');
	try {
		const started = performance.now();
		let kept = Buffer.alloc(0);
		for (let i = 0; i < scrapes; i++) {
			await pause(Math.max(0, started + i * RECORD_MS - performance.now()));
			appendFileSync(file, `${JSON.stringify({ s: await scrape() })}\n`);
			// Load that changes kind every ten seconds, so that no gauge stands still for the whole day.
			const phase = Math.floor(i / 20) % 5;
			const until = performance.now() + 80;
			if (phase === 1) while (performance.now() < until);
			if (phase === 2) writeFileSync(join(junk.path, 'junk'), Buffer.alloc(1 << 20, i & 255));
			if (phase === 3) kept = Buffer.alloc((i % 20) << 20, 1);
		}
		process.stderr.write(`recorded ${scrapes} scrapes, ${kept.length} bytes held at the end\n`);
	} finally {
		await exporter.stop();
		junk.remove();
	}
}

function parse(text: string): Parsed[] {
	const parsed: Parsed[] = [];
	for (const line of text.split('\n')) {
		const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
		if (match === null) continue;
		const pairs: [string, string][] = [[METRIC_NAME, match[1] as string]];
		for (const [, name, value] of (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) pairs.push([name as string, value as string]);
		pairs.push(['instance', 'app-server-0001:9100'], ['job', 'node']);
		pairs.sort((a, b) => (a[0] < b[0] ? -1 : 1));
		const value = match[3] === '+Inf' ? Number.POSITIVE_INFINITY : Number(match[3]);
		parsed.push({ labels: pairs.flat(), value });
	}
	return parsed;
}

function sizeOf(path: string): number {
	const stat = statSync(path);
	return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stat.size;
}

interface Measured {
	readonly server: string;
	readonly version: string;
	readonly samples: number;
	readonly dataBytes: number;
	readonly indexBytes: number;
	readonly beforeCompactionBytes: number | null;
}

async function measureFournines(folder: string, scrapes: readonly Parsed[][]): Promise<Measured> {
	let nowMs = startMs;
	const store = await openStore({
		dataDir: folder,
		retentionMs: 30 * DAY_MS,
		checkRetentionMs: 30 * DAY_MS,
		fsync: 'interval',
		log: silentLogger,
		// The samples come at their own time: series that speak once a day would have many lives.
		clock: { ...systemClock, now: () => nowMs },
		metrics: new Registry(),
	});
	let samples = 0;
	for (const [i, scrape] of scrapes.entries()) {
		const timeMs = startMs + i * STEP_MS;
		nowMs = timeMs;
		const appender = store.appender();
		for (const { labels, value } of scrape) appender.append(labels, timeMs, value);
		await appender.commit();
		samples += scrape.length;
		// As in production: hour by hour.
		if (i % 240 === 239) await store.cutBlocks(timeMs + STEP_MS);
	}
	await store.cutBlocks();
	const blocks = join(folder, 'store/blocks');
	const beforeCompactionBytes = sizeOf(blocks);
	await store.compactBlocks();
	await store.stop();
	const indexBytes = sizeOf(join(folder, 'store/index.db'));
	return { server: 'fournines', version: `Node ${process.version}`, samples, dataBytes: sizeOf(blocks), indexBytes, beforeCompactionBytes };
}

async function measureVictoria(folder: string, scrapes: readonly Parsed[][]): Promise<Measured | null> {
	const command = findCommand('victoria-metrics');
	if (command === null) return null;
	const port = await freePort();
	const data = join(folder, 'victoria');
	const running = startProcess(command, [`-httpListenAddr=127.0.0.1:${port}`, `-storageDataPath=${data}`]);
	const url = `http://127.0.0.1:${port}`;
	let samples = 0;
	try {
		await waitFor('victoria-metrics', async () => (await fetch(`${url}/health`)).ok);
		for (const [i, scrape] of scrapes.entries()) {
			const timestampMs = startMs + i * STEP_MS;
			const body = encodeRemoteWriteV1(scrape.map(({ labels, value }) => ({ labels, samples: [{ timestampMs, value }] })));
			const answer = await fetch(`${url}/api/v1/write`, {
				method: 'POST',
				body: compressSync(Buffer.from(body)),
				signal: AbortSignal.timeout(30_000),
			});
			if (!answer.ok) throw new Error(`victoria-metrics answered ${answer.status}`);
			samples += scrape.length;
		}
		// What is still in memory is written first; then everything becomes one part.
		await fetch(`${url}/internal/force_flush`, { signal: AbortSignal.timeout(60_000) });
		await pause(3000);
		await fetch(`${url}/internal/force_merge`, { signal: AbortSignal.timeout(60_000) });
		await waitFor('the merge', async () => /vm_active_force_merges 0/.test(await (await fetch(`${url}/metrics`)).text()), {
			timeoutMs: 60_000,
		});
		await pause(3000);
	} finally {
		await running.stop();
	}
	const query = findCommand('dpkg-query');
	const version = query === null ? 'unknown' : (runCommand(query, ['--show', 'victoria-metrics']).split(/\s+/)[1] ?? 'unknown');
	return {
		server: 'victoria-metrics',
		version,
		samples,
		dataBytes: sizeOf(join(data, 'data')),
		indexBytes: sizeOf(join(data, 'indexdb')),
		beforeCompactionBytes: null,
	};
}

async function main(): Promise<void> {
	const scrapeCount = Number(process.argv[2] ?? 5760);
	const folder = temporaryFolder('bench-disk');
	try {
		const recording = process.argv[3] ?? join(folder.path, 'recording.jsonl');
		if (!existsSync(recording)) await record(recording, scrapeCount);
		const lines = readFileSync(recording, 'utf8').trim().split('\n').slice(0, scrapeCount);
		const scrapes = lines.map((line) => parse((JSON.parse(line) as { s: string }).s));
		const measured = [await measureFournines(join(folder.path, 'fournines'), scrapes), await measureVictoria(folder.path, scrapes)];
		const results = measured
			.filter((row) => row !== null)
			.map((row) => ({
				...row,
				dataBytesPerSample: row.dataBytes / row.samples,
				allBytesPerSample: (row.dataBytes + row.indexBytes) / row.samples,
			}));
		const out = fileURLToPath(new URL('./results/', import.meta.url));
		mkdirSync(out, { recursive: true });
		const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
		writeFileSync(
			join(out, 'store-disk.json'),
			`${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, scrapes: scrapes.length, seriesPerScrape: scrapes[0]?.length, results }, null, '\t')}\n`,
		);
		console.log('| server | version | samples | bytes per sample, data | with index |\n|---|---|---|---|---|');
		for (const row of results) {
			console.log(
				`| ${row.server} | ${row.version} | ${row.samples} | ${row.dataBytesPerSample.toFixed(3)} | ${row.allBytesPerSample.toFixed(3)} |`,
			);
		}
	} finally {
		folder.remove();
	}
}

await main();
