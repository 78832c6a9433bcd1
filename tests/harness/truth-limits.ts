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
		const own = real.filter((outage) => outage.server === server);
		const confirmed = own.filter((outage) => outage.confirmed);
		// Too short for three checks to fail. What is neither, because a server was slow to start, may be counted or not.
		const blips = own.filter(({ fromEarliestMs, toLatestMs }) => toLatestMs - fromEarliestMs < 2 * intervalMs);
		expect(down.length, server).toBeGreaterThanOrEqual(confirmed.length);
		expect(down.length, server).toBeLessThanOrEqual(own.length - blips.length);
		for (const outage of confirmed) {
			const found = down.filter(
				({ fromSeconds, toSeconds }) => toSeconds * 1000 >= outage.fromEarliestMs && fromSeconds * 1000 <= outage.toLatestMs,
			);
			expect(found, server).toHaveLength(1);
			const [measured = { fromSeconds: 0, toSeconds: 0 }] = found;
			// Seconds are whole and a sample counts from the second it began in.
			expect(measured.fromSeconds * 1000, server).toBeGreaterThanOrEqual(outage.fromEarliestMs - 1000);
			expect(measured.fromSeconds * 1000, server).toBeLessThanOrEqual(outage.fromLatestMs + gapMs);
			expect(measured.toSeconds * 1000, server).toBeGreaterThanOrEqual(outage.toEarliestMs - 1000);
			expect(measured.toSeconds * 1000, server).toBeLessThanOrEqual(outage.toLatestMs + gapMs);
		}
		// Nothing is unknown while no check is missing.
		if (gapMs < 2 * intervalMs) expect(figures.unknownSeconds, server).toBe(0);
		if (blips.some(({ fromLatestMs, toEarliestMs }) => toEarliestMs - fromLatestMs > gapMs))
			expect(figures.unconfirmedSeconds, server).toBeGreaterThan(0);
	}
}
