import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonBytes } from './json-bytes.ts';
import { formatSeconds, MAX_BYTES, writeResult } from './result-json.ts';

function written(timestamps: Float64Array): string {
	const json = new JsonBytes(64, MAX_BYTES);
	const values = timestamps.map(() => 1);
	writeResult(json, { kind: 'matrix', series: [{ labels: [], timestamps, values }] }, 0);
	return Buffer.from(json.finish()).toString('utf8');
}

test('times in a matrix are those that formatSeconds writes, whatever the step', () => {
	const start = fc.oneof(
		fc.integer({ min: -20_000_000, max: 20_000_000 }),
		fc.integer({ min: 1_600_000_000_000, max: 1_900_000_000_000 }),
		fc.integer({ min: 1_600_000_000, max: 1_900_000_000 }).map((seconds) => seconds * 1000),
	);
	const step = fc.oneof(fc.constantFrom(1, 500, 1000, 15_000, 60_000, 10_000_000, 3_600_000), fc.integer({ min: 1, max: 1e9 }));
	fc.assert(
		fc.property(start, step, fc.integer({ min: 1, max: 50 }), (startMs, stepMs, count) => {
			const timestamps = Float64Array.from({ length: count }, (_, i) => startMs + i * stepMs);
			const points = Array.from(timestamps, (time) => `[${formatSeconds(time)},"1"]`);
			expect(written(timestamps)).toContain(`"values":[${points.join(',')}]`);
		}),
	);
});
