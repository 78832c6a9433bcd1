/** One row per label set, with the latest episode. */
export interface AlertTable {
	fingerprint: string;
	labels: string;
	annotations: string;
	starts_at_ms: number;
	expires_at_ms: number;
	resolved_at_ms: number | null;
	received_at_ms: number;
	updated_at_ms: number;
	generator_url: string;
	muted_by: string;
	/** Resolved, and no recovery owed to anybody. */
	closed_at_ms: number | null;
}

export interface AlertEventTable {
	id: string;
	at_ms: number;
	fingerprint: string;
	kind: string;
	detail: string;
}

/** What each group has told its receiver. */
export interface AlertGroupLogTable {
	id: string;
	group_key: string;
	receiver: string;
	labels: string;
	firing: string;
	flapping: string;
	notified_at_ms: number;
}

export interface NotificationTable {
	id: string;
	number: number;
	channel: string;
	receiver: string;
	group_id: string;
	state: string;
	possibly_sent: number;
	attempts: number;
	created_at_ms: number;
	updated_at_ms: number;
	next_attempt_at_ms: number;
	firing_count: number;
	resolved_count: number;
	/** JSON of the notification. */
	body: string;
	/** Id of the incident that a personal message belongs to. */
	incident: string | null;
}

export interface NotificationAttemptTable {
	id: string;
	channel: string;
	started_at_ms: number;
	ended_at_ms: number | null;
	/** `''` while it runs, and for ever when the process was killed in it. */
	outcome: string;
	code: string;
	reason: string;
	text: string;
	possible_duplicate: number;
}

/** A digest is one attempt for several notifications. */
export interface NotificationAttemptItemTable {
	attempt_id: string;
	notification_id: string;
}

export interface NotificationReceiptTable {
	id: string;
	/** `''` for one that came before its message was recorded. */
	attempt_id: string;
	line: string;
	message_key: string;
	recipient: string;
	state: string;
	code: string;
	due_at_ms: number | null;
	at_ms: number;
}

export interface SilenceTable {
	id: string;
	matchers: string;
	starts_at_ms: number;
	ends_at_ms: number;
	updated_at_ms: number;
	created_by: string;
	comment: string;
	/** JSON of time specifications; `[]` for all the time. */
	recurrence: string;
}

export interface AlertingTables {
	alert: AlertTable;
	alert_event: AlertEventTable;
	alert_group_log: AlertGroupLogTable;
	notification: NotificationTable;
	notification_attempt: NotificationAttemptTable;
	notification_attempt_item: NotificationAttemptItemTable;
	notification_receipt: NotificationReceiptTable;
	silence: SilenceTable;
}
