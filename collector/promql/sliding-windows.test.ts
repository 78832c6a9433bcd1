import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newColumn } from './columns.ts';
import { RANGE_KERNELS } from './range-kernels.ts';
import { newWindow, type RangeKernel, type RangeSeries, type WindowGrid } from './range-window.ts';
import { seriesKernel, walkWindows } from './series-kernels.ts';
import { isSummable, SLIDING_KERNELS } from './sliding-windows.ts';

const STEPS = 60;

/** Samples with gaps and repeated values, and windows that overlap, lie apart, or begin before the first sample. */
const windows = fc.record({
	gaps: fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 120 }),
	values: fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ min: -1e12, max: 1e12, noNaN: false })), {
		minLength: 120,
		maxLength: 120,
	}),
	firstEndMs: fc.integer({ min: -50, max: 500 }),
	stepMs: fc.integer({ min: 1, max: 60 }),
	rangeMs: fc.integer({ min: 1, max: 900 }),
});

function seriesOf(gaps: readonly number[], values: readonly number[]): RangeSeries {
	let time = 0;
	return { timestamps: Float64Array.from(gaps, (gap) => (time += gap)), values: Float64Array.from(values.slice(0, gaps.length)) };
}

function walked(name: string, series: RangeSeries, grid: WindowGrid) {
	const column = newColumn([], grid.count);
	walkWindows(series, grid, column, {
		kernel: RANGE_KERNELS[name] as RangeKernel,
		scalars: [],
		times: { startMs: 0, stepMs: 1 },
		window: newWindow(),
	});
	return column;
}

describe('sliding gives what walking through each window gives', () => {
	test.each(Object.keys(SLIDING_KERNELS))('%s', (name) => {
		fc.assert(
			fc.property(windows, ({ gaps, values, ...grid }) => {
				const series = seriesOf(gaps, values);
				const entry = SLIDING_KERNELS[name];
				if (entry === undefined || (entry.kind === 'sum' && !isSummable(series.values))) return;
				const column = newColumn([], STEPS);
				entry.kernel(series, { ...grid, count: STEPS }, column);
				const expected = walked(name, series, { ...grid, count: STEPS });
				expect(column.present).toEqual(expected.present);
				for (let i = 0; i < STEPS; i++) {
					const difference = Math.abs((column.values[i] as number) - (expected.values[i] as number));
					if (entry.kind === 'exact')
						expect(column.values[i] === expected.values[i] || Object.is(column.values[i], expected.values[i])).toBe(true);
					else expect(difference).toBeLessThanOrEqual(1e-13 * Math.abs(expected.values[i] as number));
				}
			}),
			{ numRuns: 300 },
		);
	});

	test.each([
		{ name: 'a cancelled sum keeps its rest', values: [1, 1e100, 1, -1e100], sum: 2 },
		{ name: 'small beside large', values: [1e16, 1, 1, -1e16], sum: 2 },
	])('$name', ({ values, sum }) => {
		const series = seriesOf([1, 1, 1, 1], values);
		const column = newColumn([], 3);
		SLIDING_KERNELS['sum_over_time']?.kernel(series, { firstEndMs: 3, stepMs: 1, count: 3, rangeMs: 4 }, column);
		expect(column.values[1]).toBe(sum);
	});
});

test('values that would overflow are walked through', () => {
	const series = seriesOf(
		Array.from({ length: 100 }, () => 1),
		Array.from({ length: 100 }, () => 1e300),
	);
	const grid = { firstEndMs: 50, stepMs: 1, count: 50, rangeMs: 40 };
	expect(seriesKernel('sum_over_time', series, grid)).toBeNull();
	expect(seriesKernel('max_over_time', series, grid)).not.toBeNull();
	expect(seriesKernel('max_over_time', series, { ...grid, stepMs: 0 })).toBeNull();
});
