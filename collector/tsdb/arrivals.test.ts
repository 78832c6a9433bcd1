import { afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { equals, matches, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import { ArrivalMarks } from '../storage/arrival-marks.ts';
import { decodeLabelBytes } from '../storage/label-bytes.ts';
import type { Matcher } from '../storage/storage.ts';
import type { Store } from './store.ts';

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5);

let folder: TemporaryFolder;
let store: Store;
let wall: number;

afterEach(async () => {
	await store.stop();
	folder.remove();
});

async function open(arrivals?: ArrivalMarks): Promise<void> {
	folder = temporaryFolder('arrivals');
	wall = START;
	const clock = { ...systemClock, now: () => wall };
	store = await openTestStore(folder.path, {
		clock,
		quietMs: HOUR,
		retentionMs: 100 * 24 * HOUR,
		...(arrivals === undefined ? {} : { arrivals }),
	});
}

async function append(series: readonly (readonly string[])[], ageMs = 0): Promise<void> {
	const appender = store.appender();
	for (const labels of series) appender.append(labels, wall - ageMs, 1);
	await appender.commit();
}

/** Until quiet series have left their slots: they are found quiet by one writing of blocks, and leave at a later one. */
async function forget(): Promise<void> {
	for (let hours = 0; hours < 16 && store.stats().series > 0; hours += 4) {
		wall += 4 * HOUR;
		await store.cutBlocks();
	}
	expect(store.stats().series).toBe(0);
}

const metric = (name: string, host: string) => ['__name__', name, 'host', host];

test('a store notes what comes, also of a series that took the place of another', async () => {
	const marks = new ArrivalMarks();
	const names: string[] = [];
	marks.read({
		classify: (labels) => 1 + names.push(decodeLabelBytes(labels, 0, labels.length).join(' ')),
		onMarks: () => {},
	});
	const taken = () => {
		const found: string[] = [];
		marks.take((number) => found.push(names[number - 2] ?? ''));
		return found;
	};
	await open(marks);
	await append([metric('m', 'a'), metric('m', 'b')]);
	expect(taken()).toEqual(['__name__ m host a', '__name__ m host b']);
	await append([metric('m', 'b')], 60_000);
	expect(taken()).toEqual([]);
	await forget();
	await append([metric('m', 'c')]);
	expect(taken()).toEqual(['__name__ m host c']);
});

describe.each([
	{ also: 'with series that have gone', gone: true },
	{ also: 'with all of them alive', gone: false },
])('a part of a selector $also', ({ gone }) => {
	const among = (...values: readonly string[]): Matcher => ({
		...matches('host', /./),
		literals: values,
		test: (value) => values.includes(value),
	});

	test.each([
		{ name: 'one value', within: equals('host', 'b') },
		{ name: 'several, in the order of labels', within: among('c', 'a', 'gone', 'nobody') },
		{ name: 'those without the label', within: equals('host', '') },
		{ name: 'a pattern', within: matches('host', /^[ab]$/) },
	])('is what the matcher among the others gives: $name', async ({ within }) => {
		await open();
		if (gone) {
			await append([metric('m', 'gone')]);
			await forget();
		}
		await append([metric('m', 'c'), metric('m', 'a'), metric('m', 'b'), metric('other', 'a'), ['__name__', 'm']]);
		await append([['__name__', 'm', 'disk', 'x', 'host', 'a']]);
		const own = [equals('__name__', 'm')];
		for (let again = 0; again < 2; again++) {
			const whole = await store.select([...own, within], START, wall);
			expect(whole.length).toBeGreaterThan(0);
			expect(await store.select(own, START, wall, { within })).toEqual(whole);
			expect(await store.series(own, START, wall, { within })).toEqual(whole.map(({ labels }) => labels));
		}
		await append([metric('m', 'b2'), ['__name__', 'm', 'disk', 'y', 'host', 'b']]);
		expect(await store.select(own, START, wall, { within })).toEqual(await store.select([...own, within], START, wall));
	});
});
