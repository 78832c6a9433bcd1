import type { Alert } from './alert.ts';
import type { DeliveryEvent } from './delivery/personal.ts';
import type { IncidentChange, IncidentStore } from './incident/incident-store.ts';
import type { Notification } from './notify/notification.ts';
import type { OnCallStore } from './roster/on-call-store.ts';
import type { Silence, SilencePrice } from './silence/silence.ts';
import type { AlertTurn } from './stages/flap.ts';

/** What happened to an alert. Together they answer "who was told, and why not" for every alert that ever arrived. */
export type AlertEventKind =
	| 'fired'
	| 'refired'
	| 'resolved'
	/** Not posted again in time. */
	| 'expired'
	| 'queued'
	/** Hidden, and by what: `silence:<id> <severity>`, `maintenance:<window> <severity>`, `inhibited:<fingerprint>`, or `time:<interval> <receiver>` for one receiver. */
	| 'suppressed'
	| 'unsuppressed'
	/** Comes and goes too often: told once more, then held until it has calmed. */
	| 'flapping'
	| 'calmed'
	/** Resolved before anybody was told. */
	| 'untold'
	/** The route leads to a receiver without channels: recorded only. */
	| 'recorded';

export interface AlertEvent {
	readonly atMs: number;
	readonly fingerprint: string;
	readonly kind: AlertEventKind;
	/** `receiver #number` for `queued`, what hides it for `suppressed`, the receiver for `untold` and `recorded`. */
	readonly detail: string;
}

/** The log of what a group has told (Alertmanager's notification log), one per group and receiver. */
export interface GroupLog {
	readonly id: string;
	readonly groupKey: string;
	readonly receiver: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly firing: readonly string[];
	/** Those of them that were told as flapping and are held until they calm. */
	readonly flapping: readonly string[];
	readonly notifiedAtMs: number;
}

export interface AlertStore {
	/** Alerts that are firing, or resolved with a recovery still owed. */
	openAlerts(): Promise<readonly Alert[]>;
	/** Latest state of these alerts, closed ones included. */
	findAlerts(fingerprints: readonly string[]): Promise<readonly Alert[]>;
	groupLogs(): Promise<readonly GroupLog[]>;
	/** Firings and ends of alerts since then, oldest first. */
	turnsSince(sinceMs: number): Promise<readonly AlertTurn[]>;
	/** Durable and atomic. */
	recordAlerts(record: { readonly alerts: readonly Alert[]; readonly events: readonly AlertEvent[] }): Promise<void>;
	/** Atomic result of a round of dispatch: either a notification is in the outbox and its group knows, or neither. */
	recordDispatch(record: DispatchRecord): Promise<void>;
	/** Removes alerts closed before `closedBeforeMs` and events older than `eventsBeforeMs`. */
	purge(limits: { readonly closedBeforeMs: number; readonly eventsBeforeMs: number }): Promise<void>;
}

export interface DispatchRecord {
	readonly atMs: number;
	readonly entries: readonly OutboxEntry[];
	readonly logs: readonly GroupLog[];
	/** Ids of groups that owe nothing any more. */
	readonly endedLogs: readonly string[];
	readonly alerts: readonly Alert[];
	/** Resolved and owed to nobody. */
	readonly closed: readonly string[];
	readonly events: readonly AlertEvent[];
	/** What the round opened, joined and ended. */
	readonly incidents: readonly IncidentChange[];
}

/**
 * `queued` → `sending` (written before the first byte leaves) → `sent`, `refused`, `expired`, or back to `queued`.
 * An entry found in `sending` at start was possibly sent.
 */
export type OutboxState = 'queued' | 'sending' | 'sent' | 'refused' | 'expired';

export interface OutboxEntry {
	readonly notification: Notification;
	readonly groupId: string;
	readonly channel: string;
	readonly state: OutboxState;
	/** An earlier attempt may have arrived although nobody said so. */
	readonly possiblySent: boolean;
	readonly attempts: number;
	readonly nextAttemptAtMs: number;
}

export interface AttemptStart {
	readonly id: string;
	readonly channel: string;
	readonly startedAtMs: number;
	readonly text: string;
	readonly possibleDuplicate: boolean;
	readonly notificationIds: readonly string[];
}

export interface AttemptEnd {
	readonly id: string;
	readonly endedAtMs: number;
	readonly outcome: 'sent' | 'retry' | 'refused';
	readonly code: string;
	readonly reason: string;
	/** The entries of the attempt as they are from now on. */
	readonly entries: readonly OutboxEntry[];
	/** Receipts that the channel will send for it. */
	readonly awaited: readonly AwaitedReceipt[];
	/** Messages to the next address of persons whom it did not reach. */
	readonly next: readonly OutboxEntry[];
}

/** `missing`: it did not come in time. A later word can still turn it into `delivered`. */
export type ReceiptState = 'awaited' | 'delivered' | 'undelivered' | 'missing' | 'read';

