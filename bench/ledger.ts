import { createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { createAvailability } from '../collector/availability/availability.ts';
import { createMemoryDayStore, openDayStore } from '../collector/availability/day-store.ts';
import { emptyInventory, type InventoryConfig } from '../collector/inventory/config.ts';
import { encodeLabelBytes } from '../collector/storage/label-bytes.ts';
import { openStore, type Store } from '../collector/tsdb/store.ts';
import { systemClock } from '../core/clock.ts';
import { labelsFromObject } from '../core/labels.ts';
import { silentLogger } from '../core/log.ts';
import { findCommand, freePort, startProcess, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import { median } from './peers.ts';

/**
 * Time to compute the ledgers of 22 services from stored checks: cold, from kept days, and after one late day. Beside it the SLI of
 * 30 days by Prometheus on blocks of its own, both the first time in their process and as the median of further times, always from samples.
 * Usage: node bench/ledger.ts [--days 365] [--checks 100] [--peer-days 30] [--peer-checks 22]
 */
const DAY_MS = 86_400_000;
const STEP_MS = 10_000;
const SERVICES = 22;
const REPEATS = 5;
/** Whole UTC days that are over. */
const endMs = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS;

function settings(args: readonly string[]): { days: number; checks: number; peerDays: number; peerChecks: number } {
	const own = { days: 365, checks: 100, peerDays: 30, peerChecks: 22 };
	for (let i = 0; i < args.length; i += 2) {
		const name = (args[i] ?? '').replace(/^--/, '').replace(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());
		const value = Number(args[i + 1]);
		if (!(name in own) || !(value > 0))
			throw new Error(`${args[i]} ${args[i + 1]}: known are --days, --checks, --peer-days, --peer-checks`);
		own[name as keyof typeof own] = value;
	}
	return own;
}

/** Good nearly always; each check has a confirmed outage of two minutes every eleventh day and a blip now and then. */
function result(check: number, step: number): number {
	const day = Math.floor(step / 8640);
	const inDay = step % 8640;
	if ((day + check) % 11 === 3 && inDay >= 3000 + check && inDay < 3012 + check) return 0;
	return (step * 31 + check * 977) % 29_989 === 0 ? 0 : 1;
}

const checkLabels = (check: number) =>
	labelsFromObject({
		__name__: 'probe_success',
		job: 'probe',
		instance: `10.0.0.${check}:80`,
		check: `check-${check}`,
		vantage: `host-${check % 4}`,
	});

function inventoryOf(checks: number): InventoryConfig {
	const ids = Array.from({ length: checks }, (_, i) => `check-${i}`);
	return {
		...emptyInventory('Asia/Shanghai'),
		calendars: [
			{
				id: 'city',
				weekdays: [1, 2, 3, 4, 5, 6, 7],
				seasons: [
					{ from: '05-01', to: '10-31', hours: '07:30-22:30' },
					{ from: '11-01', to: '04-30', hours: '07:30-21:30' },
				],
			},
		],
		checks: ids.map((id) => ({ id, interval: '10s', confirm: { failed: 3, of: 5, recovered: 3 } })),
		services: Array.from({ length: SERVICES }, (_, i) => ({
			id: `service-${i}`,
			name: `service ${i}`,
			core: false,
			target: '99.99',
			owner: '',
			calendar: 'city',
			checks: ids.filter((_id, c) => c % SERVICES === i),
			children: [],
			combine: 'all' as const,
		})),
	};
}

/** Fills a store through its own write path, the clock moving along with the samples. */
async function fill(dataDir: string, checks: number, days: number): Promise<void> {
	let nowMs = endMs - days * DAY_MS;
	const store = await openStore({
		dataDir,
		retentionMs: 4000 * DAY_MS,
		checkRetentionMs: 4000 * DAY_MS,
		fsync: 'interval',
		fsyncIntervalMs: 60_000,
		cutIntervalMs: 20,
		log: silentLogger,
		clock: { ...systemClock, now: () => nowMs },
		metrics: new Registry(),
	});
	const ids = Array.from({ length: checks }, (_, i) => store.createSeries(encodeLabelBytes(checkLabels(i))));
	const steps = 360;
	const count = checks * steps;
	const columns = { ids: new Uint32Array(count), timestamps: new Float64Array(count), valueWords: new Uint32Array(count * 2) };
	const words = new Uint32Array(new Float64Array([0, 1]).buffer);
	const begun = performance.now();
	for (let hour = 0; hour < days * 24; hour++) {
		let at = 0;
		for (let s = 0; s < steps; s++) {
			const step = hour * steps + s;
			for (let c = 0; c < checks; c++, at++) {
				const value = result(c, step);
				columns.ids[at] = ids[c] as number;
				columns.timestamps[at] = endMs - days * DAY_MS + step * STEP_MS;
				columns.valueWords[at * 2] = words[value * 2] as number;
				columns.valueWords[at * 2 + 1] = words[value * 2 + 1] as number;
			}
		}
		nowMs = endMs - days * DAY_MS + (hour + 1) * 3_600_000;
		await store.write(columns, count);
		// The cutter works in slices between writes.
		if (hour % 2 === 0) await pause(1);
		if (hour % (24 * 30) === 0) process.stderr.write(`day ${hour / 24}, ${((performance.now() - begun) / 1000).toFixed(0)} s\n`);
	}
	nowMs = endMs + 2 * DAY_MS;
	await pause(2000);
	await store.stop();
}

function openFilled(dataDir: string): Promise<Store> {
	return openStore({
		dataDir,
		retentionMs: 4000 * DAY_MS,
		checkRetentionMs: 4000 * DAY_MS,
		fsync: 'interval',
		log: silentLogger,
		clock: systemClock,
		metrics: new Registry(),
	});
}

interface Timed<T> {
	readonly seconds: number;
	readonly value: T;
}
async function timed<T>(work: () => Promise<T>): Promise<Timed<T>> {
	const begun = performance.now();
	const value = await work();
	return { seconds: Number(((performance.now() - begun) / 1000).toFixed(3)), value };
}

async function ours(folder: string, checks: number, days: number, repeats: number) {
	const dataDir = join(folder, `store-${checks}`);
	mkdirSync(dataDir, { recursive: true });
	await fill(dataDir, checks, days);
	const inventory = inventoryOf(checks);
	const range = { fromMs: endMs - days * DAY_MS, toMs: endMs };
	const store = await openFilled(dataDir);
	let computed = 0;
	let kept = openDayStore(join(folder, `days-${checks}`));
	const open = () =>
		createAvailability({ queryable: store, inventory: () => inventory, clock: systemClock, days: kept, onComputed: () => computed++ });
	const cold = await timed(() => open().ledgers(range));
	const coldDays = computed;
	computed = 0;
	kept.close();
	// Another process's view: nothing in memory, only the file of days.
	kept = openDayStore(join(folder, `days-${checks}`));
	const next = open();
	const fromDays = await timed(() => next.ledgers(range));
	const again = await timed(() => next.ledgers(range));
	const late = endMs - Math.floor(days / 2) * DAY_MS;
	next.invalidate(late, late + DAY_MS - 1);
	computed = 0;
	const lateDay = await timed(() => next.ledgers(range));
	const lateDays = computed;
	const down = cold.value.reduce((sum, { figures }) => sum + figures.downSeconds, 0);
	const same = JSON.stringify(cold.value.map(({ figures }) => figures)) === JSON.stringify(lateDay.value.map(({ figures }) => figures));
	kept.close();
	const runs: number[] = [];
	for (let i = 0; i < repeats; i++) {
		const anew = createAvailability({ queryable: store, inventory: () => inventory, clock: systemClock, days: createMemoryDayStore() });
		runs.push((await timed(() => anew.ledgers(range))).seconds);
	}
	await store.stop();
	return {
		checks,
		days,
		samples: checks * days * 8640,
		coldSeconds: cold.seconds,
		...(runs.length === 0 ? {} : { medianColdSeconds: median(runs) }),
		coldDays,
		fromKeptDaysSeconds: fromDays.seconds,
		againSeconds: again.seconds,
		lateDaySeconds: lateDay.seconds,
		lateDaysComputed: lateDays,
		downSeconds: down,
		sameFigures: same,
	};
}

/** `null` where Prometheus is not installed. Its blocks are made by its own tool from the same samples. */
async function prometheus(folder: string, checks: number, days: number) {
	const [server, promtool] = [findCommand('prometheus'), findCommand('promtool')];
	if (server === null || promtool === null) return null;
	const text = join(folder, 'samples.om');
	const out = createWriteStream(text);
	out.write('# TYPE probe_success gauge\n');
	for (let c = 0; c < checks; c++) {
		for (let day = 0; day < days; day++) {
			let lines = '';
			for (let step = day * 8640; step < (day + 1) * 8640; step++)
				lines += `probe_success{check="check-${c}",vantage="host-${c % 4}",job="probe",instance="10.0.0.${c}:80"} ${result(c, step)} ${(endMs - days * DAY_MS + step * STEP_MS) / 1000}\n`;
			if (!out.write(lines)) await new Promise<void>((resolve) => out.once('drain', () => resolve()));
		}
	}
	await new Promise<void>((resolve) => out.end('# EOF\n', () => resolve()));
	const data = join(folder, 'prometheus');
	// Half a minute to minutes of work for millions of lines.
	const made = await startProcess(promtool, ['tsdb', 'create-blocks-from', '--max-block-duration=24h', 'openmetrics', text, data]).exited;
	if (made !== 0) throw new Error(`promtool ended with ${made}`);
	rmSync(text);
	const config = join(folder, 'prometheus.yml');
	writeFileSync(config, 'global: {}\n');
	const port = await freePort();
	const running = startProcess(server, [
		`--config.file=${config}`,
		`--storage.tsdb.path=${data}`,
		'--storage.tsdb.retention.time=10y',
		`--web.listen-address=127.0.0.1:${port}`,
	]);
	try {
		await waitFor('prometheus', () => running.output().includes('Server is ready'));
		const query = `avg_over_time(probe_success[${days}d])`;
		const ask = async () => {
			const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}&time=${endMs / 1000 - 0.001}`);
			return ((await response.json()) as { data: { result: readonly unknown[] } }).data.result.length;
		};
		const first = await timed(ask);
		const runs: number[] = [];
		for (let i = 0; i < REPEATS; i++) runs.push((await timed(ask)).seconds);
		return { checks, days, query, series: first.value, firstSeconds: first.seconds, medianSeconds: median(runs) };
	} finally {
		await running.stop();
	}
}

async function main(): Promise<void> {
	const own = settings(process.argv.slice(2));
	const folder = temporaryFolder('bench-ledger');
	try {
		const peer = await prometheus(folder.path, own.peerChecks, own.peerDays);
		const beside = await ours(folder.path, own.peerChecks, own.peerDays, REPEATS);
		const full = await ours(folder.path, own.checks, own.days, 0);
		const ratio = (mine: number, theirs: number) => Number((mine / theirs).toFixed(2));
		const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`;
		const report = {
			date: new Date().toISOString().slice(0, 10),
			machine,
			settings: own,
			full,
			beside,
			prometheus: peer,
			...(peer === null
				? {}
				: {
						oursToPrometheusFirst: ratio(beside.coldSeconds, peer.firstSeconds),
						oursToPrometheusMedian: ratio(beside.medianColdSeconds ?? Number.NaN, peer.medianSeconds),
					}),
		};
		mkdirSync(join(import.meta.dirname, 'results'), { recursive: true });
		writeFileSync(join(import.meta.dirname, 'results/ledger.json'), `${JSON.stringify(report, null, '\t')}\n`);
		console.log(JSON.stringify(report, null, '\t'));
	} finally {
		folder.remove();
	}
}

await main();
