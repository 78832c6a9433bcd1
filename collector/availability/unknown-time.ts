import type { Timeline } from './intervals.ts';

/**
 * How time in which nothing was seen counts: exactly as if the service had been seen `up` or `down` in it, or `left-out`, exactly as
 * if that time had not been.
 */
export const UNKNOWN_AS = ['up', 'down', 'left-out'] as const;
export type UnknownAs = (typeof UNKNOWN_AS)[number];

/** A run of downtime in a ledger, whole seconds. */
export interface LedgerOutage {
	readonly fromSeconds: number;
	/** `null` when the window ends in it. */
	readonly toSeconds: number | null;
	/** Without what was left out of it. */
	readonly downSeconds: number;
}

/**
 * The outages of a ledger. Left out, unknown time neither ends an outage nor lengthens it; a good check ends it. As `up` it ends one,
 * as `down` it goes on or begins one. Excluded time always ends one.
 */
export function outagesOf(timeline: Timeline, unknown: UnknownAs = 'left-out'): readonly LedgerOutage[] {
	const found: { fromSeconds: number; toSeconds: number | null; downSeconds: number }[] = [];
	let current: { fromSeconds: number; toSeconds: number | null; downSeconds: number } | null = null;
	for (const { from, to, state } of timeline) {
		if (state === 'down' || (state === 'unknown' && unknown === 'down')) {
			if (current === null) {
				current = { fromSeconds: from, toSeconds: null, downSeconds: 0 };
				found.push(current);
			}
			current.downSeconds += to - from;
		} else if (current !== null && (state !== 'unknown' || unknown === 'up')) {
			current.toSeconds = from;
			current = null;
		}
	}
	return found;
}

/** What a contract counts of a ledger, by how it counts unknown time. */
export interface LedgerReading {
	readonly agreedSeconds: number;
	readonly downSeconds: number;
	readonly outages: number;
	/** Of the longest outage; 0 without one. */
	readonly longestSeconds: number;
}

export type LedgerReadings = Readonly<Record<UnknownAs, LedgerReading>>;

export function ledgerReadings(timeline: Timeline): LedgerReadings {
	const seconds = { up: 0, degraded: 0, down: 0, unknown: 0, excluded: 0 };
	for (const { from, to, state } of timeline) seconds[state] += to - from;
	const seen = seconds.up + seconds.degraded + seconds.down;
	const reading = (unknown: UnknownAs): LedgerReading => {
		const outages = outagesOf(timeline, unknown);
		return {
			agreedSeconds: unknown === 'left-out' ? seen : seen + seconds.unknown,
			downSeconds: outages.reduce((sum, { downSeconds }) => sum + downSeconds, 0),
			outages: outages.length,
			longestSeconds: Math.max(0, ...outages.map(({ downSeconds }) => downSeconds)),
		};
	};
	return { up: reading('up'), down: reading('down'), 'left-out': reading('left-out') };
}
