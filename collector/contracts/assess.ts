import { AppError } from '../../core/errors.ts';
import type { NextDeductionAnswer, WordsAnswer } from '../../protocol/contract-api.ts';
import { accidentItems } from './accident-rules.ts';
import type { AssessmentInput, AssessmentItem, RawItem } from './assessed.ts';
import { deskItems } from './desk-rules.ts';
import { lateItems, lateMoneyItems, levelItems, type RuleContext, repeatItems, reportItems, share } from './fault-rules.ts';
import { type ClockRules, deadlineMs } from './limits.ts';
import { nextDeductions } from './next-deduction.ts';
import { type Period, withFeeOf } from './period.ts';
import type { Profile, Rule } from './profile.ts';
import { availabilityItems, outageItems, recordItems, thresholdItems } from './service-rules.ts';

export interface Assessment {
	readonly profile: string;
	readonly profileVersion: number;
	readonly period: Period;
	readonly asOfMs: number;
	readonly items: readonly AssessmentItem[];
	readonly score: Score;
	/** What would cost something next, soonest first; empty once the period is over. */
	readonly next: readonly NextDeductionAnswer[];
	/** Until when the contractor's self-check (自查) is due; `null` where the contract names no time, or the holidays of the year are not known yet. */
	readonly selfCheckDueMs: number | null;
}

export interface Score {
	/** Hundredths of a point. */
	readonly centipoints: number;
	readonly deducted: number;
	readonly bonus: number;
	/** Deductions from the fee, in fen, with where they come from. */
	readonly fen: number;
	readonly money: readonly { readonly clause: string; readonly fen: number; readonly reason: WordsAnswer }[];
}

/**
 * Prices a period under a profile: pure, and independent of the order of its input. Throws what its calendars throw
 * (`FN_CALENDAR_YEAR`).
 */
export function assess(contract: Profile, period: Period, input: AssessmentInput, clocks: ClockRules): Assessment {
	const profile = withFeeOf(contract, period);
	const asOf = { ...input, nowMs: Math.min(input.nowMs, period.toMs) };
	const context: RuleContext = { profile, period, input: { ...asOf, nowMs: input.nowMs }, clocks };
	const raw = profile.rules.flatMap((rule) => itemsOf(rule, context));
	const items = bound(profile, raw);
	const open = input.nowMs >= period.fromMs && input.nowMs < period.toMs;
	return {
		profile: profile.id,
		profileVersion: profile.version,
		period,
		asOfMs: asOf.nowMs,
		items,
		score: scoreOf(profile, items),
		next: open ? nextDeductions(context) : [],
		selfCheckDueMs: selfCheckDue(profile, period, clocks),
	};
}

/** Working days count from the first day after the period. */
function selfCheckDue({ self_check: duty }: Profile, { toMs }: Period, clocks: ClockRules): number | null {
	if (duty === undefined) return null;
	try {
		return deadlineMs(toMs - 1, duty.within, clocks, { hours: 'always', service: null });
	} catch (error) {
		// A period that runs may end in a year whose holidays nobody has published yet; its score does not depend on them.
		if (error instanceof AppError && error.code === 'FN_CALENDAR_YEAR') return null;
		throw error;
	}
}

function itemsOf(rule: Rule, context: RuleContext): readonly RawItem[] {
	switch (rule.kind) {
		case 'late':
			return lateItems(rule, context);
		case 'late-money':
			return lateMoneyItems(rule, context);
		case 'level':
			return levelItems(rule, context);
		case 'repeat':
			return repeatItems(rule, context);
		case 'report':
			return reportItems(rule, context);
		case 'outage':
			return outageItems(rule, context);
		case 'availability':
			return availabilityItems(rule, context);
		case 'threshold':
			return thresholdItems(rule, context);
		case 'accident':
			return accidentItems(rule, context);
		case 'desk':
			return deskItems(rule, context);
		case 'record':
			return recordItems(rule, context);
	}
}

/** Gives every item its key and what counts of it: a group costs at most its bound, a bonus restores at most what was deducted. */
function bound(profile: Profile, raw: readonly RawItem[]): readonly AssessmentItem[] {
	const left = new Map(profile.groups.map((group) => [group.id, Math.round(group.max * 100)]));
	let deducted = 0;
	const bounded = raw.map(({ detail, ...item }) => {
		const key = [item.rule, item.faultId ?? item.problemId ?? item.recordId ?? item.service ?? 'all', detail].join(':');
		if (item.centipoints > 0) return { ...item, key, counted: 0 };
		const room = item.group === null ? Number.POSITIVE_INFINITY : (left.get(item.group) ?? 0);
		const cost = Math.min(-item.centipoints, room);
		if (item.group !== null) left.set(item.group, room - cost);
		deducted += cost;
		return { ...item, key, counted: cost === 0 ? 0 : -cost };
	});
	let bonusLeft = profile.bonus.limit === 'deductions' ? deducted : Number.POSITIVE_INFINITY;
	return bounded.map((item) => {
		if (item.centipoints <= 0) return item;
		const counted = Math.min(item.centipoints, bonusLeft);
		bonusLeft -= counted;
		return { ...item, counted };
	});
}

/** The score of counted items, with what it costs. A score is never below zero. */
export function scoreOf(profile: Profile, items: readonly Pick<AssessmentItem, 'counted' | 'fen' | 'clause' | 'reason'>[]): Score {
	const base = Math.round(profile.base.points * 100);
	let deducted = 0;
	let bonus = 0;
	for (const { counted } of items) {
		if (counted < 0) deducted -= counted;
		else bonus += counted;
	}
	const centipoints = Math.max(0, base - deducted + bonus);
	const lost = Math.max(0, base - centipoints);
	const money: { clause: string; fen: number; reason: WordsAnswer }[] = [];
	const { payment, contract } = profile;
	const perPoint = Math.round(payment.per_point_yuan * 100);
	if (perPoint > 0 && lost > 0) {
		money.push({
			clause: payment.clause,
			fen: Math.round((lost * perPoint) / 100),
			reason: { zh: `失 ${lost / 100} 分`, en: `${lost / 100} points lost` },
		});
	}
	const step = [...payment.steps].sort((a, b) => a.below - b.below).find(({ below }) => centipoints < Math.round(below * 100));
	if (step !== undefined) {
		const fen =
			Math.round((step.yuan ?? 0) * 100) +
			share(Math.round(contract.fee_yuan * 100), step.percent_of_fee ?? '0', 1) +
			share(Math.round(contract.total_yuan * 100), step.percent_of_contract ?? '0', 1);
		if (fen > 0) money.push({ clause: step.clause, fen, reason: { zh: `得分低于 ${step.below}`, en: `score below ${step.below}` } });
	}
	for (const { fen, clause, reason } of items) if (fen > 0) money.push({ clause, fen, reason });
	return { centipoints, deducted, bonus, fen: money.reduce((sum, entry) => sum + entry.fen, 0), money };
}
