import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** What scheduled tasks have reported. */
export const jobTables: Migration = {
	id: '0005-jobs',
	up: async (state) => {
		await sql`create table job_heartbeat (task varchar(100) primary key not null, state mediumtext not null, updated_at_ms bigint not null)`.execute(
			state,
		);
	},
};
