import { compareNotified, type NotifiedAlert } from '../notify/notification.ts';
import type { Turn } from '../stages/plan-turn.ts';

/** What one message is about, in the words of an incident. */
export interface ToldTurns {
	readonly reason: 'fired' | 'resolved' | 'repeat';
	readonly firing: readonly string[];
	readonly resolved: readonly string[];
	readonly title: string;
	readonly severity: string;
	/** Labels that all of its firing alerts share. */
	readonly labels: Readonly<Record<string, string>>;
	readonly startsAtMs: number;
}

const LONGEST_TITLE = 300;

/** `null` when the turns tell nothing. */
export function describeTurns(turns: readonly Turn[]): ToldTurns | null {
	const told = turns.flatMap((turn) => (turn.tell === null ? [] : [turn.tell]));
	if (told.length === 0) return null;
	const reasons = new Set(told.map(({ reason }) => reason));
	const alerts = told.flatMap((tell) => tell.alerts);
	const firing = alerts.filter(({ status }) => status === 'firing').sort(compareNotified);
	const [worst] = firing;
	return {
		reason: reasons.has('fired') ? 'fired' : reasons.has('repeat') ? 'repeat' : 'resolved',
		firing: [...new Set(firing.map(({ fingerprint }) => fingerprint))],
		resolved: alerts.filter(({ status }) => status === 'resolved').map(({ fingerprint }) => fingerprint),
		title: worst === undefined ? '' : titleOf(worst, firing.length),
		severity: worst === undefined ? '' : (worst.labels['severity'] ?? ''),
		labels: worst === undefined ? {} : sharedLabels(firing),
		startsAtMs: firing.reduce((least, { startsAtMs }) => Math.min(least, startsAtMs), worst?.startsAtMs ?? 0),
	};
}

/** The summary of the most severe alert, and how many others there are. */
function titleOf(worst: NotifiedAlert, count: number): string {
	const summary = (worst.annotations['summary'] ?? worst.labels['alertname'] ?? worst.fingerprint).replace(/\s+/g, ' ').trim();
	return `${summary}${count > 1 ? `（共 ${count} 条）` : ''}`.slice(0, LONGEST_TITLE);
}

function sharedLabels(alerts: readonly NotifiedAlert[]): Readonly<Record<string, string>> {
	const [first, ...rest] = alerts;
	return Object.fromEntries(
		Object.entries(first?.labels ?? {}).filter(([name, value]) => rest.every(({ labels }) => labels[name] === value)),
	);
}
