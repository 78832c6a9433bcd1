import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../core/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../tests/harness/process.ts';
import { encodeLabelBytes } from '../../storage/label-bytes.ts';
import { type ReplayTarget, replayLog, replaySegment } from './log-replay.ts';
import { LogWriter } from './log-writer.ts';

let folder: TemporaryFolder;

beforeEach(() => {
	folder = temporaryFolder('log');
});
afterEach(() => folder.remove());

function writer(firstSegment = 1, segmentBytes?: number): LogWriter {
	return new LogWriter({
		folder: folder.path,
		firstSegment,
		fsync: 'interval',
		log: silentLogger,
		onSyncFailure: () => {
			throw new Error('a sync failed');
		},
		...(segmentBytes === undefined ? {} : { segmentBytes }),
	});
}

/** Batch `i` holds samples of series `0 .. i`, in odd batches all of one time. */
function writeBatch(log: LogWriter, i: number): void {
	log.batch.series([{ id: i, labels: encodeLabelBytes(['__name__', 'm', 'i', 'x'.repeat(i)]) }]);
	const values = Float64Array.from({ length: i + 1 }, (_, k) => i * 100 + k);
	log.batch.samples(
		{
			ids: Uint32Array.from({ length: i + 1 }, (_, k) => k),
			timestamps: Float64Array.from({ length: i + 1 }, (_, k) => 1000 * i + (i % 2) * k),
			valueWords: new Uint32Array(values.buffer),
		},
		i + 1,
	);
	log.flush();
}

interface Seen extends ReplayTarget {
	readonly ids: number[];
	readonly samples: string[];
}

function recorder(): Seen {
	const ids: number[] = [];
	const samples: string[] = [];
	const value = new Float64Array(1);
	const words = new Uint32Array(value.buffer);
	return {
		ids,
		samples,
		series: ({ id }) => {
			ids.push(id);
		},
		sample: (id, timeMs, low, high) => {
			words[0] = low;
			words[1] = high;
			samples.push(`${id}@${timeMs}=${value[0]}`);
		},
		deletion: () => {},
		metadata: () => {},
	};
}

