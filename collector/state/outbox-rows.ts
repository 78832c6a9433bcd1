import type { Selectable } from 'kysely';
import type { Notification } from '../../alerts/notify/notification.ts';
import type { OutboxEntry, OutboxState } from '../../alerts/ports.ts';
import type { NotificationTable } from './schema/alerting.ts';

export function notificationRow(entry: OutboxEntry, atMs: number): NotificationTable {
	const { notification } = entry;
	return {
		id: notification.id,
		number: notification.number,
		channel: entry.channel,
		receiver: notification.receiver,
		group_id: entry.groupId,
		state: entry.state,
		possibly_sent: entry.possiblySent ? 1 : 0,
		attempts: entry.attempts,
		created_at_ms: notification.createdAtMs,
		updated_at_ms: atMs,
		next_attempt_at_ms: entry.nextAttemptAtMs,
		firing_count: notification.firingCount,
		resolved_count: notification.resolvedCount,
		body: JSON.stringify(notification),
	};
}

export function outboxEntry(row: Selectable<NotificationTable>): OutboxEntry {
	return {
		// Written by this module from the same type, and migrated with it.
		notification: JSON.parse(row.body) as Notification,
		groupId: row.group_id,
		channel: row.channel,
		state: row.state as OutboxState,
		possiblySent: row.possibly_sent === 1,
		attempts: row.attempts,
		nextAttemptAtMs: row.next_attempt_at_ms,
	};
}
