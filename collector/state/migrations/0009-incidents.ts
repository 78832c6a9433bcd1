import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Incidents with everything that happened to them. */
export const incidentTables: Migration = {
	id: '0009-incidents',
	up: async (state) => {
		for (const statement of [
			sql`create table incident (
				id varchar(36) primary key not null, number bigint not null unique, state varchar(16) not null, opened_at_ms bigint not null,
				resolved_at_ms bigint, due_at_ms bigint, pending integer not null, snapshot mediumtext not null)`,
			sql`create index incident_state on incident (state, due_at_ms)`,
			sql`create index incident_opened on incident (opened_at_ms)`,
			sql`create table incident_event (
				incident_id varchar(36) not null, seq bigint not null, at_ms bigint not null, actor varchar(64) not null, kind varchar(32) not null,
				body mediumtext not null, primary key (incident_id, seq))`,
		]) {
			await statement.execute(state);
		}
	},
};
