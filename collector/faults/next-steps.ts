import { accidentClock } from '../contracts/accident-rules.ts';
import { faultClocks } from '../contracts/fault-rules.ts';
import { type ClockRules, deadlineOrUnknownMs, spanMs } from '../contracts/limits.ts';
import type { Party, Profile } from '../contracts/profile.ts';
import { type Fault, missingForClose } from './fault.ts';

/** Something that has to be done, by whom, and until when. */
export interface NextStep {
	readonly step: string;
	/** An account, a party of the contract, or `on-call` where nobody has taken it. */
	readonly by: string;
	/** `null` where the contract sets no time. */
	readonly dueMs: number | null;
	/** Clock or report of the profile that sets it. */
	readonly clock: string | null;
}

/** Whoever answers for the fault now. */
export function ownerOf(fault: Fault): string {
	if (fault.owner !== '') return fault.owner;
	return fault.escalatedTo === '' ? 'on-call' : fault.escalatedTo;
}

/** Stages after which nothing is owed. */
export function isOver(fault: Fault): boolean {
	return fault.stage === 'closed' || fault.stage === 'dismissed' || fault.stage === 'merged';
}

/** What is owed, soonest first; never empty while the fault is not over. Without a time where that needs holidays that nobody has entered yet. */
export function nextSteps(fault: Fault, profile: Profile, rules: ClockRules, nowMs: number): readonly NextStep[] {
	if (isOver(fault)) return [];
	const owner = ownerOf(fault);
	const steps: NextStep[] = [];
	if (fault.stage === 'candidate') {
		const dueMs = (fault.moments.detected ?? nowMs) + spanMs(profile.candidate.escalate_after);
		steps.push({ step: 'declare-or-dismiss', by: owner, dueMs, clock: null });
	}
	const clocks = faultClocks(profile, fault, rules, nowMs, deadlineOrUnknownMs);
	const due = (until: string) => clocks.filter((clock) => profile.clocks.find(({ id }) => id === clock.clock)?.until === until);
	const owe = (step: string, until: string): void => {
		const [clock] = [...due(until)].sort((a, b) => a.dueMs - b.dueMs);
		steps.push({ step, by: owner, dueMs: clock?.dueMs ?? null, clock: clock?.clock ?? null });
	};
	if (fault.moments.acknowledged === null) owe('acknowledge', 'acknowledged');
	if (fault.stage === 'declared') owe('restore', 'restored');
	if (fault.stage === 'declared' || fault.stage === 'restored') owe('resolve', 'resolved');
	for (const duty of profile.reports) {
		const fromMs = fault.moments[duty.from];
		if (fromMs === null || !duty.levels.includes(fault.level) || fault.reports.some(({ report }) => report === duty.id)) continue;
		const dueMs = deadlineOrUnknownMs(fromMs, duty.within, rules, { hours: 'always', service: fault.service });
		if (fault.stage !== 'candidate') steps.push({ step: `report:${duty.id}`, by: owner, dueMs, clock: `report:${duty.id}` });
	}
	const telling = accidentClock(profile, fault, nowMs);
	if (telling !== null && telling.stoppedMs === null)
		steps.push({ step: telling.clock, by: owner, dueMs: telling.dueMs, clock: telling.clock });
	const progress = profile.levels.find(({ id }) => id === fault.level)?.tell.progress;
	if (progress !== undefined && fault.stage === 'declared') {
		const sinceMs = fault.lastProgressMs ?? fault.moments.declared ?? nowMs;
		steps.push({ step: 'progress', by: owner, dueMs: sinceMs + spanMs(progress), clock: null });
	}
	if (fault.stage !== 'candidate') {
		const { judge, confirm } = profile.grading;
		if (fault.levelState === 'proposed' && profile.grading.by === 'impact')
			steps.push({ step: 'judge-level', by: judge, dueMs: null, clock: null });
		if (fault.levelState === 'judged' && confirm !== null) steps.push({ step: 'confirm-level', by: confirm, dueMs: null, clock: null });
	}
	for (const { number, assignee, finishedMs } of fault.orders) {
		if (finishedMs === null) steps.push({ step: `work-order:${number}`, by: assignee, dueMs: null, clock: null });
	}
	if (fault.stage === 'resolved') {
		const signer: Party | null = profile.closing.countersign;
		if (fault.causeText === '') steps.push({ step: 'set-cause', by: owner, dueMs: null, clock: null });
		else if (signer !== null && !fault.countersigned.includes(signer))
			steps.push({ step: 'countersign', by: signer, dueMs: null, clock: null });
		if (missingForClose(fault, profile).length === 0) steps.push({ step: 'close', by: owner, dueMs: null, clock: null });
	}
	return steps.sort((a, b) => (a.dueMs ?? Number.POSITIVE_INFINITY) - (b.dueMs ?? Number.POSITIVE_INFINITY));
}