/** A receipt that is expected, by what the channel calls the message. */
export interface AwaitedReceipt {
	readonly id: string;
	readonly attemptId: string;
	/** Name of the channel's entry. */
	readonly line: string;
	readonly key: string;
	readonly to: string;
	/** `null`: recorded when it comes, not missed when it does not. */
	readonly dueAtMs: number | null;
}

export interface ReceiptRecord extends AwaitedReceipt {
	readonly state: ReceiptState;
	readonly code: string;
	readonly atMs: number;
}

export interface ReceiptStore {
	/** Every record of these messages of a line. `attemptId` is `''` for a receipt that came before its message was recorded. */
	findReceipts(line: string, keys: readonly string[]): Promise<readonly ReceiptRecord[]>;
	/** Messages of a line since then, whatever became of them: those that are awaited before the others, newest first. */
	recentMessages(line: string, sinceMs: number, limit: number): Promise<readonly ReceiptRecord[]>;
	/** Still awaited although due, oldest first. */
	dueReceipts(nowMs: number, limit: number): Promise<readonly ReceiptRecord[]>;
	/** When the next one is due; `null` when none is. */
	nextDue(): Promise<number | null>;
	entriesOfAttempt(attemptId: string): Promise<readonly OutboxEntry[]>;
	/** Atomic: receipts as they are from now on, those that nobody waited for, and messages to the next address. Answers those of `next` that were not there yet. */
	recordReceipts(record: {
		readonly changed: readonly ReceiptRecord[];
		readonly early: readonly ReceiptRecord[];
		readonly gone: readonly string[];
		readonly next: readonly OutboxEntry[];
		readonly atMs: number;
	}): Promise<readonly OutboxEntry[]>;
}

export interface OutboxStore {
	/** Entries in `queued` and `sending`, oldest first. */
	pending(): Promise<readonly OutboxEntry[]>;
	/** Highest notification number ever given, 0 when none. */
	lastNumber(): Promise<number>;
	/** Puts entries into `sending` before anything is sent. */
	beginAttempt(attempt: AttemptStart): Promise<void>;
	/** Answers those of `next` that were not in the outbox yet. */
	endAttempt(attempt: AttemptEnd): Promise<readonly OutboxEntry[]>;
	/** Ends entries without an attempt: too old, or their channel is gone from the configuration. Answers as `endAttempt`. */
	giveUp(
		entries: readonly OutboxEntry[],
		record: { readonly atMs: number; readonly code: string; readonly reason: string; readonly next: readonly OutboxEntry[] },
	): Promise<readonly OutboxEntry[]>;
	/** Puts entries into the outbox unless one of the same id is there; answers those that were not. */
	addEntries(entries: readonly OutboxEntry[], atMs: number): Promise<readonly OutboxEntry[]>;
}

export interface SilenceStore {
	/** Those that ended after `endedAfterMs`. */
	silences(endedAfterMs: number): Promise<readonly Silence[]>;
	saveSilence(silence: Silence): Promise<void>;
}

/** One notification as the product's interface lists it, with every attempt and the channel's own answer. */
export interface NotificationRecord {
	readonly id: string;
	readonly number: number;
	readonly receiver: string;
	readonly channel: string;
	readonly state: OutboxState;
	readonly createdAtMs: number;
	readonly updatedAtMs: number;
	readonly firingCount: number;
	readonly resolvedCount: number;
	readonly attempts: readonly {
		readonly startedAtMs: number;
		readonly endedAtMs: number | null;
		readonly outcome: string;
		readonly code: string;
		readonly reason: string;
		readonly text: string;
		readonly possibleDuplicate: boolean;
	}[];
}

export interface NotificationHistory {
	/** Newest first; `before` is the number of the last one of the page before, `ids` asks for these only. */
	listNotifications(page: {
		readonly limit: number;
		readonly before?: number;
		readonly ids?: readonly string[];
	}): Promise<readonly NotificationRecord[]>;
	/** What became of a personal message on each of its ways, oldest first. */
	deliveries(incidentId: string): Promise<readonly DeliveryEvent[]>;
	/** What a silence has hidden so far. */
	silencePrice(silence: Silence, nowMs: number): Promise<SilencePrice>;
	/** What a window of maintenance has held back so far. */
	maintenancePrice(window: string, nowMs: number): Promise<SilencePrice>;
	/** Oldest first, at most `limit`. */
	listAlertEvents(query: { readonly fingerprint: string; readonly limit: number }): Promise<readonly AlertEvent[]>;
}

export interface AlertingPorts {
	readonly alerts: AlertStore;
	readonly outbox: OutboxStore;
	readonly receipts: ReceiptStore;
	readonly silences: SilenceStore;
	readonly history: NotificationHistory;
	readonly incidents: IncidentStore;
	readonly onCall: OnCallStore;
}
