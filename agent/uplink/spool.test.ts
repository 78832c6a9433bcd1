import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { crc32 } from './crc32.ts';
import { CursorFile } from './cursor-file.ts';
import { countSamples, decodeBatch } from './record-codec.ts';
import { type DropReason, Spool, type SpoolBatch, type SpoolOptions } from './spool.ts';

let folder: TemporaryFolder;
const dropped = new Map<DropReason, number>();
const opened: Spool[] = [];

beforeEach(() => {
	folder = temporaryFolder('spool');
	dropped.clear();
});
afterEach(() => {
	for (const spool of opened.splice(0)) spool.close();
	folder.remove();
});

function open(options: Partial<SpoolOptions> = {}): Spool {
	const spool = new Spool({
		folder: folder.path,
		maxBytes: 1024 * 1024,
		maxAgeMs: 3_600_000,
		log: silentLogger,
		onDrop: (reason, samples) => dropped.set(reason, (dropped.get(reason) ?? 0) + samples),
		...options,
	});
	opened.push(spool);
	return spool;
}

const batch = (value: number, series = 1): WriteSeries[] =>
	Array.from({ length: series }, (_, i) => ({
		labels: ['__name__', 'm', 'i', String(i)],
		type: 'gauge' as const,
		help: 'h',
		unit: '',
		samples: [{ timestampMs: value, value }],
	}));

const limit = (samples: number) => ({ samples, alone: Number.POSITIVE_INFINITY });
const valuesOf = (read: SpoolBatch | null) =>
	(read?.records ?? []).map(({ block }) => decodeBatch(block)[0]?.samples[0]?.value ?? Number.NaN);

/** Values of all records that wait, oldest first, without acknowledging. */
function waiting(spool: Spool, nowMs = 0): number[] {
	return valuesOf(spool.read(limit(Number.MAX_SAFE_INTEGER), nowMs));
}

const segments = () =>
	readdirSync(folder.path)
		.filter((name) => name.endsWith('.seg'))
		.sort()
		.map((name) => join(folder.path, name));

describe('records', () => {
	test('the checksum is the one of zlib', () => {
		// The check value of CRC-32/ISO-HDLC.
		expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
	});
});

describe('queue', () => {
	test('records come out in order, and again until they are acknowledged', () => {
		const spool = open();
		for (const value of [1, 2, 3]) spool.append(batch(value), 0);
		expect(waiting(spool)).toEqual([1, 2, 3]);
		const first = spool.read(limit(1), 0);
		expect(first?.samples).toBe(1);
		if (first !== null) spool.acknowledge(first);
		expect(waiting(spool)).toEqual([2, 3]);
		expect(waiting(open())).toEqual([2, 3]);
	});

	test('a reader waits for the next record', async () => {
		const spool = open();
		const woken = spool.waitForAppend(new AbortController().signal);
		spool.append(batch(1), 0);
		await woken;
		expect(waiting(spool)).toEqual([1]);
	});

	test('at the cap by bytes the oldest goes and every sample is counted', () => {
		const spool = open({ maxBytes: 60_000, segmentBytes: 8_000 });
		const total = 400;
		for (let value = 1; value <= total; value++) spool.append(batch(value, 30), 0);
		expect(spool.sizeBytes).toBeLessThanOrEqual(60_000);
		const left = waiting(spool);
		expect(left[left.length - 1]).toBe(total);
		expect(left.length).toBeLessThan(total);
		expect((dropped.get('bytes') ?? 0) + left.length * 30).toBe(total * 30);
	});

	test('a batch in flight that the cap has passed does not move the cursor back', () => {
		const spool = open({ maxBytes: 60_000, segmentBytes: 8_000 });
		spool.append(batch(0, 30), 0);
		const flying = spool.read(limit(1), 0);
		for (let value = 1; value <= 400; value++) spool.append(batch(value, 30), 0);
		const before = waiting(spool);
		if (flying !== null) spool.acknowledge(flying);
		expect(waiting(spool)).toEqual(before);
	});

	test('what is older than the cap by age is dropped and counted', () => {
		const spool = open({ maxAgeMs: 1000 });
		spool.append(batch(1, 3), 0);
		spool.append(batch(2), 5000);
		expect(waiting(spool, 5500)).toEqual([2]);
		expect(dropped.get('age')).toBe(3);
	});

	test('a clock that is set back an hour changes neither what is kept nor its order, also after a restart', () => {
		const options = { maxAgeMs: 1_800_000, segmentBytes: 200 };
		const hour = 3_600_000;
		const before = 10 * hour;
		const after = before - hour;
		const spool = open(options);
		for (let i = 0; i < 20; i++) spool.append(batch(i), (i < 10 ? before : after) + i);
		const all = Array.from({ length: 20 }, (_, i) => i);
		expect(waiting(spool, after + 20)).toEqual(all);
		const first = spool.read(limit(12), after + 20);
		if (first !== null) spool.acknowledge(first);
		opened.pop()?.close();
		expect(waiting(open(options), after + 20)).toEqual(all.slice(12));
		expect([...dropped]).toEqual([]);
	});

	test('a folder that cannot be used is a clear error', () => {
		const file = join(folder.path, 'file');
		writeFileSync(file, '');
		expect(() => open({ folder: join(file, 'spool') })).toThrow(expect.objectContaining({ code: 'FN_AGENT_SPOOL_FOLDER' }));
	});
});

