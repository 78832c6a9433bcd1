import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labelsFromObject, labelValue } from '../../core/labels.ts';
import { equals, matches } from '../../tests/harness/store/open-test-store.ts';
import { encodeLabelBytes } from '../storage/label-bytes.ts';
import type { Matcher } from '../storage/storage.ts';
import { Head } from './head.ts';
import { HeadReader } from './head-reader.ts';
import { hashLabelBytes } from './registry.ts';
import { SeriesIndex } from './series-index.ts';

function view(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function negated(matcher: Matcher): Matcher {
	return { ...matcher, kind: '!=', test: (value) => !matcher.test(value), literals: null };
}

const value = fc.constantFrom('', 'a', 'b', 'ab', 'abc', '值');
const name = fc.constantFrom('__name__', 'host', 'zone', '标签');
const matcher = fc.oneof(
	fc.tuple(name, value).map(([n, v]) => equals(n, v)),
	fc.tuple(name, value).map(([n, v]) => negated(equals(n, v))),
	fc.tuple(name, fc.constantFrom(/^(?:a.*)$/, /^(?:|b)$/, /^(?:.+)$/, /^(?:.*)$/), fc.boolean()).map(([n, p, not]) => matches(n, p, not)),
);

describe('series index', () => {
	test('finds what a look at every series finds', () => {
		fc.assert(
			fc.property(
				fc.uniqueArray(fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true }), {
					maxLength: 60,
					selector: (labels) => JSON.stringify(labelsFromObject(labels)),
				}),
				fc.array(matcher, { maxLength: 4 }),
				fc.nat(60),
				(sets, matchers, firstPart) => {
					const head = new Head(0);
					const reader = new HeadReader(head.layout(), () => head.layout());
					const index = new SeriesIndex(reader);
					const series = sets.map(labelsFromObject).filter((labels) => labels.length > 0);
					series.forEach((labels, id) => {
						head.addSeries(id, encodeLabelBytes(labels), 0);
						// The index is asked in between and has to catch up.
						if (id === firstPart) {
							reader.refresh();
							index.sync();
						}
					});
					reader.refresh();
					index.sync();
					const expected = series.flatMap((labels, id) => (matchers.every((m) => m.test(labelValue(labels, m.name))) ? [id] : []));
					expect([...index.select(matchers)]).toEqual(expected);
				},
			),
			{ numRuns: 500 },
		);
	});
});

describe('slots', () => {
	test('a look at a series whose slot has another one says that it is not there', () => {
		const head = new Head(0);
		const reader = new HeadReader(head.layout(), () => head.takeLayout());
		const index = new SeriesIndex(reader);
		const first = head.addSeries(0, encodeLabelBytes(['__name__', 'first']), 0);
		head.append(first, 1000, 1, 0);
		index.sync();
		expect(reader.snapshot(first, 0, 0, 2000)).toBe(true);
		head.rotate(1, 1);
		head.settleSlots(0, 1);
		head.dropRetired();
		head.release([first]);
		expect(head.addSeries(1, encodeLabelBytes(['__name__', 'second']), 0)).toBe(first);
		head.append(first, 1500, 2, 0);
		expect(reader.snapshot(first, 0, 0, 2000)).toBe(false);
		expect(reader.labels(first, 0)).toBe(null);
		expect(reader.snapshot(first, 1, 0, 2000)).toBe(true);
		index.sync();
		expect([...index.select([equals('__name__', 'first')])]).toEqual([]);
		expect([...index.select([equals('__name__', 'second')])].map((slot) => index.idOf(slot))).toEqual([1]);
		expect([...index.names()]).toEqual(['__name__']);
		expect(index.valueCount('__name__')).toBe(1);
	});
});

describe('series registry', () => {
	test('keeps series apart whose hashes are equal', () => {
		// Two label sets with one hash: by the birthday paradox a few hundred thousand tries are plenty.
		const byHash = new Map<number, Uint8Array>();
		let pair: readonly [Uint8Array, Uint8Array] | null = null;
		for (let i = 0; pair === null; i++) {
			const bytes = encodeLabelBytes(['n', `${i}`.padStart(8, '0')]);
			const hash = hashLabelBytes(view(bytes), 0, bytes.length);
			const other = byHash.get(hash);
			if (other !== undefined) pair = [other, bytes];
			byHash.set(hash, bytes);
			expect(i).toBeLessThan(2_000_000);
		}
		const { registry } = new Head(0);
		const [first, second] = pair;
		registry.insert(0, first);
		expect(registry.find(second, view(second), 0, second.length, -1)).toBe(-1);
		registry.insert(1, second);
		expect(registry.find(first, view(first), 0, first.length, -1)).toBe(0);
		expect(registry.find(second, view(second), 0, second.length, -1)).toBe(1);
		// The guess from the series before is only a guess.
		expect(registry.find(first, view(first), 0, first.length, 0)).toBe(0);
		expect(registry.find(second, view(second), 0, second.length, 0)).toBe(1);
	});

	test('finds thousands again, in any order, with and without hints', () => {
		const head = new Head(0);
		const all = Array.from({ length: 5000 }, (_, i) => encodeLabelBytes(['__name__', 'm', 'i', String(i), 'pad', 'x'.repeat(i % 7)]));
		for (const [id, bytes] of all.entries()) head.addSeries(id, bytes, 0);
		for (const step of [1, 7, 4999]) {
			let hint = -1;
			for (let k = 0; k < 5000; k++) {
				const id = (k * step) % 5000;
				const bytes = all[id] as Uint8Array;
				const found = head.registry.find(bytes, view(bytes), 0, bytes.length, hint);
				expect(found).toBe(id);
				hint = found;
			}
		}
	});
});
