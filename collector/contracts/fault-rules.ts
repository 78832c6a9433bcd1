import { countedSeconds } from '../../core/spoken-duration.ts';
import { formatZoned } from '../../core/zone-time.ts';
import type { WordsAnswer } from '../../protocol/contract-api.ts';
import type { AssessedFault, AssessmentInput, RawItem } from './assessed.ts';
import { type ClockRules, deadlineMs, type deadlineOrUnknownMs, spanMs, spokenSpan } from './limits.ts';
import type { Period } from './period.ts';
import type { Profile, RuleOf } from './profile.ts';

export interface RuleContext {
	readonly profile: Profile;
	readonly period: Period;
	readonly input: AssessmentInput;
	readonly clocks: ClockRules;
}

/** A clock of a fault: from when to when, and whether it ran out. */
export interface FaultClock {
	readonly clock: string;
	readonly name: string;
	readonly clause: string;
	readonly fromMs: number;
	readonly dueMs: number;
	/** `null` while it runs. */
	readonly stoppedMs: number | null;
	/** As of `nowMs`. */
	readonly late: boolean;
}

/** Every clock that has begun for the fault at its present level. With `deadlineOrUnknownMs` those that cannot be known yet are left out. */
export function faultClocks(
	profile: Profile,
	fault: Pick<AssessedFault, 'level' | 'moments' | 'service'>,
	rules: ClockRules,
	nowMs: number,
	deadline: typeof deadlineOrUnknownMs = deadlineMs,
): readonly FaultClock[] {
	const level = profile.levels.find((candidate) => candidate.id === fault.level);
	if (level === undefined) return [];
	const result: FaultClock[] = [];
	for (const clock of profile.clocks) {
		const limit = level.limits[clock.id];
		const fromMs = fault.moments[clock.from];
		if (limit === undefined || fromMs === null) continue;
		const dueMs = deadline(fromMs, limit, rules, { hours: clock.hours, service: fault.service });
		if (dueMs === null) continue;
		const stoppedMs = fault.moments[clock.until];
		result.push({
			clock: clock.id,
			name: clock.name,
			clause: clock.clause,
			fromMs,
			dueMs,
			stoppedMs,
			late: (stoppedMs ?? nowMs) > dueMs,
		});
	}
	return result;
}

/** Whether the contractor answers for the fault: unless its cause excuses and the party countersigned it, yes. */
export function answersFor(profile: Profile, fault: Pick<AssessedFault, 'cause' | 'causeCountersigned'>): boolean {
	return !(fault.causeCountersigned && profile.excused.causes.includes(fault.cause));
}

/** The faults that the period counts, in an order that does not depend on the input's. */
export function countedFaults({ profile, period, input }: RuleContext): readonly AssessedFault[] {
	const when = (fault: AssessedFault): number | null => fault.moments[profile.count_in.moment];
	return input.faults
		.filter((fault) => {
			const atMs = when(fault);
			return atMs !== null && atMs >= period.fromMs && atMs < period.toMs && answersFor(profile, fault);
		})
		.sort((a, b) => (when(a) ?? 0) - (when(b) ?? 0) || (a.id < b.id ? -1 : 1));
}

export function lateItems(rule: RuleOf<'late'>, context: RuleContext): readonly RawItem[] {
	return countedFaults(context).flatMap((fault) => {
		const points = rule.points[fault.level];
		if (points === undefined || points === 0 || fault.waived.includes(rule.id)) return [];
		const late = faultClocks(context.profile, fault, context.clocks, context.input.nowMs).filter(
			(clock) => clock.late && rule.clocks.includes(clock.clock),
		);
		const [first] = late;
		if (first === undefined) return [];
		const reason = joined(late.map((clock) => lateWords(clock, context)));
		return [faultItem(rule, { fault, clock: first.clock, detail: '', atMs: first.dueMs, points, reason })];
	});
}

export function lateMoneyItems(rule: RuleOf<'late-money'>, context: RuleContext): readonly RawItem[] {
	const feeFen = Math.round(context.profile.contract.fee_yuan * 100);
	return countedFaults(context).flatMap((fault) => {
		if (fault.waived.includes(rule.id)) return [];
		const clock = faultClocks(context.profile, fault, context.clocks, context.input.nowMs).find(({ clock: id }) => id === rule.clock);
		if (clock === undefined || !clock.late) return [];
		const begun = Math.ceil(((clock.stoppedMs ?? context.input.nowMs) - clock.dueMs) / spanMs(rule.per));
		const fen = Math.min(share(feeFen, rule.percent_of_fee, begun), share(feeFen, rule.max_percent_of_fee, 1));
		const reason = joined([
			lateWords(clock, context),
			{
				zh: `每 ${spokenSpan(rule.per, 'zh')}（不足按一次计）扣本期费用的 ${rule.percent_of_fee} %，计 ${begun} 次，最多 ${rule.max_percent_of_fee} %`,
				en: `${begun} × ${spokenSpan(rule.per, 'en')} begun, ${rule.percent_of_fee} % of the fee each, at most ${rule.max_percent_of_fee} %`,
			},
		]);
		return [{ ...faultItem(rule, { fault, clock: clock.clock, detail: 'money', atMs: clock.dueMs, points: 0, reason }), fen }];
	});
}

export function levelItems(rule: RuleOf<'level'>, context: RuleContext): readonly RawItem[] {
	return countedFaults(context).flatMap((fault) => {
		const points = rule.points[fault.level];
		if (points === undefined || points === 0 || fault.waived.includes(rule.id)) return [];
		const atMs = fault.moments[context.profile.count_in.moment] ?? 0;
		return [
			faultItem(rule, {
				fault,
				clock: null,
				detail: '',
				atMs,
				points,
				reason: { zh: `${fault.level} 级故障`, en: `level ${fault.level}` },
			}),
		];
	});
}

