import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Agents that have a key of their own, the one-time tokens that they got it with, and what they are told to watch. */
export const agentTables: Migration = {
	id: '0003-agents',
	up: async (state) => {
		for (const statement of [
			sql`create table agent (
				host varchar(255) primary key not null, agent_version varchar(64) not null, public_key text not null,
				enrolled_at_ms bigint not null, last_sync_ms bigint not null, config_version varchar(64) not null,
				config_state varchar(16) not null, config_reason text not null, revoked_at_ms bigint)`,
			sql`create table enrolment_token (
				token_hash varchar(64) primary key not null, host varchar(255) not null, created_by varchar(64) not null,
				created_at_ms bigint not null, expires_at_ms bigint not null, used_at_ms bigint, used_by_host varchar(255) not null)`,
			sql`create table agent_config (
				id varchar(36) primary key not null, target varchar(255) not null, text text not null, author varchar(64) not null,
				note varchar(255) not null, at_ms bigint not null)`,
			sql`create index agent_config_target on agent_config (target, id)`,
		]) {
			await statement.execute(state);
		}
	},
};
