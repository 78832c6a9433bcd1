import type { Selectable, Transaction } from 'kysely';
import type { Notification } from '../../alerts/notify/notification.ts';
import type { OutboxEntry, OutboxState } from '../../alerts/ports.ts';
import { chunks } from './chunks.ts';
import type { NotificationTable } from './schema/alerting.ts';
import type { StateSchema } from './schema.ts';

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
		incident: notification.incident?.id ?? null,
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

/** Inserts entries whose id is not there yet and answers them. */
export async function insertMissing(
	transaction: Transaction<StateSchema>,
	entries: readonly OutboxEntry[],
	atMs: number,
): Promise<readonly OutboxEntry[]> {
	if (entries.length === 0) return [];
	const known = new Set<string>();
	for (const part of chunks(entries.map(({ notification }) => notification.id))) {
		const rows = await transaction
			.selectFrom('notification')
			.select('id')
			.where('id', 'in', [...part])
			.execute();
		for (const { id } of rows) known.add(id);
	}
	const missing = entries.filter(({ notification }) => !known.has(notification.id));
	for (const part of chunks(missing)) {
		await transaction
			.insertInto('notification')
			.values(part.map((entry) => notificationRow(entry, atMs)))
			.execute();
	}
	return missing;
}
