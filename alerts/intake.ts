import type { PostedAlert } from '../protocol/alert.ts';
import { type Alert, type AlertChange, expiryOf, mergeAlert } from './alert.ts';
import type { AlertEvent } from './ports.ts';

export interface Intake {
	/** Alerts that are open from now on, or otherwise than before. */
	readonly next: ReadonlyMap<string, Alert>;
	/** Those that are as they were, by fingerprint: until when they count as firing. */
	readonly extended: ReadonlyMap<string, number>;
	/** What has to be made durable. */
	readonly write: readonly Alert[];
	readonly events: readonly AlertEvent[];
	/** Fingerprints that came and went between two posts. */
	readonly finished: readonly string[];
	readonly counts: Readonly<Record<AlertChange, number>>;
}

export interface IntakeContext {
	readonly nowMs: number;
	readonly resolveTimeoutMs: number;
	readonly open: ReadonlyMap<string, Alert>;
	/** Latest closed episode of those that are not open. */
	readonly closed: ReadonlyMap<string, Alert>;
	readonly receiversOf: (labels: Readonly<Record<string, string>>) => readonly string[];
}

/** What a post does to what is known. Nothing has happened yet. */
export function mergePosts(
	incoming: readonly { readonly alert: PostedAlert; readonly fingerprint: string }[],
	context: IntakeContext,
): Intake {
	const { nowMs, resolveTimeoutMs } = context;
	const next = new Map<string, Alert>();
	const extended = new Map<string, number>();
	const write = new Map<string, Alert>();
	const events: AlertEvent[] = [];
	const finished: string[] = [];
	const counts = { fired: 0, refired: 0, changed: 0, extended: 0, resolved: 0, unchanged: 0 };
	for (const { alert, fingerprint } of incoming) {
		const open = next.get(fingerprint) ?? context.open.get(fingerprint);
		const merged = mergeAlert(open ?? context.closed.get(fingerprint) ?? null, alert, { fingerprint, nowMs, resolveTimeoutMs });
		counts[merged.change]++;
		if (merged.change === 'unchanged') continue;
		if (merged.change === 'extended') {
			const expiresAtMs = expiryOf(alert, { nowMs, resolveTimeoutMs });
			// A mere repetition is not written: after a restart every alert gets its time to be posted again.
			if (write.has(fingerprint)) {
				const longer = { ...merged.alert, expiresAtMs, updatedAtMs: nowMs };
				next.set(fingerprint, longer);
				write.set(fingerprint, longer);
			} else extended.set(fingerprint, expiresAtMs);
			continue;
		}
		const known = open !== undefined || merged.change !== 'resolved';
		if (known) next.set(fingerprint, merged.alert);
		else finished.push(fingerprint);
		write.set(fingerprint, merged.alert);
		if (merged.change === 'fired' || merged.change === 'refired' || merged.change === 'resolved') {
			events.push({ atMs: nowMs, fingerprint, kind: merged.change, detail: '' });
		}
		// It came and went between two posts: nobody can be told in time, but it is on record.
		if (!known) events.push({ atMs: nowMs, fingerprint, kind: 'untold', detail: context.receiversOf(alert.labels).join(' ') });
	}
	return { next, extended, write: [...write.values()], events, finished, counts };
}