/** The earlier fault may lie in an earlier period: the same point does not become new at midnight of the first. */
export function repeatItems(rule: RuleOf<'repeat'>, context: RuleContext): readonly RawItem[] {
	const { moment } = context.profile.count_in;
	return countedFaults(context).flatMap((fault) => {
		const atMs = fault.moments[moment] ?? 0;
		if (fault.point === '' || fault.waived.includes(rule.id)) return [];
		const earlier = context.input.faults
			.filter((other) => {
				const otherMs = other.moments[moment];
				if (other.id === fault.id || other.point !== fault.point || otherMs === null || !answersFor(context.profile, other)) return false;
				if (atMs - otherMs > spanMs(rule.within)) return false;
				return otherMs < atMs || (otherMs === atMs && other.id < fault.id);
			})
			.sort((a, b) => (b.moments[moment] ?? 0) - (a.moments[moment] ?? 0) || (a.id < b.id ? -1 : 1))[0];
		if (earlier === undefined) return [];
		const reason = { zh: `故障点“${fault.point}”再次发生`, en: `"${fault.point}" again, after fault ${earlier.id}` };
		return [faultItem(rule, { fault, clock: null, detail: '', atMs, points: rule.points, reason })];
	});
}

export function reportItems(rule: RuleOf<'report'>, context: RuleContext): readonly RawItem[] {
	const duty = context.profile.reports.find((entry) => entry.id === rule.report);
	if (duty === undefined) return [];
	return countedFaults(context).flatMap((fault) => {
		const fromMs = fault.moments[duty.from];
		if (fromMs === null || !duty.levels.includes(fault.level) || fault.waived.includes(rule.id)) return [];
		const dueMs = deadlineMs(fromMs, duty.within, context.clocks, { hours: 'always', service: fault.service });
		const filedMs = fault.reports.find((entry) => entry.report === rule.report)?.filedMs ?? null;
		const endMs = filedMs ?? context.input.nowMs;
		if (endMs <= dueMs) return [];
		const missing = filedMs === null && rule.missing !== undefined;
		const units = rule.per === undefined ? 1 : Math.ceil((endMs - dueMs) / spanMs(rule.per));
		const points = missing ? (rule.missing ?? 0) : rule.points * units;
		const zoned = (ms: number) => formatZoned(ms, context.profile.zone);
		const reason = {
			zh: `${duty.name}：时限 ${zoned(dueMs)}，${filedMs === null ? '未提交' : `提交于 ${zoned(filedMs)}`}`,
			en: `${duty.name}: due ${iso(dueMs)}, ${filedMs === null ? 'not filed' : `filed ${iso(filedMs)}`}`,
		};
		return [faultItem(rule, { fault, clock: `report:${duty.id}`, detail: '', atMs: dueMs, points, reason })];
	});
}

/** The level for so much unavailability, where the contract grades by minutes; `null` where it does not, or nothing fits. */
export function levelByMinutes(profile: Profile, downSeconds: number): string | null {
	if (profile.grading.by !== 'minutes') return null;
	const level = profile.levels.find(({ over, up_to: upTo }) => {
		if (over === undefined) return false;
		return downSeconds * 1000 > spanMs(over) && (upTo === undefined || downSeconds * 1000 <= spanMs(upTo));
	});
	return level?.id ?? null;
}

/** `percent` of an amount, `times` over, in whole fen, halves up. Percent has at most four decimals, so this is exact. */
export function share(fen: number, percent: string, times: number): number {
	return Math.floor((fen * Math.round(Number(percent) * 10_000) * times + 500_000) / 1_000_000);
}

export function faultItem(
	rule: { readonly id: string; readonly name: string; readonly clause: string; readonly group?: string },
	what: { fault: AssessedFault; clock: string | null; detail: string; atMs: number; points: number; reason: WordsAnswer },
): RawItem {
	return {
		rule: rule.id,
		name: rule.name,
		clause: rule.clause,
		group: rule.group ?? null,
		faultId: what.fault.id,
		problemId: null,
		service: what.fault.service,
		recordId: null,
		clock: what.clock,
		detail: what.detail,
		atMs: what.atMs,
		centipoints: -Math.round(what.points * 100),
		fen: 0,
		reason: what.reason,
	};
}

/** By how much a clock was missed, with when it began, ran out and stopped. */
function lateWords(clock: FaultClock, { input: { nowMs }, profile: { zone } }: RuleContext): WordsAnswer {
	const over = Math.ceil(((clock.stoppedMs ?? nowMs) - clock.dueMs) / 1000);
	const { name, fromMs, dueMs, stoppedMs } = clock;
	const zoned = (ms: number) => formatZoned(ms, zone);
	return {
		zh: `${name}：起算 ${zoned(fromMs)}，时限 ${zoned(dueMs)}，${stoppedMs === null ? '尚未完成' : `完成 ${zoned(stoppedMs)}`}，超时 ${countedSeconds(over, 'zh')}`,
		en: `${name}: from ${iso(fromMs)}, due ${iso(dueMs)}, ${stoppedMs === null ? 'still running' : `done ${iso(stoppedMs)}`}, ${countedSeconds(over, 'en')} late`,
	};
}

function joined(parts: readonly WordsAnswer[]): WordsAnswer {
	return { zh: parts.map(({ zh }) => zh).join('；'), en: parts.map(({ en }) => en).join('; ') };
}

function iso(timeMs: number): string {
	return new Date(timeMs).toISOString();
}
