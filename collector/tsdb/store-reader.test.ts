import { MessageChannel, Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { silentLogger } from '../../core/log.ts';
import { temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import { openTestStore } from '../../tests/harness/store/open-test-store.ts';
import { encodeLabelBytes } from '../storage/label-bytes.ts';
import { openStoreReader } from './store-reader.ts';

interface Finding {
	readonly problems: readonly string[];
	readonly reads: number;
	readonly series: number;
	readonly samples: number;
}

test('another thread reads consistently while samples arrive, series appear and blocks are cut', async () => {
	const folder = temporaryFolder('reader');
	const store = await openTestStore(folder.path);
	const stop = new Int32Array(new SharedArrayBuffer(8));
	const port = store.readerPort();
	const worker = new Worker(new URL('../../tests/harness/store/reading-thread.ts', import.meta.url), {
		workerData: { port, stop: stop.buffer, windowMs: null },
		transferList: [port],
	});
	try {
		const finding = new Promise<Finding>((resolve, reject) => {
			worker.on('message', resolve);
			worker.on('error', reject);
		});
		await waitFor('the other thread to read', () => Atomics.load(stop, 1) === 1);
		const start = Date.now() - 10 * 86_400_000;
		const counts: number[] = [];
		let total = 0;
		for (let round = 0; round < 300; round++) {
			// Slots and segments grow while the other thread reads.
			if (round % 4 === 0) for (let i = 0; i < 60; i++) counts.push(0);
			const appender = store.appender();
			for (let series = 0; series < counts.length; series++) {
				const count = counts[series] as number;
				appender.append(['__name__', 'm', 'series', String(series)], start + round * 120_000, count);
				counts[series] = count + 1;
				total++;
			}
			await appender.commit();
			if (round % 100 === 99) await store.cutBlocks();
			await new Promise((resolve) => setImmediate(resolve));
		}
		Atomics.store(stop, 0, 1);
		expect(await finding).toMatchObject({ problems: [], series: counts.length, samples: total });
		expect((await finding).reads).toBeGreaterThan(1);
	} finally {
		await worker.terminate();
		await store.stop();
		folder.remove();
	}
});

test('another thread never sees a page while it is being sealed', async () => {
	const folder = temporaryFolder('reader');
	const store = await openTestStore(folder.path);
	const stop = new Int32Array(new SharedArrayBuffer(8));
	const port = store.readerPort();
	const count = 4;
	const ids = Uint32Array.from({ length: count }, (_, i) => store.createSeries(encodeLabelBytes(['__name__', 'm', 'series', String(i)])));
	const timestamps = new Float64Array(count);
	const values = new Float64Array(count);
	const samples = { ids, timestamps, valueWords: new Uint32Array(values.buffer) };
	const worker = new Worker(new URL('../../tests/harness/store/reading-thread.ts', import.meta.url), {
		workerData: { port, stop: stop.buffer, windowMs: 60_000 },
		transferList: [port],
	});
	try {
		const finding = new Promise<Finding>((resolve, reject) => {
			worker.on('message', resolve);
			worker.on('error', reject);
		});
		await waitFor('the other thread to read', () => Atomics.load(stop, 1) === 1);
		const start = Date.now() - 10 * 86_400_000;
		for (let round = 0; round < 60_000; round++) {
			timestamps.fill(start + round * 1000);
			values.fill(round);
			await store.write(samples, count);
			if (round % 2000 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
		}
		Atomics.store(stop, 0, 1);
		const { problems, reads } = await finding;
		expect(problems).toEqual([]);
		// How many depends on what else the machine does; a few are enough to have met a seal.
		expect(reads).toBeGreaterThan(10);
	} finally {
		await worker.terminate();
		await store.stop();
		folder.remove();
	}
});

test('a reader without a store says so', async () => {
	const { port1, port2 } = new MessageChannel();
	await expect(openStoreReader(port2, { log: silentLogger, timeoutMs: 20 })).rejects.toMatchObject({ code: 'FN_STORE_READER_LOST' });
	port1.close();
});