describe('a backlog set aside', () => {
	/** Reads and acknowledges everything in the order of `newest_first`, one record at a time. */
	const drain = (spool: Spool) => {
		const values: number[] = [];
		for (let read = spool.read(limit(1), 0, 'newest_first'); read !== null; read = spool.read(limit(1), 0, 'newest_first')) {
			values.push(...valuesOf(read));
			spool.acknowledge(read);
		}
		return values;
	};

	test('is read behind what is fresh, also after a restart, and leaves no files', () => {
		const first = open({ segmentBytes: 100 });
		for (const value of [1, 2, 3]) first.append(batch(value), 0);
		first.beginFresh();
		for (const value of [4, 5]) first.append(batch(value), 0);
		first.close();
		const spool = open({ segmentBytes: 100 });
		expect(spool.pendingBytes).toBeGreaterThan(0);
		expect(waiting(spool)).toEqual([1, 2, 3]);
		spool.beginFresh();
		spool.append(batch(6), 0);
		expect(drain(spool)).toEqual([6, 4, 5, 1, 2, 3]);
		expect(spool.pendingBytes).toBe(0);
		expect(segments()).toHaveLength(1);
		spool.append(batch(7), 0);
		expect(drain(spool)).toEqual([7]);
	});

	test('is dropped first at the cap, and every sample is counted', () => {
		const spool = open({ maxBytes: 60_000, segmentBytes: 8_000 });
		for (let value = 1; value <= 200; value++) {
			spool.append(batch(value, 30), 0);
			if (value === 100) spool.beginFresh();
		}
		const left = drain(spool);
		expect(left).toContain(200);
		expect((dropped.get('bytes') ?? 0) + left.length * 30).toBe(200 * 30);
	});

	test('whatever happens in whatever order, a record is read until it is acknowledged, and not after that', () => {
		const operation = fc.oneof(
			{ weight: 6, arbitrary: fc.constant('append' as const) },
			{ weight: 4, arbitrary: fc.constantFrom('oldest_first' as const, 'newest_first' as const) },
			{ weight: 2, arbitrary: fc.constant('beginFresh' as const) },
			{ weight: 1, arbitrary: fc.constant('reopen' as const) },
		);
		fc.assert(
			fc.property(fc.array(operation, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), (operations, size) => {
				for (const file of readdirSync(folder.path)) rmSync(join(folder.path, file));
				let spool = open({ segmentBytes: 150 });
				const left = new Set<number>();
				let next = 1;
				for (const what of operations) {
					if (what === 'append') {
						spool.append(batch(next), 0);
						left.add(next++);
					} else if (what === 'beginFresh') spool.beginFresh();
					else if (what === 'reopen') {
						spool.close();
						spool = open({ segmentBytes: 150 });
					} else {
						const read = spool.read(limit(size), 0, what);
						expect(read === null).toBe(left.size === 0);
						for (const value of valuesOf(read)) expect(left.delete(value)).toBe(true);
						if (read !== null) spool.acknowledge(read);
					}
				}
				expect(drain(spool).sort((a, b) => a - b)).toEqual([...left]);
				spool.close();
			}),
		);
	});
});

