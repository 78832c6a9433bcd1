import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Reports as they were issued; a row is never changed. */
export const reportTables: Migration = {
	id: '0016-reports',
	up: async (state) => {
		await sql`create table issued_report (
			month varchar(7) not null, version integer not null, issued_at_ms bigint not null, issued_by varchar(64) not null, note varchar(2000) not null,
			digest varchar(64) not null, content mediumtext not null, primary key (month, version))`.execute(state);
	},
};
