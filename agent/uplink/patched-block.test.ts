import fc from 'fast-check';
import { uncompressSync } from 'snappy';
import { compress, uncompress } from 'snappyjs';
import { expect, test } from 'vitest';
import { PatchedBlock } from './patched-block.ts';

interface Layout {
	readonly text: Uint8Array;
	readonly valueAt: Uint32Array;
	readonly timeAt: Uint32Array;
}

/** Stretches of text with a value and a time behind each, as a request has them: value, one byte, time. */
function layoutOf(stretches: readonly Uint8Array[]): Layout {
	const parts: Uint8Array[] = [];
	const valueAt: number[] = [];
	const timeAt: number[] = [];
	let at = 0;
	for (const [i, stretch] of stretches.entries()) {
		parts.push(stretch);
		at += stretch.length;
		if (i === stretches.length - 1) break;
		valueAt.push(at);
		timeAt.push(at + 9);
		parts.push(new Uint8Array(15));
		at += 15;
	}
	return { text: new Uint8Array(Buffer.concat(parts)), valueAt: Uint32Array.from(valueAt), timeAt: Uint32Array.from(timeAt) };
}

function patch({ text, valueAt, timeAt }: Layout, values: readonly number[], timeOf: (index: number) => number): void {
	const view = new DataView(text.buffer);
	valueAt.forEach((at, i) => {
		view.setFloat64(at, values[i % values.length] as number, true);
		const time = timeAt[i] as number;
		view.setUint32(time, timeOf(i), true);
		view.setUint16(time + 4, 7, true);
	});
}

// Few different bytes and stretches, so that there is something to find.
const stretch = fc.oneof(
	fc.uint8Array({ max: 3, maxLength: 90 }),
	fc.constantFrom('node_cpu_seconds_total', 'node_memory_MemFree_bytes', 'mode').map((text) => Buffer.from(text)),
	fc.uint8Array({ maxLength: 200 }),
);
const number = fc.oneof(fc.double(), fc.constantFrom(0, 0, 1, -0, 7, Number.NaN, Number.POSITIVE_INFINITY), fc.integer());

test('a block is what the patched text is, for every reader of snappy, round after round', () => {
	fc.assert(
		fc.property(
			fc.array(stretch, { minLength: 1, maxLength: 40 }),
			fc.array(fc.array(number, { minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 }),
			fc.nat(40),
			(stretches, rounds, change) => {
				const layout = layoutOf(stretches);
				patch(layout, [0], (i) => (i < change ? 1 : 2));
				const block = new PatchedBlock(layout.text, layout);
				for (const [round, values] of rounds.entries()) {
					patch(layout, values, (i) => (i < change ? 1000 + round : 5000 - round));
					const bytes = block.compress();
					expect(bytes).not.toBeNull();
					expect(uncompressSync(Buffer.from(bytes as Uint8Array))).toEqual(Buffer.from(layout.text));
					expect(new Uint8Array(uncompress(bytes as Uint8Array))).toEqual(layout.text);
				}
			},
		),
		{ numRuns: 300 },
	);
});

test('where times differ that were the same, there is no block instead of a wrong one', () => {
	const layout = layoutOf([Buffer.from('one'), Buffer.from('two'), Buffer.from('three'), Buffer.from('')]);
	patch(layout, [1], () => 5);
	const block = new PatchedBlock(layout.text, layout);
	patch(layout, [1], () => 6);
	expect(block.compress()).not.toBeNull();
	patch(layout, [1], (i) => (i === 2 ? 7 : 6));
	expect(block.compress()).toBeNull();
});

test('is smaller than what one pass over the text finds', () => {
	const names = Array.from({ length: 400 }, (_, i) => Buffer.from(`\u0012series_${i % 40}_total{cpu="${i % 8}",host="bench"}`));
	const layout = layoutOf(names);
	patch(
		layout,
		names.map((_, i) => (i % 3 === 0 ? 0 : i * 1024)),
		() => 9,
	);
	const block = new PatchedBlock(layout.text, layout).compress();
	expect(block?.length).toBeLessThan(compress(layout.text).length);
});

test('a text longer than copies reach', () => {
	const far = Array.from({ length: 3000 }, (_, i) => Buffer.from(`${(i * 2_654_435_761) % 4_294_967_296}-${i % 17}`));
	const layout = layoutOf(far);
	expect(layout.text.length).toBeGreaterThan(70_000);
	patch(layout, [0, 1.5, 3], () => 3);
	const block = new PatchedBlock(layout.text, layout).compress() as Uint8Array;
	expect(uncompressSync(Buffer.from(block))).toEqual(Buffer.from(layout.text));
});
