import type { Head } from './head.ts';
import type { HeadReader } from './head-reader.ts';
import { SampleRuns, sampleBudget } from './sample-runs.ts';

/** What memory keeps of a series when a part of it is deleted. */
export interface Kept {
	readonly slot: number;
	readonly timestamps: Float64Array;
	readonly words: Uint32Array;
}

/** What memory has of the series outside of the two times. */
export function keptInMemory(reader: HeadReader, slot: number, id: number, minMs: number, maxMs: number): Kept {
	const runs = new SampleRuns(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, sampleBudget(undefined));
	if (reader.snapshot(slot, id, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)) reader.emit(runs);
	const { timestamps, values } = runs.finish();
	const words = new Uint32Array(values.buffer);
	let count = 0;
	for (let i = 0; i < timestamps.length; i++) {
		const timeMs = timestamps[i] as number;
		if (timeMs >= minMs && timeMs <= maxMs) continue;
		timestamps[count] = timeMs;
		words[count * 2] = words[i * 2] as number;
		words[count * 2 + 1] = words[i * 2 + 1] as number;
		count++;
	}
	return { slot, timestamps: timestamps.subarray(0, count), words };
}

/** Makes `kept` all that memory has of a series that otherwise, in blocks, lived in `span`. */
export function rewriteInMemory(head: Head, kept: Kept, span: { readonly firstMs: number; readonly lastMs: number }): void {
	const { slot, timestamps, words } = kept;
	const { counters, lifetimes } = head;
	const before = { ...counters };
	head.empty(slot);
	lifetimes[slot * 2] = Number.POSITIVE_INFINITY;
	lifetimes[slot * 2 + 1] = Number.NEGATIVE_INFINITY;
	for (let i = 0; i < timestamps.length; i++)
		head.append(slot, timestamps[i] as number, words[i * 2] as number, words[i * 2 + 1] as number);
	head.widenLifetime(slot, span.firstMs, span.lastMs);
	// They were counted when they came.
	Object.assign(counters, before);
}
