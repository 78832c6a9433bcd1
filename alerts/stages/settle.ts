import { type Alert, isFiring } from '../alert.ts';

export interface Settled {
	readonly alert: Alert;
	readonly firing: boolean;
	/** Nobody posted it again in time; it counts as resolved from the moment it expired. */
	readonly expired: boolean;
}

/** First stage: what an alert is at this moment. */
export function settle(alert: Alert, nowMs: number): Settled {
	if (isFiring(alert, nowMs)) return { alert, firing: true, expired: false };
	if (alert.resolvedAtMs !== null) return { alert, firing: false, expired: false };
	return { alert: { ...alert, resolvedAtMs: alert.expiresAtMs, updatedAtMs: nowMs }, firing: false, expired: true };
}
