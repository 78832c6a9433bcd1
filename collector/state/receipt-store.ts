import type { Selectable, Transaction } from 'kysely';
import type { AwaitedReceipt, OutboxEntry, ReceiptRecord, ReceiptState, ReceiptStore } from '../../alerts/ports.ts';
import { uuidv7Floor } from '../../core/ids.ts';
import { chunks } from './chunks.ts';
import type { StateDatabase } from './database.ts';
import { insertMissing, outboxEntry } from './outbox-rows.ts';
import type { NotificationReceiptTable } from './schema/alerting.ts';
import type { StateSchema } from './schema.ts';

/** A receipt that comes before its message was recorded waits this long for it. */
const EARLY_KEPT_MS = 86_400_000;

/** Receipts in the state database. */
export function createReceiptStore(state: StateDatabase): ReceiptStore {
	return {
		findReceipts: async (line, keys) => {
			const found: ReceiptRecord[] = [];
			for (const part of chunks(keys)) {
				const rows = await state
					.selectFrom('notification_receipt')
					.selectAll()
					.where('message_key', 'in', [...part])
					.where('line', '=', line)
					.orderBy('id')
					.execute();
				found.push(...rows.map(receiptOf));
			}
			return found;
		},
		recentMessages: async (line, sinceMs, limit) => {
			const rows = await state
				.selectFrom('notification_receipt')
				.selectAll()
				.where('id', '>=', uuidv7Floor(sinceMs))
				.where('line', '=', line)
				.where('attempt_id', '<>', '')
				.orderBy((columns) => columns.case().when('state', '=', 'awaited').then(0).else(1).end())
				.orderBy('id', 'desc')
				.limit(limit)
				.execute();
			return rows.map(receiptOf);
		},
		dueReceipts: async (nowMs, limit) => {
			const rows = await state
				.selectFrom('notification_receipt')
				.selectAll()
				.where('state', '=', 'awaited')
				.where('due_at_ms', '<=', nowMs)
				.orderBy('due_at_ms')
				.limit(limit)
				.execute();
			return rows.map(receiptOf);
		},
		nextDue: async () => {
			const row = await state
				.selectFrom('notification_receipt')
				.select((columns) => columns.fn.min('due_at_ms').as('at'))
				.where('state', '=', 'awaited')
				.where('due_at_ms', 'is not', null)
				.executeTakeFirst();
			return row?.at === null || row?.at === undefined ? null : Number(row.at);
		},
		entriesOfAttempt: async (attemptId) => {
			const rows = await state
				.selectFrom('notification')
				.innerJoin('notification_attempt_item', 'notification_attempt_item.notification_id', 'notification.id')
				.selectAll('notification')
				.where('notification_attempt_item.attempt_id', '=', attemptId)
				.orderBy('notification.number')
				.execute();
			return rows.map(outboxEntry);
		},
		recordReceipts: ({ changed, early, gone, next, atMs }) =>
			state.transaction().execute(async (transaction): Promise<readonly OutboxEntry[]> => {
				for (const record of changed) {
					await transaction
						.updateTable('notification_receipt')
						.set({ state: record.state, code: record.code.slice(0, 64), at_ms: record.atMs })
						.where('id', '=', record.id)
						.execute();
				}
				for (const part of chunks(gone)) {
					await transaction
						.deleteFrom('notification_receipt')
						.where('id', 'in', [...part])
						.execute();
				}
				// An account that others share brings receipts for messages that were never ours.
				if (early.length > 0) {
					await transaction
						.deleteFrom('notification_receipt')
						.where('attempt_id', '=', '')
						.where('at_ms', '<', atMs - EARLY_KEPT_MS)
						.execute();
				}
				for (const part of chunks(early)) {
					await transaction
						.insertInto('notification_receipt')
						.values(part.map((record) => receiptRow(record, record)))
						.execute();
				}
				return insertMissing(transaction, next, atMs);
			}),
	};
}

export async function insertAwaited(
	transaction: Transaction<StateSchema>,
	awaited: readonly AwaitedReceipt[],
	atMs: number,
): Promise<void> {
	for (const part of chunks(awaited)) {
		await transaction
			.insertInto('notification_receipt')
			.values(part.map((receipt) => receiptRow(receipt, { state: 'awaited', code: '', atMs })))
			.execute();
	}
}

function receiptRow(
	receipt: AwaitedReceipt,
	word: { readonly state: ReceiptState; readonly code: string; readonly atMs: number },
): NotificationReceiptTable {
	return {
		id: receipt.id,
		attempt_id: receipt.attemptId,
		line: receipt.line,
		message_key: receipt.key.slice(0, 191),
		recipient: receipt.to.slice(0, 191),
		state: word.state,
		code: word.code.slice(0, 64),
		due_at_ms: receipt.dueAtMs,
		at_ms: word.atMs,
	};
}

function receiptOf(row: Selectable<NotificationReceiptTable>): ReceiptRecord {
	return {
		id: row.id,
		attemptId: row.attempt_id,
		line: row.line,
		key: row.message_key,
		to: row.recipient,
		dueAtMs: row.due_at_ms,
		state: row.state as ReceiptState,
		code: row.code,
		atMs: row.at_ms,
	};
}
