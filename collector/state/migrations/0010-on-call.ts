import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Changes of duty, hand-over records and drills. */
export const onCallTables: Migration = {
	id: '0010-on-call',
	up: async (state) => {
		await sql`create table on_call_event (
			stream varchar(100) not null, seq bigint not null, at_ms bigint not null, actor varchar(64) not null, kind varchar(32) not null,
			body mediumtext not null, primary key (stream, seq))`.execute(state);
		await sql`create index on_call_event_at on on_call_event (kind, at_ms)`.execute(state);
	},
};
