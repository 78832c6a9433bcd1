import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** What happened to maintenance windows, append-only; a window is what its events make it. */
export const maintenanceTables: Migration = {
	id: '0007-maintenance',
	up: async (state) => {
		await sql`create table maintenance_event (
			window_id varchar(36) not null, seq integer not null, at_ms bigint not null, actor varchar(64) not null, kind varchar(16) not null,
			event mediumtext not null, primary key (window_id, seq))`.execute(state);
	},
};
