import type { Transaction } from 'kysely';
import type { OutboxEntry, OutboxStore } from '../../alerts/ports.ts';
import { uuidv7 } from '../../core/ids.ts';
import { chunks } from './chunks.ts';
import type { StateDatabase } from './database.ts';
import { insertMissing, outboxEntry } from './outbox-rows.ts';
import { insertAwaited } from './receipt-store.ts';
import type { StateSchema } from './schema.ts';

/** The persistent outbox and its attempts in the state database. */
export function createOutboxStore(state: StateDatabase): OutboxStore {
	return {
		pending: async () => {
			const rows = await state
				.selectFrom('notification')
				.selectAll()
				.where('state', 'in', ['queued', 'sending'])
				.orderBy('number')
				.execute();
			return rows.map(outboxEntry);
		},
		lastNumber: async () => {
			const row = await state
				.selectFrom('notification')
				.select((columns) => columns.fn.max('number').as('last'))
				.executeTakeFirst();
			return Number(row?.last ?? 0);
		},
		beginAttempt: (attempt) =>
			state.transaction().execute(async (transaction) => {
				await transaction
					.insertInto('notification_attempt')
					.values({
						id: attempt.id,
						channel: attempt.channel,
						started_at_ms: attempt.startedAtMs,
						ended_at_ms: null,
						outcome: '',
						code: '',
						reason: '',
						text: attempt.text,
						possible_duplicate: attempt.possibleDuplicate ? 1 : 0,
					})
					.execute();
				for (const part of chunks(attempt.notificationIds)) {
					await transaction
						.insertInto('notification_attempt_item')
						.values(part.map((notificationId) => ({ attempt_id: attempt.id, notification_id: notificationId })))
						.execute();
					await transaction
						.updateTable('notification')
						.set({ state: 'sending', updated_at_ms: attempt.startedAtMs })
						.where('id', 'in', [...part])
						.execute();
				}
			}),
		endAttempt: (end) =>
			state.transaction().execute(async (transaction) => {
				await transaction
					.updateTable('notification_attempt')
					.set({ ended_at_ms: end.endedAtMs, outcome: end.outcome, code: end.code.slice(0, 64), reason: end.reason.slice(0, 2000) })
					.where('id', '=', end.id)
					.execute();
				await writeEntries(transaction, end.entries, end.endedAtMs);
				await insertAwaited(transaction, end.awaited, end.endedAtMs);
				return insertMissing(transaction, end.next, end.endedAtMs);
			}),
		giveUp: (entries, record) =>
			state.transaction().execute(async (transaction) => {
				for (const entry of entries) {
					const id = uuidv7(record.atMs);
					await transaction
						.insertInto('notification_attempt')
						.values({
							id,
							channel: entry.channel,
							started_at_ms: record.atMs,
							ended_at_ms: record.atMs,
							outcome: 'expired',
							code: record.code,
							reason: record.reason,
							text: '',
							possible_duplicate: 0,
						})
						.execute();
					await transaction
						.insertInto('notification_attempt_item')
						.values({ attempt_id: id, notification_id: entry.notification.id })
						.execute();
				}
				await writeEntries(
					transaction,
					entries.map((entry) => ({ ...entry, state: 'expired' })),
					record.atMs,
				);
				return insertMissing(transaction, record.next, record.atMs);
			}),
		addEntries: (entries, atMs) => state.transaction().execute((transaction) => insertMissing(transaction, entries, atMs)),
	};
}

async function writeEntries(transaction: Transaction<StateSchema>, entries: readonly OutboxEntry[], atMs: number): Promise<void> {
	for (const entry of entries) {
		await transaction
			.updateTable('notification')
			.set({
				state: entry.state,
				possibly_sent: entry.possiblySent ? 1 : 0,
				attempts: entry.attempts,
				next_attempt_at_ms: entry.nextAttemptAtMs,
				updated_at_ms: atMs,
			})
			.where('id', '=', entry.notification.id)
			.execute();
	}
}
