import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { temporaryFolder } from '../../tests/harness/process.ts';
import { equals, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import type { Store } from './store.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);
const NOW = START + 2 * DAY + 30 * 60_000;
const SERIES = 40;

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Opened {
	readonly store: Store;
	/** What was said at `warn` or above. */
	readonly said: string[];
}

async function open(dataDir: string): Promise<Opened> {
	const said: string[] = [];
	const note = (fields: object, message: string) => said.push(`${message} ${JSON.stringify(fields)}`);
	const clock: Clock = { ...systemClock, now: () => NOW };
	const store = await openTestStore(dataDir, {
		clock,
		log: { ...silentLogger, warn: note, error: note },
		retentionMs: 400 * DAY,
		checkRetentionMs: 400 * DAY,
	});
	cleanups.push(() => store.stop());
	return { store, said };
}

/** A day that is compacted, one of hours, and the present in the log: 120 samples a series, 40 of each. */
async function makeStore(): Promise<string> {
	const made = temporaryFolder('damage');
	cleanups.push(() => made.remove());
	const { store } = await open(made.path);
	const write = async (fromMs: number, stepMs: number) => {
		for (let i = 0; i < 40; i++) {
			const appender = store.appender();
			for (let series = 0; series < SERIES; series++)
				appender.append(['__name__', 'm', 'series', String(series)], fromMs + i * stepMs, i * series);
			await appender.commit();
		}
	};
	await write(START, 30 * 60_000);
	await store.cutBlocks(START + DAY);
	await store.compactBlocks(START + DAY);
	await write(START + DAY, 30 * 60_000);
	await store.cutBlocks(START + 2 * DAY);
	await write(START + 2 * DAY, 20_000);
	await store.stop();
	return made.path;
}

async function count(store: Store): Promise<number> {
	const found = await store.select([equals('__name__', 'm')], 0, NOW);
	for (const { labels, timestamps, values } of found) {
		expect(new Set(timestamps).size).toBe(timestamps.length);
		timestamps.forEach((timeMs, i) => {
			const wanted = numberOf(timeMs) * Number(labels[3]);
			if (values[i] !== wanted) throw new Error(`${labels.join()} at ${timeMs}: ${values[i]}, and ${wanted} was written`);
		});
	}
	return found.reduce((sum, { values }) => sum + values.length, 0);
}

/** Which of the 40 samples of its part of the store the one at `timeMs` is. */
function numberOf(timeMs: number): number {
	return timeMs < START + 2 * DAY ? ((timeMs - START) % DAY) / (30 * 60_000) : (timeMs - START - 2 * DAY) / 20_000;
}

const ALL = SERIES * 120;

const FILES = {
	log: (dataDir: string) =>
		lastOf(join(dataDir, 'store/log'), (name) => name.endsWith('.log') && statSync(join(dataDir, 'store/log', name)).size > 0),
	index: (dataDir: string) => join(dataDir, 'store/index.db'),
	hours: (dataDir: string) => join(dataDir, 'store/blocks/samples-2026-01-06.db'),
	compacted: (dataDir: string) => join(dataDir, 'store/blocks/samples-2026-01-05.long.db'),
} as const;

function lastOf(folder: string, accept: (name: string) => boolean): string {
	return join(folder, readdirSync(folder).filter(accept).sort().at(-1) ?? '');
}

function random(seed: number): () => number {
	let state = seed;
	return () => {
		state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
		return state / 0x7fffffff;
	};
}

const KINDS = Object.keys(FILES) as (keyof typeof FILES)[];

describe('damage', () => {
	test.each(KINDS)('a missing %s file: the rest is served, and the start says what is gone', async (kind) => {
		const dataDir = await makeStore();
		const file = FILES[kind](dataDir);
		expect(existsSync(file)).toBe(true);
		rmSync(file);
		const { store, said } = await open(dataDir);
		// The index can be rebuilt; every other file is a third of the samples.
		expect(await count(store)).toBe(kind === 'index' ? ALL : (ALL * 2) / 3);
		if (kind === 'index') expect(said.join('\n')).toContain('rebuilt from the block files');
		else if (kind === 'log') expect(store.recovery.samplesFromLog).toBe(0);
		else expect(said.join('\n')).toContain(`is missing`);
	});

	test.each(KINDS)('%s with flipped bits: no crash, nothing is invented, everything that is lost was said', async (kind) => {
		const dataDir = await makeStore();
		const file = FILES[kind](dataDir);
		const whole = readFileSync(file);
		const pick = random(7);
		for (let round = 0; round < Number(process.env['DAMAGE_ROUNDS'] ?? 20); round++) {
			const copy = Buffer.from(whole);
			const at = Math.floor(pick() * copy.length);
			copy[at] = (copy[at] as number) ^ (1 << Math.floor(pick() * 8));
			const place = temporaryFolder('damaged');
			copyTree(join(dataDir, 'store'), join(place.path, 'store'));
			writeFileSync(file.replace(dataDir, place.path), copy);
			try {
				const { store, said } = await open(place.path);
				let found = 0;
				try {
					found = await count(store);
				} catch (error) {
					expect(error).toMatchObject({ code: expect.stringMatching(/^FN_STORE_/) });
				}
				expect(found).toBeLessThanOrEqual(ALL);
				await store.verifyBlocks();
				if (found < ALL && said.length === 0 && store.recovery.samplesWithoutSeries === 0)
					throw new Error(`byte ${at} of ${whole.length}: ${found} of ${ALL} samples, and nothing was said`);
				await store.stop();
			} catch (error) {
				// Refusing to open is an answer as well, when it says why.
				if (!(error instanceof Error) || !('code' in error)) throw error;
				expect(error.code).toMatch(/^FN_STORE_/);
			} finally {
				place.remove();
			}
		}
	});

	test.each(['hours', 'compacted'] as const)('a %s file that was cut off is reported, and the rest is served', async (kind) => {
		const dataDir = await makeStore();
		const file = FILES[kind](dataDir);
		truncateSync(file, Math.floor(statSync(file).size / 2));
		const { store, said } = await open(dataDir);
		const found = await count(store);
		expect(found).toBeGreaterThanOrEqual((ALL * 2) / 3);
		expect(found).toBeLessThan(ALL);
		expect(said.join('\n')).toContain('damaged');
	});

	test('a half-written compacted file is thrown away by the next attempt', async () => {
		const dataDir = await makeStore();
		copyFileSync(FILES.compacted(dataDir), join(dataDir, 'store/blocks/samples-2026-01-06.long.db.new'));
		truncateSync(join(dataDir, 'store/blocks/samples-2026-01-06.long.db.new'), 5000);
		const { store } = await open(dataDir);
		expect(await count(store)).toBe(ALL);
		await store.compactBlocks(START + 2 * DAY);
		expect(await count(store)).toBe(ALL);
		expect(readdirSync(join(dataDir, 'store/blocks')).filter((name) => name.endsWith('.new'))).toEqual([]);
	});
});

function copyTree(from: string, to: string): void {
	for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' })) {
		const source = join(from, name);
		if (statSync(source).isDirectory()) continue;
		const target = join(to, name);
		mkdirSync(dirname(target), { recursive: true });
		copyFileSync(source, target);
	}
}
