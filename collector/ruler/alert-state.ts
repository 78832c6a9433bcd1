import type { Labels } from '../../protocol/labels.ts';

export type AlertState = 'pending' | 'firing' | 'inactive';

/** One alert of a rule. `inactive` is one that has resolved and is kept so that its recovery is told more than once. */
export interface ActiveAlert {
	readonly labels: Labels;
	annotations: Readonly<Record<string, string>>;
	state: AlertState;
	value: number;
	activeAtMs: number;
	firedAtMs: number | null;
	resolvedAtMs: number | null;
	keepFiringSinceMs: number | null;
	/** When the sink last took it. */
	lastSentAtMs: number | null;
}

/** How long a resolved alert is repeated. */
export const RESOLVED_RETENTION_MS = 15 * 60_000;

export function newAlert(labels: Labels, annotations: Readonly<Record<string, string>>, value: number, timeMs: number): ActiveAlert {
	return {
		labels,
		annotations,
		state: 'pending',
		value,
		activeAtMs: timeMs,
		firedAtMs: null,
		resolvedAtMs: null,
		keepFiringSinceMs: null,
		lastSentAtMs: null,
	};
}

/**
 * Moves the alerts of a rule to `timeMs`. `current` holds what the expression gives now, by label key; `active` is
 * changed. Follows Prometheus' `AlertingRule.Eval`, except that a recovery nobody has taken yet is never forgotten.
 */
export function advanceAlerts(
	active: Map<string, ActiveAlert>,
	current: ReadonlyMap<string, ActiveAlert>,
	rule: {
		readonly forMs: number;
		readonly keepFiringForMs: number;
		readonly timeMs: number;
		/** Alerts that were looked at; the others stay as they are. Default: all. */
		readonly looksAt?: ((labels: Labels) => boolean) | undefined;
	},
): void {
	const { timeMs, looksAt } = rule;
	for (const [key, fresh] of current) {
		const known = active.get(key);
		if (known !== undefined && known.state !== 'inactive') {
			known.value = fresh.value;
			known.annotations = fresh.annotations;
		} else active.set(key, fresh);
	}
	for (const [key, alert] of active) {
		if (looksAt !== undefined && !looksAt(alert.labels)) continue;
		if (!current.has(key) && !isKept(alert, rule)) {
			const told = alert.resolvedAtMs !== null && alert.lastSentAtMs !== null && alert.lastSentAtMs >= alert.resolvedAtMs;
			if (alert.state === 'pending' || (told && timeMs - (alert.resolvedAtMs as number) > RESOLVED_RETENTION_MS)) active.delete(key);
			else if (alert.state === 'firing') {
				alert.state = 'inactive';
				alert.resolvedAtMs = timeMs;
			}
			continue;
		}
		if (current.has(key)) alert.keepFiringSinceMs = null;
		if (alert.state === 'pending' && timeMs - alert.activeAtMs >= rule.forMs) {
			alert.state = 'firing';
			alert.firedAtMs = timeMs;
		}
	}
}

/** Whether an alert whose condition is gone still fires because of `keep_firing_for`. */
function isKept(alert: ActiveAlert, rule: { readonly keepFiringForMs: number; readonly timeMs: number }): boolean {
	if (alert.state !== 'firing' || rule.keepFiringForMs === 0) return false;
	alert.keepFiringSinceMs ??= rule.timeMs;
	return rule.timeMs - alert.keepFiringSinceMs < rule.keepFiringForMs;
}

/** When the time that an alert waits for is over: its `for`, or its `keep_firing_for`; `null` when it waits for nothing. */
export function deadlineOf(alert: ActiveAlert, rule: { readonly forMs: number; readonly keepFiringForMs: number }): number | null {
	if (alert.state === 'pending') return alert.activeAtMs + rule.forMs;
	return alert.state === 'firing' && alert.keepFiringSinceMs !== null ? alert.keepFiringSinceMs + rule.keepFiringForMs : null;
}

/** Whether the sink is owed this alert at `timeMs`. */
export function needsSending(alert: ActiveAlert, timeMs: number, resendDelayMs: number): boolean {
	if (alert.state === 'pending') return false;
	if (alert.lastSentAtMs === null) return true;
	if (alert.resolvedAtMs !== null && alert.resolvedAtMs > alert.lastSentAtMs) return true;
	return timeMs - alert.lastSentAtMs >= resendDelayMs;
}

export interface RestoreSettings {
	readonly forMs: number;
	readonly graceMs: number;
	readonly timeMs: number;
}

/**
 * Gives a fresh alert the clock of its earlier life. `lastSeenMs` is the time of the last `ALERTS_FOR_STATE` sample,
 * `activeAtMs` its value. An alert that fired goes on firing since then; a pending one does not count the outage.
 */
export function restoreAlert(
	alert: ActiveAlert,
	earlier: { readonly lastSeenMs: number; readonly activeAtMs: number },
	settings: RestoreSettings,
): void {
	const { forMs, graceMs, timeMs } = settings;
	const remaining = forMs - (earlier.lastSeenMs - earlier.activeAtMs);
	if (remaining <= 0) {
		alert.activeAtMs = earlier.activeAtMs;
		alert.state = 'firing';
		alert.firedAtMs = earlier.activeAtMs + forMs;
		return;
	}
	// A short `for` is simply waited for again; the grace period would make it longer than it is.
	if (forMs < graceMs) return;
	alert.activeAtMs = remaining < graceMs ? timeMs + graceMs - forMs : earlier.activeAtMs + (timeMs - earlier.lastSeenMs);
}
