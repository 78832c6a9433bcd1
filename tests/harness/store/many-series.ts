import { expect } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { temporaryFolder } from '../process.ts';
import { equals, openTestStore } from './open-test-store.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);

/** `count` series come, go, and come again, over a restart; every look-up finds all of them, wherever they are. */
export async function manySeries(count: number): Promise<void> {
	const folder = temporaryFolder('many');
	let wallMs = START;
	const open = () => openTestStore(folder.path, { clock: { ...systemClock, now: () => wallMs }, quietMs: HOUR, retentionMs: 400 * DAY });
	let store = await open();
	const write = async () => {
		for (let from = 0; from < count; from += 5000) {
			const appender = store.appender();
			for (let i = from; i < Math.min(count, from + 5000); i++) {
				appender.append(['__name__', `m${i % 100}`, 'host', `h${i % 1000}`, 'i', String(i)], wallMs, i);
			}
			await appender.commit();
		}
	};
	const check = async () => {
		const found = await store.select([equals('host', 'h7')], START, wallMs);
		expect(found).toHaveLength(count / 1000);
		for (const { labels, values } of found) for (const value of values) expect(value).toBe(Number(labels[5]));
		expect(await store.labelValues('host', [], START, wallMs)).toHaveLength(1000);
		expect(await store.labelValues('i', [equals('host', 'h999')], START, wallMs)).toHaveLength(count / 1000);
		expect(await store.series([equals('__name__', 'm5'), equals('host', 'h5')], START, wallMs)).toHaveLength(count / 1000);
	};
	try {
		await write();
		expect(store.stats().series).toBe(count);
		await check();
		for (let hour = 0; hour < 3; hour++) {
			wallMs += HOUR;
			await store.cutBlocks(wallMs);
		}
		expect(store.stats().series).toBe(0);
		await check();
		await store.stop();
		store = await open();
		await check();
		await write();
		expect(store.stats().series).toBe(count);
		await check();
	} finally {
		await store.stop();
		folder.remove();
	}
}

/** A day of `series` series every 15 s, blocks hour by hour, compaction at the end: what memory holds does not grow from hour to hour. */
export async function dayUnderLoad(series: number): Promise<void> {
	const folder = temporaryFolder('day');
	let wallMs = START;
	const store = await openTestStore(folder.path, { clock: { ...systemClock, now: () => wallMs } });
	const labels = Array.from({ length: series }, (_, i) => ['__name__', `m${i % 50}`, 'i', String(i)]);
	const buffers: number[] = [];
	const resident: number[] = [];
	try {
		for (let hour = 0; hour < 24; hour++) {
			for (let step = 0; step < 240; step++) {
				wallMs = START + hour * HOUR + step * 15_000;
				const appender = store.appender();
				for (let i = 0; i < series; i++) appender.append(labels[i] as string[], wallMs, Math.sin(i + step) * 1000);
				await appender.commit();
			}
			wallMs = START + (hour + 1) * HOUR + 180_000;
			await store.cutBlocks(START + (hour + 1) * HOUR);
			buffers.push(store.stats().headMemoryBytes + store.stats().logBytes);
			resident.push(process.memoryUsage().rss);
		}
		// The first hours size the buffers; after that nothing may be added.
		expect(Math.max(...buffers.slice(8))).toBeLessThanOrEqual(Math.max(...buffers.slice(0, 8)));
		expect(Math.max(...resident.slice(16))).toBeLessThanOrEqual(Math.max(...resident.slice(0, 16)) * 1.2);
		await store.compactBlocks();
		const [first] = await store.select([equals('i', '0')], START, START + DAY);
		expect(first?.values).toHaveLength(24 * 240);
	} finally {
		await store.stop();
		folder.remove();
	}
}
