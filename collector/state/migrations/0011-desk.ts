import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Problems of users and changes, each with its history. */
export const deskTables: Migration = {
	id: '0011-desk',
	up: async (state) => {
		for (const statement of [
			sql`create table desk_case (
				id varchar(36) primary key not null, kind varchar(16) not null, number bigint not null, stage varchar(16) not null,
				at_ms bigint not null, updated_at_ms bigint not null, state mediumtext not null, unique (kind, number))`,
			sql`create index desk_case_stage on desk_case (kind, stage)`,
			sql`create index desk_case_at on desk_case (kind, at_ms)`,
			sql`create table desk_event (
				case_id varchar(36) not null, seq bigint not null, at_ms bigint not null, actor varchar(64) not null,
				body mediumtext not null, primary key (case_id, seq))`,
		]) {
			await statement.execute(state);
		}
	},
};
