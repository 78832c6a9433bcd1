import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DROPPED, SeriesCache, UNRESOLVED } from './series-cache.ts';

test('whatever is added, cut off and thrown away, every series is found and no other', () => {
	const encoder = new TextEncoder();
	const name = fc.stringMatching(/^[ab]{1,6}(\{c="[de]{0,3}"\})?$/);
	const command = fc.oneof(
		{ weight: 10, arbitrary: fc.record({ kind: fc.constant('scrape' as const), names: fc.array(name, { maxLength: 40 }) }) },
		fc.record({ kind: fc.constant('fail' as const), names: fc.array(name, { maxLength: 40 }) }),
		fc.record({ kind: fc.constant('keepSeen' as const), names: fc.constant([] as string[]) }),
	);
	fc.assert(
		fc.property(fc.array(command, { maxLength: 20 }), (commands) => {
			const cache = new SeriesCache();
			let model = new Map<string, { id: number; seen: number }>();
			let scrape = 0;
			let lastGood = 0;
			let ids = 0;
			for (const { kind, names } of commands) {
				if (kind === 'keepSeen') {
					if (lastGood !== scrape) continue;
					cache.keepSeen(lastGood);
					model = new Map([...model].filter(([, entry]) => entry.seen === lastGood));
				} else {
					scrape++;
					const before = cache.count;
					cache.rewind();
					const added = new Map<string, { id: number; seen: number }>();
					for (const text of names) {
						const bytes = encoder.encode(`x${text}x`);
						let entry = cache.find(bytes, 1, bytes.length - 1);
						expect(entry >= 0).toBe(model.has(text) || added.has(text));
						if (entry < 0) {
							entry = cache.add(bytes, 1, bytes.length - 1);
							expect(cache.ids[entry]).toBe(UNRESOLVED);
							cache.ids[entry] = ids % 5 === 0 ? DROPPED : ids;
							added.set(text, { id: cache.ids[entry] as number, seen: scrape });
							ids++;
						}
						expect(cache.ids[entry]).toBe((model.get(text) ?? added.get(text))?.id);
						cache.seen[entry] = scrape;
						const known = model.get(text);
						if (known !== undefined) known.seen = scrape;
					}
					if (kind === 'fail') cache.truncate(before);
					else {
						for (const [text, entry] of added) model.set(text, entry);
						lastGood = scrape;
					}
				}
				expect(cache.count).toBe(model.size);
				for (const [text, { id, seen }] of model) {
					const bytes = encoder.encode(text);
					const entry = cache.find(bytes, 0, bytes.length);
					expect([text, cache.ids[entry], cache.seen[entry]]).toEqual([text, id, seen]);
				}
			}
		}),
		{ numRuns: 300 },
	);
});
