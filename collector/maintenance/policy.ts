import type { SecondSpan } from '../inventory/calendar.ts';
import { type MaintenanceWindow, occurrences } from './window.ts';

/** What a contract asks before a maintenance window may be taken out of the count. */
export interface MaintenancePolicy {
	/** Between request and beginning. */
	readonly noticeMs: number;
	readonly clientConsent: boolean;
	/** Roles whose approval counts. */
	readonly approverRoles: readonly string[];
	/** Whether a window that was asked for after it began can be excluded at all; it then needs two approvals. */
	readonly retroactive: boolean;
}

export type MissingCondition = 'not approved' | 'approved late' | 'second approval' | 'notice' | 'consent' | 'retroactive' | 'cancelled';

export interface MaintenanceVerdict {
	/** Empty when all of the window is excluded. */
	readonly missing: readonly MissingCondition[];
	/** What is taken out inside the asked span, whole seconds, with the reason for the ledger. */
	readonly excluded: readonly (SecondSpan & { readonly reason: string })[];
	/** Work outside of the planned time: it counts. */
	readonly overrun: readonly SecondSpan[];
}

/**
 * What of a window a contract lets be excluded (docs/availability.md, rule 5). Time counts as maintenance only where it was planned
 * **and**, once it is on record, work went on: before an actual start and after an actual end the service was promised again.
 * Without a policy nothing is ever excluded, so there is no default. What began before anybody had approved it is judged as if it had been asked
 * for afterwards.
 */
export function judgeWindow(window: MaintenanceWindow, policy: MaintenancePolicy, span: SecondSpan): MaintenanceVerdict {
	const missing = missingConditions(window, policy);
	const late = { from: approvedFromMs(window, policy), excludable: policy.retroactive && approversOf(window, policy).size > 1 };
	let isLate = false;
	const excluded: (SecondSpan & { readonly reason: string })[] = [];
	const overrun: SecondSpan[] = [];
	// An actual end may lie long after the plan; a day is looked back for it.
	for (const planned of occurrences(window.request, span.from * 1000 - 86_400_000, span.to * 1000)) {
		const { startMs, endMs } = window.actual.get(planned.fromMs) ?? { startMs: null, endMs: null };
		const from = Math.max(planned.fromMs, startMs ?? planned.fromMs);
		const to = Math.min(planned.toMs, endMs ?? planned.toMs);
		const afterwards = window.retroactive || planned.fromMs < late.from;
		if (window.retroactive || !afterwards || late.excludable)
			push(excluded, { from, to, reason: `maintenance: ${window.id}${afterwards ? ' (retroactive)' : ''}` }, span);
		else isLate = true;
		if (endMs !== null && endMs > planned.toMs) push(overrun, { from: planned.toMs, to: endMs }, span);
		if (startMs !== null && startMs < planned.fromMs) push(overrun, { from: startMs, to: planned.fromMs }, span);
	}
	return {
		missing: isLate && missing.length === 0 ? ['approved late'] : missing,
		excluded: missing.length === 0 ? excluded : [],
		overrun: overrun.sort((a, b) => a.from - b.from),
	};
}

export function missingConditions(window: MaintenanceWindow, policy: MaintenancePolicy): readonly MissingCondition[] {
	const missing: MissingCondition[] = [];
	const { fromMs } = window.request;
	const approvers = approversOf(window, policy);
	if (window.cancelledAtMs !== null) missing.push('cancelled');
	if (window.state === 'refused' || approvers.size === 0) missing.push('not approved');
	if (window.retroactive) {
		if (!policy.retroactive) missing.push('retroactive');
		else if (approvers.size < 2) missing.push('second approval');
		if (policy.clientConsent && window.consent === null) missing.push('consent');
		return missing;
	}
	if (fromMs - window.requestedAtMs < policy.noticeMs) missing.push('notice');
	if (policy.clientConsent && (window.consent === null || window.consent.atMs > fromMs)) missing.push('consent');
	return missing;
}

/** Whoever asks does not decide. */
function validApprovals(window: MaintenanceWindow, policy: MaintenancePolicy): MaintenanceWindow['approvals'] {
	return window.approvals.filter(({ by, role }) => policy.approverRoles.includes(role) && by !== window.requestedBy);
}

/** One person is one approval, however often it is given. */
function approversOf(window: MaintenanceWindow, policy: MaintenancePolicy): ReadonlySet<string> {
	return new Set(validApprovals(window, policy).map(({ by }) => by));
}

function approvedFromMs(window: MaintenanceWindow, policy: MaintenancePolicy): number {
	return Math.min(...validApprovals(window, policy).map(({ atMs }) => atMs));
}

function push<T extends SecondSpan>(list: T[], ms: T, span: SecondSpan): void {
	// A second that is only partly maintenance counts.
	const from = Math.max(Math.ceil(ms.from / 1000), span.from);
	const to = Math.min(Math.floor(ms.to / 1000), span.to);
	if (from < to) list.push({ ...ms, from, to });
}
