import type { Family } from './block-files.ts';
import type { Checkpoint } from './index-file.ts';

/** What the store asks of the thread that writes blocks. One answer per task, in order. */
export type BlockTask =
	/** `spans`: first and last time per series where blocks have it already and the index has forgotten; NaN otherwise. */
	| {
			readonly kind: 'series';
			readonly ids: Uint32Array;
			readonly lengths: Uint32Array;
			readonly labels: Uint8Array;
			readonly spans: Float64Array;
	  }
	| { readonly kind: 'metadata'; readonly rows: readonly { readonly metric: string; readonly json: string }[] }
	| ChunkTask
	/** These series leave memory: from now on they are found in the index. */
	| { readonly kind: 'gone'; readonly ids: Uint32Array }
	/** Forgets gone series whose last sample is before their retention. */
	| { readonly kind: 'forget'; readonly samplesBeforeMs: number; readonly checksBeforeMs: number }
	/** Deletes samples, and records that everything up to deletion `number` has been deleted. */
	| {
			readonly kind: 'delete';
			readonly number: number;
			readonly ids: Uint32Array;
			readonly minMs: number;
			readonly maxMs: number;
	  }
	/** Makes everything before it durable and records it. */
	| { readonly kind: 'checkpoint'; readonly checkpoint: Checkpoint }
	/**
	 * Compacts a complete file, a bounded part of it per task: again until the answer says that it is `complete`. With `everyMs` it is down-sampled.
	 */
	| { readonly kind: 'compact'; readonly name: string; readonly everyMs: number | null }
	/** Looks whether a file is whole, and reports it when it is not. */
	| { readonly kind: 'verify'; readonly name: string }
	/** Deletes files whose retention is over. */
	| { readonly kind: 'drop'; readonly names: readonly string[] }
	| { readonly kind: 'stop' };

/**
 * Chunks of one bucket. Series `ids[i]`, has the next `counts[i]` entries of `lengths`, from the least to the most
 * authoritative; their bytes follow each other in `bytes`.
 */
export interface ChunkTask {
	readonly kind: 'chunks';
	readonly family: Family;
	readonly bucket: number;
	readonly ids: Uint32Array;
	readonly counts: Uint32Array;
	readonly lengths: Uint32Array;
	readonly bytes: Uint8Array;
}

export interface TaskResult {
	readonly chunks: number;
	readonly replaced: number;
	/** Of a compaction: whether it is done. */
	readonly complete: boolean;
}

export type BlockAnswer =
	| ({ readonly kind: 'done' } & TaskResult)
	/** `report` says what was found damaged and put aside on the way, even when the task was done in the end. */
	| { readonly kind: 'failed'; readonly full: boolean; readonly message: string }
	| { readonly kind: 'report'; readonly file: string; readonly message: string };
