import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { temporaryFolder } from '../tests/harness/process.ts';
import { cpuMicros, median, type Peer, rssMegabytes, startPeers } from './peers.ts';
import { loadOnce, settle } from './query-load.ts';
import { type DataSet, dataSets, type SetSizes, type Task } from './query-sets.ts';

/**
 * Time and CPU of range queries and look-ups over HTTP, beside the peers that are installed, on the same samples in the
 * same run. Usage: node bench/query.ts [--hosts 25] [--hours 168] [--fleet 1000] [--wide 10000] [--lookups 1000000] [--runs 5]
 * [--data DIR] [--load-only 1]. A size of 0 leaves a set out. With `--data` the servers' folders stay, and a second run only starts the servers.
 */
interface Settings extends SetSizes {
	readonly runs: number;
	readonly loadOnly: number;
}

const DEFAULTS: Settings = { hosts: 25, hours: 168, fleet: 1000, wide: 10_000, lookups: 1_000_000, runs: 5, loadOnly: 0 };

interface Row {
	readonly group: string;
	readonly name: string;
	readonly path: string;
	/** Milliseconds by server, median over the runs. */
	readonly ms: Record<string, number>;
	/** CPU milliseconds of the whole process per query by server; the kernel counts in hundredths of a second, so it is a mean over all runs. */
	readonly cpuMs: Record<string, number>;
}

function settings(args: readonly string[]): { readonly own: Settings; readonly data: string | null } {
	const own: Record<string, number> = { ...DEFAULTS };
	let data: string | null = null;
	for (let i = 0; i < args.length; i += 2) {
		const name = (args[i]?.replace(/^--/, '') ?? '').replace('load-only', 'loadOnly');
		if (name === 'data' && args[i + 1] !== undefined) {
			data = args[i + 1] ?? null;
			continue;
		}
		const value = Number(args[i + 1]);
		if (!(name in DEFAULTS) || !(value >= 0))
			throw new Error(`--${name} ${args[i + 1]}: known are ${[...Object.keys(DEFAULTS), 'data'].join(', ')}, with a number or a folder`);
		own[name] = value;
	}
	return { own: { ...DEFAULTS, ...own }, data };
}

/** Number of series, labels or values in an answer. */
function sizeOf(body: Buffer): number {
	const { data } = JSON.parse(body.toString('utf8')) as { data: readonly unknown[] | { readonly result: readonly unknown[] } };
	return 'result' in data ? data.result.length : data.length;
}

async function measure(peers: readonly Peer[], task: Task, runs: number): Promise<Row | null> {
	const ms: Record<string, number> = {};
	const cpuMs: Record<string, number> = {};
	const sizes = new Map<string, number>();
	const taken = new Map<string, number[]>(peers.map((peer) => [peer.name, []]));
	for (let run = 0; run < task.warmRuns + runs; run++) {
		for (const peer of peers) {
			const cpu = cpuMicros(peer.pid);
			const begun = performance.now();
			const body = await peer.get(task.path);
			const spent = performance.now() - begun;
			if (run === 0) sizes.set(peer.name, sizeOf(body));
			if (task.optional === true && sizes.get('fournines') === 0) return null;
			if (run < task.warmRuns) continue;
			taken.get(peer.name)?.push(spent);
			cpuMs[peer.name] = (cpuMs[peer.name] ?? 0) + (cpuMicros(peer.pid) - cpu) / 1000 / runs;
		}
	}
	if (new Set(sizes.values()).size !== 1)
		process.stderr.write(`the answers to ${task.group}, ${task.name} differ in length: ${JSON.stringify([...sizes])}\n`);
	for (const [name, values] of taken) {
		ms[name] = Number(median(values).toFixed(2));
		cpuMs[name] = Number((cpuMs[name] ?? 0).toFixed(1));
	}
	return { group: task.group, name: task.name, path: decodeURIComponent(task.path), ms, cpuMs };
}

/** Median over the queries of a group of the ratio to a peer. */
function ratios(rows: readonly Row[], peer: string, of: 'ms' | 'cpuMs'): Readonly<Record<string, number>> {
	const groups = new Map<string, number[]>();
	for (const row of rows)
		groups.set(row.group, [...(groups.get(row.group) ?? []), (row[of]['fournines'] ?? Number.NaN) / (row[of][peer] ?? Number.NaN)]);
	return Object.fromEntries([...groups].map(([group, values]) => [group, Number(median(values.filter(Number.isFinite)).toFixed(2))]));
}

interface SetResult {
	readonly rows: readonly Row[];
	readonly servers: readonly { readonly set: string; readonly server: string; readonly version: string; readonly rssMegabytes: number }[];
}

async function measureSet(set: DataSet, folder: string, { runs, loadOnly }: Settings): Promise<SetResult> {
	const own = join(folder, set.name);
	mkdirSync(own, { recursive: true });
	const peers = await startPeers({ folder: own });
	try {
		const endMs = await loadOnce(peers, set, own);
		await settle(peers);
		const rows: Row[] = [];
		for (const task of loadOnly > 0 ? [] : set.tasks(endMs - set.stepMs)) {
			const row = await measure(peers, task, runs);
			if (row === null) continue;
			rows.push(row);
			process.stderr.write(`${row.group}, ${row.name}: ${JSON.stringify(row.ms)} CPU ${JSON.stringify(row.cpuMs)}\n`);
		}
		const servers = peers.map(({ name, version, pid }) => ({
			set: set.name,
			server: name,
			version,
			rssMegabytes: Math.round(rssMegabytes(pid)),
		}));
		return { rows, servers };
	} finally {
		for (const peer of peers) await peer.stop();
	}
}

async function main(): Promise<void> {
	const { own, data } = settings(process.argv.slice(2));
	const folder = data === null ? temporaryFolder('bench-query') : null;
	try {
		const results: SetResult[] = [];
		for (const set of dataSets(own)) results.push(await measureSet(set, data ?? folder?.path ?? '', own));
		if (own.loadOnly > 0) return;
		const rows = results.flatMap((result) => result.rows);
		const servers = results.flatMap((result) => result.servers);
		const peers = [...new Set(servers.map(({ server }) => server))].filter((name) => name !== 'fournines');
		const oursToTheirs = Object.fromEntries(
			peers.map((name) => [name, { time: ratios(rows, name, 'ms'), cpu: ratios(rows, name, 'cpuMs') }]),
		);
		const output = join(import.meta.dirname, 'results');
		mkdirSync(output, { recursive: true });
		const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
		writeFileSync(
			join(output, 'query.json'),
			`${JSON.stringify({ date: new Date().toISOString().slice(0, 10), machine, settings: own, oursToTheirs, servers, rows }, null, '\t')}\n`,
		);
		const names = ['fournines', ...peers];
		console.log(`| span | query | ${names.map((name) => `${name}, ms`).join(' | ')} |\n|---|---|${names.map(() => '---').join('|')}|`);
		for (const row of rows) console.log(`| ${row.group} | ${row.name} | ${names.map((name) => row.ms[name]).join(' | ')} |`);
		console.log(JSON.stringify(oursToTheirs, null, '\t'));
	} finally {
		folder?.remove();
	}
}

await main();
