import type { SecondSpan } from '../inventory/calendar.ts';
import type { Exclusion, ServiceLedger } from './availability.ts';
import { agreedSeconds } from './availability.ts';
import { clip } from './service-days.ts';

/**
 * Multi-window burn rates (Google SRE Workbook, chapter 5), in seconds of budget: burning `factor` times as fast as the budget allows
 * over the long window, and still over the short one. At four nines the first trips after 5.2 s, which one failed check can make, so
 * an alert also asks for evidence.
 */
export const BURNS = [
	{ name: 'fast', factor: 14.4, longSeconds: 3600, shortSeconds: 300 },
	{ name: 'quick', factor: 6, longSeconds: 21_600, shortSeconds: 1800 },
	{ name: 'slow', factor: 3, longSeconds: 86_400, shortSeconds: 7200 },
	{ name: 'creeping', factor: 1, longSeconds: 259_200, shortSeconds: 21_600 },
] as const;
export const LONGEST_BURN_SECONDS = 259_200;
/** Failed checks in the long window below which nothing is said. */
export const LEAST_EVIDENCE = 3;

export interface Burn {
	readonly name: (typeof BURNS)[number]['name'];
	readonly longSeconds: number;
	readonly shortSeconds: number;
	/** Budget used in the windows, and from how much on it is too much. */
	readonly longUsedSeconds: number;
	readonly shortUsedSeconds: number;
	readonly longLimitSeconds: number;
	readonly shortLimitSeconds: number;
	readonly failedChecks: number;
	readonly burning: boolean;
}

export interface BudgetState {
	readonly serviceId: string;
	readonly target: string;
	/** Of the whole period, exact to hundredths. */
	readonly budgetSeconds: number;
	readonly usedSeconds: number;
	/** Negative when the target is lost. */
	readonly remainingSeconds: number;
	readonly burns: readonly Burn[];
	/** When the target was lost; `null` while it is not. */
	readonly lostAtMs: number | null;
	/** When it will be lost at the rate of the worst burn; `null` when it will not be before the period ends. */
	readonly lossForecastAtMs: number | null;
}

/**
 * Where a service stands. `month` is the ledger of the period so far, `recent` one of the last three days (which may begin in the
 * period before), `failuresMs` the times of failed checks in them, ascending.
 */
export function budgetState(
	ledgers: { readonly month: ServiceLedger; readonly recent: ServiceLedger },
	failuresMs: readonly number[],
	period: { readonly endMs: number; readonly nowMs: number },
): BudgetState {
	const { month, recent } = ledgers;
	const budgetSeconds = Number(month.figures.budgetSeconds);
	const usedSeconds = month.figures.budgetUsedSeconds;
	const nowSeconds = recent.window.to;
	const periodSeconds = Math.max(1, period.endMs / 1000 - month.window.from);
	const down = (seconds: number) =>
		clip(recent.timeline, { from: nowSeconds - seconds, to: nowSeconds })
			.filter(({ state }) => state === 'down')
			.reduce((sum, { from, to }) => sum + to - from, 0);
	const burns = BURNS.map(({ name, factor, longSeconds, shortSeconds }): Burn => {
		const limit = (seconds: number) => (budgetSeconds * factor * seconds) / periodSeconds;
		const longUsedSeconds = down(longSeconds);
		const shortUsedSeconds = down(shortSeconds);
		const failedChecks = failuresMs.filter((time) => time >= (nowSeconds - longSeconds) * 1000).length;
		return {
			name,
			longSeconds,
			shortSeconds,
			longUsedSeconds,
			shortUsedSeconds,
			longLimitSeconds: limit(longSeconds),
			shortLimitSeconds: limit(shortSeconds),
			failedChecks,
			burning:
				longUsedSeconds > 0 &&
				longUsedSeconds >= limit(longSeconds) &&
				shortUsedSeconds >= limit(shortSeconds) &&
				failedChecks >= LEAST_EVIDENCE,
		};
	});
	const remainingSeconds = Math.round((budgetSeconds - usedSeconds) * 100) / 100;
	const lostAtMs = remainingSeconds < 0 ? momentOfLoss(month, budgetSeconds) : null;
	// While it is down every second costs one; otherwise the worst burn goes on as it has.
	const rate =
		recent.timeline.at(-1)?.state === 'down'
			? 1
			: Math.max(0, ...burns.filter(({ burning }) => burning).map(({ longUsedSeconds, longSeconds }) => longUsedSeconds / longSeconds));
	const forecast = rate > 0 && remainingSeconds >= 0 ? period.nowMs + (remainingSeconds / rate) * 1000 : null;
	return {
		serviceId: month.service.id,
		target: month.service.target,
		budgetSeconds,
		usedSeconds,
		remainingSeconds,
		burns,
		lostAtMs,
		lossForecastAtMs: forecast !== null && forecast < period.endMs ? Math.round(forecast) : null,
	};
}

/** The first second at which more had been used than there is. */
function momentOfLoss(month: ServiceLedger, budgetSeconds: number): number | null {
	let used = 0;
	for (const { from, to, state } of month.timeline) {
		if (state !== 'down') continue;
		if (used + to - from > budgetSeconds) return (from + Math.floor(budgetSeconds - used) + 1) * 1000;
		used += to - from;
	}
	return null;
}

export interface WhatIf {
	/** Seconds of the outage that fall into agreed time: what it costs. */
	readonly costSeconds: number;
	/** Of the outage, in time that is excluded anyway. */
	readonly freeSeconds: number;
	readonly remainingSeconds: number;
	readonly remainingAfterSeconds: number;
	/** Whether the target would still be met at the end of the period. */
	readonly kept: boolean;
}

/** What an outage of the whole span would cost the budget. `exclusions` are those of the span. */
export function whatIf(budget: Pick<BudgetState, 'remainingSeconds'>, span: SecondSpan, exclusions: readonly Exclusion[]): WhatIf {
	const costSeconds = agreedSeconds(span, exclusions);
	const remainingAfterSeconds = Math.round((budget.remainingSeconds - costSeconds) * 100) / 100;
	return {
		costSeconds,
		freeSeconds: span.to - span.from - costSeconds,
		remainingSeconds: budget.remainingSeconds,
		remainingAfterSeconds,
		kept: remainingAfterSeconds >= 0,
	};
}
