import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../core/clock.ts';
import { labelValue } from '../../core/labels.ts';
import { temporaryFolder } from '../../tests/harness/process.ts';
import { equals, matches, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import { decodeLabelBytes, encodeLabelBytes } from '../storage/label-bytes.ts';
import type { Matcher } from '../storage/storage.ts';
import { decodeIds, encodeIds } from './blocks/gone-postings.ts';
import type { Store } from './store.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 5);

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
	for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

function folder(): string {
	const made = temporaryFolder('gone');
	cleanups.push(() => made.remove());
	return made.path;
}

async function open(dataDir: string, clock: Clock): Promise<Store> {
	const store = await openTestStore(dataDir, { clock, quietMs: HOUR, retentionMs: 400 * DAY });
	cleanups.push(() => store.stop());
	return store;
}

/** Series of five generations, an hour apart, of which all but the last have left memory. */
async function generations(
	dataDir: string,
): Promise<{ readonly store: Store; readonly all: readonly (readonly string[])[]; readonly wallMs: number }> {
	let wallMs = START;
	const store = await open(dataDir, { ...systemClock, now: () => wallMs });
	const all: string[][] = [];
	for (let generation = 0; generation < 5; generation++) {
		const appender = store.appender();
		for (let i = 0; i < 60; i++) {
			const name = i % 20 === 0 ? 'probe_success' : `m${i % 4}`;
			const labels = ['__name__', name, 'generation', String(generation), 'host', `h${i % 7}`, 'i', String(i)];
			if (i % 5 === 0) labels.push('zone', '政务');
			all.push(labels);
			appender.append(labels, wallMs, i);
		}
		await appender.commit();
		wallMs += 2 * HOUR;
		await store.cutBlocks(wallMs);
	}
	return { store, all, wallMs };
}

const absent: Matcher = { name: 'zone', kind: '=', value: '', test: (value) => value === '', literals: [''] };

describe('series that have left memory', () => {
	test('are found by any matchers as if they were all looked at', async () => {
		const { store, all, wallMs } = await generations(folder());
		expect(store.stats().series).toBeLessThan(all.length / 2);
		const matcher = fc.oneof(
			fc.nat(8).map((i) => equals('host', `h${i}`)),
			fc.nat(4).map((i) => equals('__name__', `m${i}`)),
			fc.nat(5).map((i) => equals('generation', String(i))),
			fc.constantFrom(
				equals('zone', '政务'),
				absent,
				matches('i', /^(?:1.*)$/),
				matches('host', /^(?:h[12])$/),
				matches('host', /^(?:h3)$/, true),
			),
		);
		await fc.assert(
			fc.asyncProperty(fc.array(matcher, { maxLength: 3 }), fc.nat(9), fc.nat(9), async (matchers, a, b) => {
				const [fromMs, toMs] = [START + Math.min(a, b) * HOUR, START + Math.max(a, b) * HOUR];
				const expected = all.filter((labels) => {
					const timeMs = START + Number(labels[3]) * 2 * HOUR;
					return timeMs >= fromMs && timeMs <= toMs && matchers.every((its) => its.test(labelValue(labels, its.name)));
				});
				const found = await store.series(matchers, fromMs, toMs);
				expect(found.map((labels) => labels.join()).sort()).toEqual(expected.map((labels) => labels.join()).sort());
				const hosts = await store.labelValues('host', matchers, fromMs, toMs);
				for (const labels of expected) expect(hosts).toContain(labelValue(labels, 'host'));
			}),
			{ numRuns: 150 },
		);
		expect(await store.labelNames([], START, wallMs)).toEqual(['__name__', 'generation', 'host', 'i', 'zone']);
		expect(await store.labelValues('generation', [], START, START + HOUR)).toEqual(['0']);
		expect(await store.labelValues('generation', [], START, wallMs)).toEqual(['0', '1', '2', '3', '4']);
	});

	test('a selector without a metric name reads the rows that match, not all', async () => {
		const dataDir = folder();
		const { store, wallMs } = await generations(dataDir);
		await store.stop();
		// Rows of other hosts get labels that would match: whoever reads them all finds too many.
		const index = new DatabaseSync(join(dataDir, 'store/index.db'));
		const update = index.prepare('update series set labels = ? where id = ?');
		for (const row of index.prepare('select id, labels from series where gone = 1').all()) {
			const labels = row['labels'] as Uint8Array;
			if (labelValue(decodeLabelBytes(labels, 0, labels.length), 'host') === 'h3') continue;
			update.run(encodeLabelBytes(['host', 'h3', 'was', String(row['id'])]), Number(row['id']));
		}
		index.close();
		const again = await open(dataDir, { ...systemClock, now: () => wallMs });
		const found = await again.series([equals('host', 'h3')], START, START + 4 * HOUR);
		expect(found).toHaveLength(3 * 9);
		expect(new Set(found.map((labels) => labelValue(labels, 'host')))).toEqual(new Set(['h3']));
	});

	test('an index of version 2 gets its postings when it is first written to, and answers before', async () => {
		const dataDir = folder();
		const { store, all, wallMs } = await generations(dataDir);
		await store.stop();
		const index = new DatabaseSync(join(dataDir, 'store/index.db'));
		index.exec('drop table gone_pair; drop table gone_posting; pragma user_version = 2');
		index.close();
		const again = await open(dataDir, { ...systemClock, now: () => wallMs });
		const check = async () => {
			expect(await again.series([equals('host', 'h3')], START, wallMs)).toHaveLength(all.filter((labels) => labels[5] === 'h3').length);
			expect(await again.labelValues('generation', [], START, START + HOUR)).toEqual(['0']);
		};
		await check();
		await again.cutBlocks();
		await check();
		await again.stop();
		const after = new DatabaseSync(join(dataDir, 'store/index.db'), { readOnly: true });
		expect(after.prepare('pragma user_version').get()).toEqual({ user_version: 3 });
		expect(Number(after.prepare('select count(*) as n from gone_posting').get()?.['n'])).toBeGreaterThan(100);
		after.close();
	});

	test('lists of ids return as they were', () => {
		fc.assert(
			fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 32 - 1 })), (ids) => {
				expect(decodeIds(encodeIds(ids))).toEqual([...ids].sort((a, b) => a - b));
			}),
		);
	});
});
