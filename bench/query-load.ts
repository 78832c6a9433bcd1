import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compressSync } from 'snappy';
import { encodeRemoteWriteV1 } from '../protocol/remote-write/encode-v1.ts';
import { cpuMicros, type Peer } from './peers.ts';
import { type BenchSeries, sampleValue } from './query-data.ts';
import type { DataSet } from './query-sets.ts';

const SETTLE_LOOK_MS = 3000;
const CALM_LOOKS = 4;
/** Of one core; a server that writes blocks or compacts takes more. */
const SETTLED_SHARE = 0.04;
const SETTLE_LIMIT_MS = 300_000;

/**
 * Loads a set into servers whose folders lie in `folder`, unless they have it from an earlier run. Returns the end of its
 * samples, which an earlier run has fixed.
 */
export async function loadOnce(peers: readonly Peer[], set: DataSet, folder: string): Promise<number> {
	const series = set.series();
	const stamp = join(folder, 'loaded.json');
	const wanted = { servers: peers.map(({ name }) => name), hours: set.hours, stepMs: set.stepMs, series: series.length };
	if (existsSync(stamp)) {
		const { endMs, ...known } = JSON.parse(readFileSync(stamp, 'utf8')) as { readonly endMs: number };
		if (JSON.stringify(known) !== JSON.stringify(wanted)) throw new Error(`${stamp} is of another data set; remove ${folder}`);
		return endMs;
	}
	const begun = performance.now();
	const endMs = Math.floor(Date.now() / 60_000) * 60_000;
	const startMs = endMs - set.hours * 3_600_000;
	// Slice after slice for all: Prometheus refuses what is more than an hour behind its newest sample.
	for (let fromMs = startMs; fromMs < endMs; fromMs += set.sliceMs) {
		await loadSlice(peers, set, { series, startMs, fromMs, untilMs: Math.min(fromMs + set.sliceMs, endMs) });
	}
	mkdirSync(folder, { recursive: true });
	writeFileSync(stamp, `${JSON.stringify({ ...wanted, endMs })}\n`);
	process.stderr.write(`${set.name}: loaded in ${((performance.now() - begun) / 1000).toFixed(0)} s\n`);
	return endMs;
}

async function loadSlice(
	peers: readonly Peer[],
	set: DataSet,
	slice: { readonly series: readonly BenchSeries[]; readonly startMs: number; readonly fromMs: number; readonly untilMs: number },
): Promise<void> {
	const { startMs, fromMs, untilMs } = slice;
	for (let from = 0; from < slice.series.length; from += set.seriesPerRequest) {
		const series = slice.series.slice(from, from + set.seriesPerRequest).map(({ labels, shape }, i) => {
			const samples = [];
			for (let timestampMs = fromMs; timestampMs < untilMs; timestampMs += set.stepMs) {
				samples.push({ timestampMs, value: sampleValue(shape, from + i, (timestampMs - startMs) / set.stepMs) });
			}
			return { labels, samples };
		});
		const body = compressSync(Buffer.from(encodeRemoteWriteV1(series)));
		await Promise.all(peers.map((peer) => peer.write(body)));
	}
}

/** Waits until nobody writes blocks or compacts any more: that would be measured instead of the queries. */
export async function settle(peers: readonly Peer[]): Promise<void> {
	const begun = performance.now();
	// Work that a start has put off begins some seconds later: calm must last.
	let calm = 0;
	for (;;) {
		const before = peers.map(({ pid }) => cpuMicros(pid));
		await new Promise((resolve) => setTimeout(resolve, SETTLE_LOOK_MS));
		const busy = peers.filter(({ pid }, i) => cpuMicros(pid) - (before[i] as number) > SETTLED_SHARE * SETTLE_LOOK_MS * 1000);
		calm = busy.length === 0 ? calm + 1 : 0;
		if (calm === CALM_LOOKS) return;
		if (performance.now() - begun > SETTLE_LIMIT_MS) {
			process.stderr.write(`measured although ${busy.map(({ name }) => name).join(', ')} did not come to rest for long enough\n`);
			return;
		}
	}
}
