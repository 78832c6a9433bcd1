import type { Family } from './blocks/block-files.ts';
import type { ChunkTask } from './blocks/block-messages.ts';
import type { Memtable } from './memtable.ts';
import {
	ARENA_WORDS,
	CHUNK_BUCKET,
	CHUNK_BYTES,
	CHUNK_COUNT,
	CHUNK_HEADER_WORDS,
	CHUNK_PREVIOUS,
	SLOT_FAMILY,
	SLOT_ID,
	SLOT_WORDS,
} from './shared-head.ts';

/** A task is sent when it has grown to this: about a millisecond of copying, and a few of writing. */
const TASK_BYTES = 1 << 20;
const TASK_CHUNKS = 4096;
/** Slots that are looked at before others get a turn, also when none has anything. */
const TASK_SLOTS = 20_000;

/** Packs the chunks of one bucket and family of a memtable into tasks, so that each takes the main thread about a millisecond. */
export function* packChunks(
	memtable: Memtable,
	slots: Int32Array,
	selection: { readonly bucket: number; readonly family: Family; readonly slotCount: number },
): Generator<ChunkTask | null> {
	const { bucket, family, slotCount } = selection;
	const listed = memtable.buckets.get(bucket);
	const ids = listed === null || listed === undefined ? null : Uint32Array.from(listed).sort();
	const count = ids === null ? slotCount : ids.length;
	let packed = new PackedChunks();
	for (let i = 0; i < count; i++) {
		const id = ids === null ? i : (ids[i] as number);
		if (slots[id * SLOT_WORDS + SLOT_FAMILY] === family)
			packed.addSeries(memtable, { slot: id, id: (slots[id * SLOT_WORDS + SLOT_ID] as number) >>> 0 }, bucket);
		if (packed.byteCount >= TASK_BYTES || packed.chunkCount >= TASK_CHUNKS) {
			yield packed.task(family, bucket);
			packed = new PackedChunks();
		} else if (i % TASK_SLOTS === TASK_SLOTS - 1) yield null;
	}
	if (packed.chunkCount > 0) yield packed.task(family, bucket);
}

class PackedChunks {
	byteCount = 0;
	chunkCount = 0;
	readonly #ids: number[] = [];
	readonly #counts: number[] = [];
	readonly #lengths: number[] = [];
	readonly #parts: Uint8Array[] = [];

	/** In order first, late ones after them, each from old to new: the order in which they overrule each other. */
	addSeries(memtable: Memtable, { slot, id }: { readonly slot: number; readonly id: number }, bucket: number): void {
		const ordered: Uint8Array[] = [];
		const late: Uint8Array[] = [];
		for (let ref = memtable.chain[slot] as number; ref !== 0; ) {
			const arena = memtable.segments[(ref / ARENA_WORDS) | 0] as Int32Array;
			const at = ref % ARENA_WORDS;
			if (arena[at + CHUNK_BUCKET] === bucket) {
				const bytes = new Uint8Array(arena.buffer, (at + CHUNK_HEADER_WORDS) * 4, arena[at + CHUNK_BYTES] as number);
				((arena[at + CHUNK_COUNT] as number) < 0 ? late : ordered).push(bytes);
			}
			ref = arena[at + CHUNK_PREVIOUS] as number;
		}
		if (ordered.length + late.length === 0) return;
		this.#ids.push(id);
		this.#counts.push(ordered.length + late.length);
		for (const chunks of [ordered.reverse(), late.reverse()]) {
			for (const bytes of chunks) {
				this.#lengths.push(bytes.length);
				this.#parts.push(bytes);
				this.byteCount += bytes.length;
				this.chunkCount++;
			}
		}
	}

	task(family: Family, bucket: number): ChunkTask {
		const bytes = new Uint8Array(this.byteCount);
		let at = 0;
		for (const part of this.#parts) {
			bytes.set(part, at);
			at += part.length;
		}
		return {
			kind: 'chunks',
			family,
			bucket,
			ids: Uint32Array.from(this.#ids),
			counts: Uint32Array.from(this.#counts),
			lengths: Uint32Array.from(this.#lengths),
			bytes,
		};
	}
}
