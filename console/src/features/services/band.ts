import type { LedgerIntervalAnswer, ServiceState } from '../../../../protocol/api.ts';

export interface BandSegment {
	readonly state: ServiceState;
	/** Share of the whole from the left, 0 to 1. */
	readonly from: number;
	readonly to: number;
}

/** Worst first: where several states share a slot, the one that must be seen is shown. */
const WORST: readonly ServiceState[] = ['down', 'degraded', 'unknown', 'excluded', 'up'];

/**
 * A month as a band of `slots` cells: each takes the worst state that any of its seconds has, so that an outage of a
 * second is still seen; equal neighbours become one segment. Time without an interval is left out.
 */
export function bandSegments(
	intervals: readonly LedgerIntervalAnswer[],
	range: { readonly fromSeconds: number; readonly toSeconds: number },
	slots = 720,
): readonly BandSegment[] {
	const span = range.toSeconds - range.fromSeconds;
	if (span <= 0) return [];
	const cells = new Array<number>(slots).fill(WORST.length);
	for (const { fromSeconds, toSeconds, state } of intervals) {
		const first = Math.max(0, Math.floor(((fromSeconds - range.fromSeconds) / span) * slots));
		const last = Math.min(slots - 1, Math.ceil(((toSeconds - range.fromSeconds) / span) * slots) - 1);
		const rank = WORST.indexOf(state);
		for (let i = first; i <= last; i++) if (rank < (cells[i] ?? 0)) cells[i] = rank;
	}
	const segments: { state: ServiceState; from: number; to: number }[] = [];
	cells.forEach((rank, i) => {
		const state = WORST[rank];
		if (state === undefined) return;
		const last = segments.at(-1);
		if (last !== undefined && last.state === state && last.to === i / slots) last.to = (i + 1) / slots;
		else segments.push({ state, from: i / slots, to: (i + 1) / slots });
	});
	return segments;
}
