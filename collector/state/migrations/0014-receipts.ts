import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Receipts of messages, awaited and come; and which incident a message belongs to. */
export const receiptTables: Migration = {
	id: '0014-receipts',
	up: async (state) => {
		for (const statement of [
			sql`create table notification_receipt (
				id varchar(36) primary key not null, attempt_id varchar(36) not null, line varchar(255) not null,
				message_key varchar(191) not null, recipient varchar(191) not null, state varchar(16) not null, code varchar(64) not null,
				due_at_ms bigint, at_ms bigint not null)`,
			sql`alter table notification add column incident varchar(36)`,
			sql`create index notification_incident on notification (incident)`,
			sql`create index notification_receipt_key on notification_receipt (message_key)`,
			sql`create index notification_receipt_due on notification_receipt (state, due_at_ms)`,
			sql`create index notification_receipt_attempt on notification_receipt (attempt_id)`,
		]) {
			await statement.execute(state);
		}
	},
};