function expected(batches: readonly number[]): string[] {
	return batches.flatMap((i) => Array.from({ length: i + 1 }, (_, k) => `${k}@${1000 * i + (i % 2) * k}=${i * 100 + k}`));
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

async function eightBatches(): Promise<{ readonly file: string; readonly bytes: Buffer; readonly ends: readonly number[] }> {
	const log = writer();
	const file = join(folder.path, '0000000001.log');
	const ends: number[] = [];
	for (let i = 0; i < 8; i++) {
		writeBatch(log, i);
		ends.push(statSync(file).size);
	}
	await log.close();
	return { file, bytes: readFileSync(file), ends };
}

describe('append log', () => {
	test('returns what was written, over several segments', async () => {
		const log = writer(1, 600);
		for (const i of range(0, 12)) writeBatch(log, i);
		await log.close();
		const seen = recorder();
		const report = replayLog(folder.path, seen);
		expect(report.segments.length).toBeGreaterThan(2);
		expect(report.damage).toEqual([]);
		expect(seen.ids).toEqual(range(0, 12));
		expect(seen.samples).toEqual(expected(range(0, 12)));
		expect(report.segments.at(-1)?.newestMs).toBe(11_011);
	});

	test('cut off at any byte of its tail, keeps every whole record before, and cuts the rest', async () => {
		const { file, bytes, ends } = await eightBatches();
		const from = ends[5] as number;
		for (let length = from; length < bytes.length; length++) {
			writeFileSync(file, bytes.subarray(0, length));
			const seen = recorder();
			const report = replayLog(folder.path, seen);
			const whole = ends.filter((end) => end <= length).length;
			expect(seen.samples).toEqual(expected(range(0, whole)));
			const clean = report.damage.length === 0;
			if (!clean) expect(report.damage).toMatchObject([{ kind: 'torn-tail' }]);
			const again = replayLog(folder.path, recorder());
			expect(again.damage).toEqual([]);
		}
	});

	test('with any byte of the tail flipped, loses at most the records of that batch and reports it', async () => {
		const { bytes, ends } = await eightBatches();
		for (let at = ends[4] as number; at < bytes.length; at++) {
			const flipped = Buffer.from(bytes);
			flipped[at] = (flipped[at] as number) ^ 0x10;
			const seen = recorder();
			const result = replaySegment(flipped, 1, seen);
			expect(result.damage).toHaveLength(1);
			const hit = ends.findIndex((end) => at < end);
			const others = expected(range(0, 8).filter((i) => i !== hit));
			expect(seen.samples.filter((sample) => !expected([hit]).includes(sample))).toEqual(others);
		}
	});

	test('with a damaged header, still finds its records', async () => {
		const { bytes } = await eightBatches();
		bytes.fill(0xff, 0, 16);
		const seen = recorder();
		expect(replaySegment(bytes, 1, seen).damage).toMatchObject([{ kind: 'damaged', offset: 0 }]);
		expect(seen.samples).toEqual(expected(range(0, 8)));
	});

	test('with garbage behind the last record, keeps the records', async () => {
		const { file } = await eightBatches();
		appendFileSync(file, Buffer.from('garbage that nobody wrote'));
		const seen = recorder();
		expect(replayLog(folder.path, seen).damage).toMatchObject([{ kind: 'torn-tail', lostBytes: 25 }]);
		expect(seen.samples).toEqual(expected(range(0, 8)));
	});

	test('deletes only segments that are in blocks', async () => {
		const log = writer(1, 600);
		for (const i of range(0, 12)) writeBatch(log, i);
		const before = readdirSync(folder.path).length;
		log.removeThrough(1, 1e12);
		expect(readdirSync(folder.path)).toHaveLength(before - 1);
		log.removeThrough(100, 0);
		expect(readdirSync(folder.path)).toHaveLength(before - 1);
		log.removeThrough(100, 1e12);
		expect(readdirSync(folder.path)).toHaveLength(1);
		await log.close();
	});

	test('with fsync always, resolves after the sync', async () => {
		const log = new LogWriter({ folder: folder.path, firstSegment: 1, fsync: 'always', log: silentLogger, onSyncFailure: () => {} });
		writeBatch(log, 3);
		await log.synced();
		writeBatch(log, 4);
		await Promise.all([log.synced(), log.synced()]);
		await log.close();
		const seen = recorder();
		replayLog(folder.path, seen);
		expect(seen.samples).toEqual(expected([3, 4]));
	});

	test('a deletion stays as long as what it deleted, and so does what came after it', async () => {
		const log = writer();
		const batch = (timeMs: number) => {
			log.batch.samples({ ids: Uint32Array.of(1), timestamps: Float64Array.of(timeMs), valueWords: Uint32Array.of(0, 0) }, 1);
			log.flush();
			return log.rotate();
		};
		batch(5000);
		log.batch.deletion({ number: 1, ids: Uint32Array.of(1, 2, 3), minMs: 0, maxMs: 9000 });
		batch(100);
		const last = batch(200);
		log.removeThrough(last, 1000);
		expect(readdirSync(folder.path)).toHaveLength(4);
		log.removeThrough(last, 6000);
		expect(readdirSync(folder.path)).toHaveLength(1);
		await log.close();
	});

	test('a deletion is replayed as it was written', async () => {
		const log = writer();
		log.batch.deletion({ number: 7, ids: Uint32Array.of(1, 2, 3), minMs: -5, maxMs: 9000 });
		log.flush();
		await log.close();
		const seen: unknown[] = [];
		replayLog(folder.path, { ...recorder(), deletion: (deletion) => seen.push(deletion) });
		expect(seen).toEqual([{ number: 7, ids: Uint32Array.of(1, 2, 3), minMs: -5, maxMs: 9000 }]);
	});
});
