import type { NextDeductionAnswer } from '../../protocol/contract-api.ts';
import type { AssessedService } from './assessed.ts';
import { nextDeskDeductions } from './desk-rules.ts';
import { countedFaults, faultClocks, type RuleContext } from './fault-rules.ts';
import { deadlineMs, spanMs } from './limits.ts';
import type { RuleOf } from './profile.ts';
import { answeredSeconds } from './reading.ts';
import { availabilityCost, availabilityParts, bandOf, outageReading, outOfBounds, servicesOf, thresholdReading } from './service-rules.ts';

/** What comes next under each rule, soonest first. */
export function nextDeductions(context: RuleContext): readonly NextDeductionAnswer[] {
	const perPointFen = Math.round(context.profile.payment.per_point_yuan * 100);
	const found: NextDeductionAnswer[] = [];
	for (const rule of context.profile.rules) {
		const common = { rule: rule.id, clause: rule.clause };
		if (rule.kind === 'late') {
			for (const clock of runningClocks(context)) {
				const points = rule.points[clock.level] ?? 0;
				if (points === 0 || !rule.clocks.includes(clock.clock) || clock.waived.includes(rule.id) || clock.anyLate(rule.clocks)) continue;
				found.push({
					...common,
					kind: 'clock',
					problemId: null,
					...clock.where,
					centipoints: Math.round(points * 100),
					fen: Math.round(points * perPointFen),
				});
			}
		} else if (rule.kind === 'report') {
			found.push(...dueReports(rule, context));
		} else if (rule.kind === 'outage') {
			for (const service of servicesOf(rule.services, context)) {
				// Without an open outage the next one begins at zero.
				const open = outageReading(rule, service).outages.find((outage) => outage.toSeconds === null);
				const now = open === undefined ? 0 : answeredSeconds(open);
				const points = bandOf(rule, now)?.points ?? 0;
				const next = rule.bands.find((band) => spanMs(band.over) >= now * 1000 && band.points > points);
				if (next === undefined) continue;
				found.push({
					...common,
					clause: next.clause,
					kind: 'downtime',
					faultId: open?.faultId ?? null,
					problemId: null,
					service: service.service,
					clock: null,
					seconds: spanMs(next.over) / 1000 + 1 - now,
					centipoints: Math.round((next.points - points) * 100),
					fen: Math.round((next.points - points) * perPointFen),
				});
			}
		} else if (rule.kind === 'availability') {
			for (const { service, seconds, centipoints } of nextAvailabilityCosts(rule, servicesOf(rule.services, context))) {
				const fen = Math.round((centipoints * perPointFen) / 100);
				found.push({ ...common, kind: 'downtime', faultId: null, problemId: null, service, clock: null, seconds, centipoints, fen });
			}
		} else if (rule.kind === 'threshold' && rule.measure !== 'mtbf') {
			for (const service of servicesOf('all', context)) {
				const seconds = untilOutOfBounds(rule, service);
				if (seconds === null) continue;
				const centipoints = Math.round(rule.points * 100);
				const where = { faultId: null, problemId: null, service: service.service, clock: null };
				found.push({ ...common, kind: 'downtime', ...where, seconds, centipoints, fen: Math.round(rule.points * perPointFen) });
			}
		} else if (rule.kind === 'desk') {
			found.push(...nextDeskDeductions(rule, context));
		}
	}
	return found.sort(
		(a, b) => a.seconds - b.seconds || compare(a.rule, b.rule) || compare(a.faultId ?? a.service ?? '', b.faultId ?? b.service ?? ''),
	);
}

function compare(a: string, b: string): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

