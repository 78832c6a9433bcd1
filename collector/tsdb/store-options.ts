import type { Registry } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import type { Logger } from '../../core/log.ts';
import type { ArrivalMarks } from '../storage/arrival-marks.ts';

export interface StoreOptions {
	/** The store lives in `<dataDir>/store`. */
	readonly dataDir: string;
	readonly retentionMs: number;
	/** For `probe_success` and `fournines_check_*`. */
	readonly checkRetentionMs: number;
	/** Bytes that block files of samples may take; whole days are deleted, the oldest first, looked at every ten minutes. Default: unlimited. */
	readonly retentionBytes?: number;
	readonly fsync: 'interval' | 'always';
	/** With `interval`: the most that a cut of power can cost. Default 1 s. */
	readonly fsyncIntervalMs?: number;
	readonly log: Logger;
	readonly clock: Clock;
	readonly metrics: Registry;
	/** Default 2,000,000. */
	readonly maxSeries?: number;
	/** Series that one sender (label `host`, or else `instance`) may have. Default: unlimited. */
	readonly maxSeriesPerHost?: number;
	/** Samples further ahead of the clock than this are refused. Default 5 min. */
	readonly futureMs?: number;
	/** Memory for sealed chunks before blocks are written early. Default 512 MiB; at twice that, samples are refused (429). */
	readonly maxHeadBytes?: number;
	/** A log segment is closed at this size. Default 128 MiB. */
	readonly logSegmentBytes?: number;
	/** With a log of this size, three or more complete hours that came late are written into blocks at once. Default 64 MiB. */
	readonly lateLogBytes?: number;
	/** A series without samples for so long leaves memory when blocks are next written; queries find it in blocks. Default 3 h. */
	readonly quietMs?: number;
	/** A day (of checks: a month) is compacted when it is over for so long. Default 6 h. */
	readonly compactAfterMs?: number;
	/** Days that are over for `afterMs` are reduced to buckets of `everyMs`; checks never are. Default: never. */
	readonly downsample?: { readonly afterMs: number; readonly everyMs: number };
	/** How often it looks whether blocks are due. Default 5 s. */
	readonly cutIntervalMs?: number;
	/**
	 * Told the oldest time when samples of checks or heartbeats came that are more than 10 minutes old, so that what was computed from then on is
	 * computed again. At most once per 100 ms; never after `stop`.
	 */
	readonly onOldChecks?: (minMs: number, maxMs: number) => void;
	/** Every batch that was taken is noted there. */
	readonly arrivals?: ArrivalMarks;
}

export const DEFAULT_MAX_SERIES = 2_000_000;
/** Samples further ahead than this are a wrong clock, and would push aside what is true. */
export const DEFAULT_FUTURE_MS = 300_000;
