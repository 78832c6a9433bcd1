import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Faults with their history, and what people enter into assessments. */
export const faultTables: Migration = {
	id: '0008-faults',
	up: async (state) => {
		for (const statement of [
			sql`create table fault (
				id varchar(36) primary key not null, number bigint not null unique, profile varchar(64) not null, stage varchar(16) not null,
				service varchar(64) not null, source_key varchar(255) not null, onset_ms bigint not null, updated_at_ms bigint not null,
				state mediumtext not null)`,
			sql`create index fault_stage on fault (stage)`,
			sql`create index fault_source on fault (source_key)`,
			sql`create index fault_onset on fault (onset_ms)`,
			sql`create table fault_event (
				fault_id varchar(36) not null, seq bigint not null, at_ms bigint not null, actor varchar(64) not null,
				body mediumtext not null, primary key (fault_id, seq))`,
			sql`create table contract_event (
				id varchar(36) primary key not null, profile varchar(64) not null, period varchar(16) not null, at_ms bigint not null,
				actor varchar(64) not null, kind varchar(32) not null, body mediumtext not null)`,
			sql`create index contract_event_period on contract_event (profile, period)`,
		]) {
			await statement.execute(state);
		}
	},
};
