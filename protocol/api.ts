/**
 * JSON of the product API at `/api/fournines/v1`. The console and the collector both import this file, so neither can
 * change a shape alone. Times are integer milliseconds since the epoch unless a name says seconds.
 */

/** Roles after GB/T 22239-2019 8.1.5: three exclusive administrators, and those who work with the product. None has every right. */
export const ROLES = ['system', 'security', 'audit', 'operator', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

export interface ErrorAnswer {
	readonly error: { readonly code: string; readonly message: string };
}

/** `GET /session`: 401 without a session. `POST /session` with `LoginRequest` answers it as well. */
export interface SessionAnswer {
	readonly account: string;
	readonly role: Role;
}

export interface LoginRequest {
	readonly account: string;
	readonly password: string;
}

/** `GET /setup`: whether the first accounts still have to be made. Open to anybody who reaches the address. */
export interface SetupStateAnswer {
	readonly needed: boolean;
}

/** `POST /setup`: uses the one-time code that the collector printed. At least a `system` administrator; each role once. */
export interface SetupRequest {
	readonly code: string;
	readonly accounts: readonly { readonly role: Role; readonly account: string; readonly password: string }[];
}

export type ServiceState = 'up' | 'degraded' | 'down' | 'unknown' | 'excluded';

/** Availability figures of one service over `[fromMs, toMs)`; seconds are whole. See docs/availability.md for the formulas. */
export interface AvailabilityFigures {
	readonly fromMs: number;
	readonly toMs: number;
	readonly totalSeconds: number;
	readonly upSeconds: number;
	readonly degradedSeconds: number;
	readonly downSeconds: number;
	readonly unknownSeconds: number;
	readonly excludedSeconds: number;
	/** Failed checks too short to be an outage; part of `upSeconds`. */
	readonly unconfirmedSeconds: number;
	/** Percent, truncated, for example `"99.993"`; `null` when no time was agreed. `best` counts unknown as up, `worst` as down. */
	readonly sliBest: string | null;
	readonly sliWorst: string | null;
	/** Where a contract says that unknown time does not count at all; `null` also when all of it is unknown. */
	readonly sliLeftOut: string | null;
	readonly coverage: string | null;
	/** Percent, as configured, for example `"99.99"`. */
	readonly target: string;
	/** Allowed downtime of the whole period in seconds, with up to two decimals, for example `"259.20"`. */
	readonly budgetSeconds: string;
	/** Of that, used: confirmed downtime. */
	readonly budgetUsedSeconds: number;
}

export interface ServiceStatus {
	readonly id: string;
	readonly name: string;
	readonly core: boolean;
	readonly state: ServiceState;
	/** Since when that state lasts; `null` when nothing is known. */
	readonly sinceMs: number | null;
	/** Figures of the current month so far. */
	readonly month: AvailabilityFigures;
	readonly checks: readonly { readonly id: string; readonly state: ServiceState }[];
	/** Ids of the services that it is made of. */
	readonly children: readonly string[];
}

export interface OpenAlert {
	readonly fingerprint: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly annotations: Readonly<Record<string, string>>;
	readonly startsAtMs: number;
	readonly suppressed: boolean;
}

export interface HostStatus {
	readonly host: string;
	readonly system: string;
	/** When its agent last delivered. */
	readonly lastPushMs: number;
	readonly alive: boolean;
}

/** `GET /overview`. */
export interface OverviewAnswer {
	readonly nowMs: number;
	readonly version: string;
	readonly services: readonly ServiceStatus[];
	readonly hosts: readonly HostStatus[];
	readonly alerts: readonly OpenAlert[];
	readonly activeSeries: number;
}

/** One interval of a ledger, half-open, in whole seconds since the epoch. */
export interface LedgerIntervalAnswer {
	readonly fromSeconds: number;
	readonly toSeconds: number;
	readonly state: ServiceState;
	/** Why: the failing check and its cause for `down`, the kind of silence for `unknown`, the rule for `excluded`. */
	readonly reason: string;
}

/** `GET /services/{id}/ledger?from=&to=` (RFC 3339 or Unix seconds). */
export interface LedgerAnswer {
	readonly service: string;
	readonly figures: AvailabilityFigures;
	readonly intervals: readonly LedgerIntervalAnswer[];
	/** The last seconds can still change: a confirmation or late data may come. */
	readonly provisionalFromSeconds: number;
}

/** `GET /boards`: the shipped Grafana dashboards; `GET /boards/{uid}` answers the Grafana JSON itself. */
export interface BoardListAnswer {
	readonly boards: readonly {
		readonly uid: string;
		readonly title: string;
		/** What it shows; `''` when the board does not say. */
		readonly description: string;
		readonly tags: readonly string[];
	}[];
}

/** `GET /notifications?limit=`: what was sent, newest first. */
export interface NotificationListAnswer {
	readonly notifications: readonly NotificationEntry[];
}

export interface NotificationEntry {
	readonly id: string;
	/** Counts up over all notifications; printed in every message. */
	readonly number: number;
	readonly receiver: string;
	readonly channel: string;
	/** `queued` waits or is between attempts, `sending` is under way, `sent` was taken by the channel, `refused` and `expired` were not. */
	readonly state: string;
	readonly createdAtMs: number;
	readonly updatedAtMs: number;
	readonly firingCount: number;
	readonly resolvedCount: number;
	readonly attempts: number;
	/** The channel's own code and words of the last attempt. */
	readonly lastCode: string;
	readonly lastReason: string;
	/** The text as it was last sent. */
	readonly text: string;
}
