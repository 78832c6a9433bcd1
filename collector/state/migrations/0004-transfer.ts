import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Where each sender of transfer files stands, and what is missing of it. */
export const transferTables: Migration = {
	id: '0004-transfer',
	up: async (state) => {
		for (const statement of [
			sql`create table transfer_sender (
				sender varchar(255) primary key not null, next_seq bigint not null, created_at_ms bigint not null, taken_at_ms bigint not null)`,
			sql`create table transfer_gap (
				id varchar(36) primary key not null, sender varchar(255) not null, from_seq bigint not null, to_seq bigint not null,
				declared_at_ms bigint not null)`,
			sql`create index transfer_gap_sender on transfer_gap (sender, from_seq)`,
			sql`create table transfer_stream (stream varchar(255) primary key not null, moved_by bigint not null)`,
		]) {
			await statement.execute(state);
		}
	},
};
