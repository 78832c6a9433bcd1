import { expect } from 'vitest';
import type { TruthRun } from './truth.ts';

/**
 * Each confirmed outage begins and ends in the ledger within one interval of its real change, as the checks were really made; what was
 * not confirmed is no downtime.
 */
export function expectTruth({ real, ledgers, intervalMs, longestGapMs }: TruthRun): void {
	expect(ledgers.size).toBe(3);
	for (const [server, { intervals, figures }] of ledgers) {
		const down: { fromSeconds: number; toSeconds: number }[] = [];
		for (const { state, fromSeconds, toSeconds } of intervals) {
			if (state !== 'down') continue;
			const last = down.at(-1);
			if (last?.toSeconds === fromSeconds) last.toSeconds = toSeconds;
			else down.push({ fromSeconds, toSeconds });
		}
		const gapMs = Math.max(intervalMs, longestGapMs.get(server) ?? 0);
		const confirmed = real.filter((outage) => outage.server === server && outage.confirmed);
		expect(down, server).toHaveLength(confirmed.length);
		confirmed.forEach((outage, i) => {
			const measured = down[i] as { fromSeconds: number; toSeconds: number };
			// Seconds are whole and a sample counts from the second it began in.
			expect(measured.fromSeconds * 1000, server).toBeGreaterThanOrEqual(outage.fromEarliestMs - 1000);
			expect(measured.fromSeconds * 1000, server).toBeLessThanOrEqual(outage.fromLatestMs + gapMs);
			expect(measured.toSeconds * 1000, server).toBeGreaterThanOrEqual(outage.toEarliestMs - 1000);
			expect(measured.toSeconds * 1000, server).toBeLessThanOrEqual(outage.toLatestMs + gapMs);
		});
		// Nothing is unknown while no check is missing.
		if (gapMs < 2 * intervalMs) expect(figures.unknownSeconds, server).toBe(0);
		const blips = real.filter((outage) => outage.server === server && !outage.confirmed);
		if (blips.length > 0) expect(figures.unconfirmedSeconds, server).toBeGreaterThan(0);
	}
}
