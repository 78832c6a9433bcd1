import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** People, their sessions and machine tokens, and the record of who did what. Roles are separate from the first user on. */
export const identityTables: Migration = {
	id: '0001-identity',
	up: async (state) => {
		for (const statement of [
			sql`create table user_account (
				id varchar(36) primary key not null, account varchar(64) not null unique, role varchar(16) not null,
				password_hash varchar(255) not null, password_changed_at_ms bigint not null,
				failed_logins integer not null, locked_until_ms bigint not null, created_at_ms bigint not null)`,
			sql`create table user_session (
				token_hash varchar(64) primary key not null, user_id varchar(36) not null,
				created_at_ms bigint not null, last_seen_at_ms bigint not null,
				foreign key (user_id) references user_account (id) on delete cascade)`,
			sql`create table machine_token (
				token_hash varchar(64) primary key not null, name varchar(255) not null unique, scope varchar(16) not null,
				created_at_ms bigint not null, revoked_at_ms bigint)`,
			sql`create table operation_log (
				id varchar(36) primary key not null, at_ms bigint not null, actor varchar(64) not null, action varchar(64) not null,
				object varchar(255) not null, result varchar(16) not null, src_addr varchar(64) not null, detail text not null)`,
			sql`create index operation_log_at on operation_log (at_ms)`,
		]) {
			await statement.execute(state);
		}
	},
};