/** How much more downtime of which service costs the next step. Where the worst service counts, whichever gets there first. */
function nextAvailabilityCosts(
	rule: RuleOf<'availability'>,
	services: readonly AssessedService[],
): readonly { readonly service: string | null; readonly seconds: number; readonly centipoints: number }[] {
	const isWorst = rule.combine === 'worst';
	const parts = availabilityParts(isWorst ? { ...rule, combine: 'each' } : rule, services, 'agreedSecondsOfPeriod').map((part) => {
		const cost = (more: number) => availabilityCost(rule, part.agreedSecondsOfPeriod, part.downSeconds + more);
		return { ...part, cost, now: cost(0) };
	});
	const worst = Math.max(0, ...parts.map(({ now }) => now));
	const steps = parts.flatMap(({ service, cost, now, agreedSecondsOfPeriod, downSeconds }) => {
		const known = isWorst ? worst : now;
		const seconds = firstCostlier((more) => cost(more) > known, agreedSecondsOfPeriod - downSeconds);
		return seconds === null ? [] : [{ service, seconds, centipoints: cost(seconds) - known }];
	});
	return isWorst ? steps.toSorted((a, b) => a.seconds - b.seconds || compare(a.service ?? '', b.service ?? '')).slice(0, 1) : steps;
}

/** How much more downtime brings a figure of the whole period out of its bound; `null` where it is already, or never will be. */
function untilOutOfBounds(rule: RuleOf<'threshold'>, service: AssessedService): number | null {
	const read = thresholdReading(rule, service);
	const { agreedSecondsOfPeriod: agreedSeconds, downSeconds } = read;
	const isOut = (more: number) => outOfBounds(rule, { ...read, agreedSeconds, downSeconds: downSeconds + more }) !== null;
	return isOut(0) ? null : firstCostlier(isOut, agreedSeconds - downSeconds);
}

function dueReports(rule: RuleOf<'report'>, context: RuleContext): readonly NextDeductionAnswer[] {
	const duty = context.profile.reports.find((entry) => entry.id === rule.report);
	if (duty === undefined) return [];
	return countedFaults(context).flatMap((fault) => {
		const fromMs = fault.moments[duty.from];
		if (fromMs === null || !duty.levels.includes(fault.level) || fault.waived.includes(rule.id)) return [];
		if (fault.reports.some((entry) => entry.report === rule.report && entry.filedMs !== null)) return [];
		const dueMs = deadlineMs(fromMs, duty.within, context.clocks, { hours: 'always', service: fault.service });
		if (dueMs < context.input.nowMs) return [];
		const points = rule.missing ?? rule.points;
		return [
			{
				rule: rule.id,
				clause: rule.clause,
				kind: 'clock' as const,
				faultId: fault.id,
				problemId: null,
				service: fault.service,
				clock: `report:${duty.id}`,
				seconds: Math.floor((dueMs - context.input.nowMs) / 1000),
				centipoints: Math.round(points * 100),
				fen: Math.round(points * context.profile.payment.per_point_yuan * 100),
			},
		];
	});
}

function runningClocks(context: RuleContext) {
	const { nowMs } = context.input;
	return countedFaults(context).flatMap((fault) => {
		const clocks = faultClocks(context.profile, fault, context.clocks, nowMs);
		return clocks
			.filter((clock) => clock.stoppedMs === null && !clock.late)
			.map((clock) => ({
				clock: clock.clock,
				level: fault.level,
				waived: fault.waived,
				anyLate: (ids: readonly string[]) => clocks.some((other) => other.late && ids.includes(other.clock)),
				where: { faultId: fault.id, service: fault.service, clock: clock.clock, seconds: Math.floor((clock.dueMs - nowMs) / 1000) },
			}));
	});
}

/** Smallest whole number in `[1, most]` from which on `isMore` holds (it never turns back), or `null`. */
function firstCostlier(isMore: (seconds: number) => boolean, most: number): number | null {
	if (most < 1 || !isMore(most)) return null;
	let low = 1;
	let high = most;
	while (low < high) {
		const middle = Math.floor((low + high) / 2);
		if (isMore(middle)) high = middle;
		else low = middle + 1;
	}
	return low;
}
