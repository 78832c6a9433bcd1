import type { MetricMetadata } from './storage.ts';

/**
 * The fast way in, for protocols that arrive as bytes: series are named by their canonical label bytes
 * (`label-bytes.ts`), samples come in columns, and nothing is allocated per sample.
 *
 * Ids are the store's own, and they are lent: a series that nobody writes leaves memory, and its id means another one then.
 * That never happens within a turn of the event loop. Whoever keeps an id for longer compares `departures` first, and
 * where that has risen, `identity` of every id that was kept.
 */
export interface ColumnIngest {
	/**
	 * The id of the series with these label bytes, or -1. `hint` is the id found before it: senders repeat their series
	 * in the same order, so the successor of `hint` is compared before anything is hashed.
	 */
	findSeries(bytes: Uint8Array, view: DataView, start: number, end: number, hint: number): number;
	/** The id of the series, which is created when it is new. Throws `FN_STORE_SERIES_LIMIT`. The bytes must be canonical. */
	createSeries(canonical: Uint8Array): number;
	/** Remembers other bytes that mean the same series, from a sender that sorts or encodes differently. */
	addAlias(bytes: Uint8Array, start: number, end: number, id: number): void;
	/** Rises when series have left memory. */
	departures(): number;
	/** A number that no two series ever share, of the series that has this id now; -1 when none has. */
	identity(id: number): number;
	/** Accepted sample times at this moment, inclusive: samples outside must not be given to `write`. `futureMs` is how far ahead of the clock that is. */
	bounds(): { readonly minMs: number; readonly maxMs: number; readonly futureMs?: number };
	/**
	 * Takes samples `0 .. count`. Resolves when they are acknowledged (they survive SIGKILL); rejects with
	 * `FN_STORE_FULL`, `FN_STORE_OVERLOADED` or the like, and then none will be there after a restart. The columns may be reused as soon as the call returns.
	 */
	write(samples: SampleColumns, count: number): Promise<void>;
	/** Remembers what is said of a metric; the last word counts. */
	describe(metric: string, metadata: MetricMetadata): void;
}

/** One sample per index. Values as words too, because a NaN's payload does not survive being a JavaScript number. */
export interface SampleColumns {
	readonly ids: Uint32Array;
	readonly timestamps: Float64Array;
	/** Two little-endian words per value. */
	readonly valueWords: Uint32Array;
}