describe('unclean ends', () => {
	test('cut at any byte, the whole records before it remain', () => {
		const first = open();
		const ends: number[] = [];
		for (const value of [1, 2, 3, 4]) {
			first.append(batch(value, 5), 0);
			ends.push(statSync(segments()[0] as string).size);
		}
		first.close();
		const whole = readFileSync(segments()[0] as string);
		for (let length = whole.length; length >= 0; length--) {
			writeFileSync(join(folder.path, '0000000000000001.seg'), whole.subarray(0, length));
			const spool = open();
			const expected = [1, 2, 3, 4].filter((_, i) => (ends[i] as number) <= length);
			expect(waiting(spool)).toEqual(expected);
			spool.append(batch(9), 0);
			expect(waiting(spool)).toEqual([...expected, 9]);
			spool.close();
			for (const file of segments().slice(1)) truncateSync(file, 0);
		}
	});

	test('a flipped byte in a finished segment costs the rest of that segment only', () => {
		const spool = open({ segmentBytes: 600 });
		for (let value = 1; value <= 20; value++) spool.append(batch(value, 5), 0);
		spool.close();
		const [oldest = ''] = segments();
		const bytes = readFileSync(oldest);
		bytes[60] = (bytes[60] ?? 0) ^ 0xff;
		writeFileSync(oldest, bytes);
		const left = waiting(open({ segmentBytes: 600 }));
		expect(left.length).toBeGreaterThan(0);
		expect(left[left.length - 1]).toBe(20);
		expect((dropped.get('corrupt') ?? 0) + left.length * 5).toBe(100);
	});

	test('no flipped bit comes out as a sample', () => {
		const spool = open();
		spool.append(batch(7), 0);
		spool.append(batch(8), 0);
		spool.close();
		const [file = ''] = segments();
		const good = readFileSync(file);
		for (let at = 0; at < good.length; at++) {
			const bad = Buffer.from(good);
			bad[at] = (bad[at] ?? 0) ^ 0x10;
			writeFileSync(file, bad);
			rmSync(join(folder.path, 'cursor'), { force: true });
			const damaged = open();
			const found = (damaged.read(limit(100), 0)?.records ?? []).flatMap(({ block }) => decodeBatch(block));
			for (const series of found) expect([batch(7)[0], batch(8)[0]]).toContainEqual(series);
			expect(found.length).toBeLessThan(2);
			damaged.close();
		}
	});

	test('a damaged cursor sends again instead of losing', () => {
		const spool = open();
		spool.append(batch(1), 0);
		spool.append(batch(2), 0);
		const read = spool.read(limit(1), 0);
		if (read !== null) spool.acknowledge(read);
		spool.close();
		writeFileSync(join(folder.path, 'cursor'), Buffer.alloc(240, 7));
		expect(waiting(open())).toEqual([1, 2]);
	});

	test('segments that were lost do not hide new ones behind the cursor', () => {
		const spool = open();
		for (const value of [1, 2, 3]) spool.append(batch(value), 0);
		const read = spool.read(limit(3), 0);
		if (read !== null) spool.acknowledge(read);
		spool.close();
		for (const file of segments()) rmSync(file);
		const again = open();
		again.append(batch(4), 0);
		expect(waiting(again)).toEqual([4]);
	});

	test('a torn write of the cursor leaves the one before', () => {
		const file = join(folder.path, 'cursor-alone');
		const cursor = new CursorFile(file);
		const lane = (segment: number, offset: number) => [{ from: { segment, offset }, until: null }];
		for (let offset = 1; offset <= 5; offset++) cursor.save(lane(1, offset));
		cursor.close();
		const whole = readFileSync(file);
		for (let at = 0; at < whole.length; at++) {
			const torn = Buffer.from(whole);
			torn[at] = (torn[at] ?? 0) ^ 0xff;
			writeFileSync(file, torn);
			const damaged = new CursorFile(file);
			expect([lane(1, 4), lane(1, 5)]).toContainEqual(damaged.load());
			damaged.save(lane(2, 0));
			damaged.close();
			const again = new CursorFile(file);
			expect(again.load()).toEqual(lane(2, 0));
			again.close();
		}
	});

	test('SIGKILL while writing loses nothing that append had accepted', async () => {
		const script = join(folder.path, 'writer.ts');
		const root = join(import.meta.dirname, '..', '..');
		writeFileSync(
			script,
			`import { Spool } from ${JSON.stringify(join(root, 'agent/uplink/spool.ts'))};
			import { silentLogger } from ${JSON.stringify(join(root, 'core/log.ts'))};
			import { writeSync } from 'node:fs';
			const spool = new Spool({ folder: process.argv[2], maxBytes: 1e9, maxAgeMs: 1e9, segmentBytes: 50_000, log: silentLogger, onDrop: () => {} });
			for (let value = 1; ; value++) {
				spool.append([{ labels: ['__name__', 'm'], samples: [{ timestampMs: value, value }] }], 0);
				writeSync(1, value + '\\n');
			}`,
		);
		const child = spawn(process.execPath, [script, folder.path], { stdio: ['ignore', 'pipe', 'inherit'] });
		let output = '';
		await new Promise<void>((resolve) => {
			child.stdout.on('data', (chunk: Buffer) => {
				output += chunk.toString();
				if (output.length > 20_000) child.kill('SIGKILL');
			});
			child.on('close', () => resolve());
		});
		const accepted = Number(output.split('\n').slice(0, -1).pop());
		const left = waiting(open({ maxBytes: 1e9, maxAgeMs: 1e9 }));
		expect(left.slice(0, accepted)).toEqual(Array.from({ length: accepted }, (_, i) => i + 1));
		expect(left.length - accepted).toBeLessThanOrEqual(1);
	});
});

test('samples are counted', () => {
	expect(countSamples(batch(1, 4))).toBe(4);
});
