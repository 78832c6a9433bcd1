import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** Open alerts, what became of each, the outbox with every attempt, and silences. */
export const alertingTables: Migration = {
	id: '0002-alerting',
	up: async (state) => {
		for (const statement of [
			sql`create table alert (
				fingerprint varchar(16) primary key not null, labels mediumtext not null, annotations mediumtext not null,
				starts_at_ms bigint not null, expires_at_ms bigint not null, resolved_at_ms bigint,
				received_at_ms bigint not null, updated_at_ms bigint not null, generator_url text not null,
				muted_by varchar(255) not null, closed_at_ms bigint)`,
			sql`create index alert_closed on alert (closed_at_ms)`,
			sql`create table alert_event (
				id varchar(36) primary key not null, at_ms bigint not null, fingerprint varchar(16) not null,
				kind varchar(16) not null, detail text not null)`,
			sql`create index alert_event_fingerprint on alert_event (fingerprint, at_ms)`,
			sql`create index alert_event_at on alert_event (at_ms)`,
			sql`create table alert_group_log (
				id varchar(64) primary key not null, group_key text not null, receiver varchar(255) not null,
				labels text not null, firing mediumtext not null, notified_at_ms bigint not null)`,
			sql`create table notification (
				id varchar(36) primary key not null, number bigint not null unique, channel varchar(255) not null,
				receiver varchar(255) not null, group_id varchar(64) not null, state varchar(16) not null,
				possibly_sent integer not null, attempts integer not null, created_at_ms bigint not null,
				updated_at_ms bigint not null, next_attempt_at_ms bigint not null,
				firing_count integer not null, resolved_count integer not null, body mediumtext not null)`,
			sql`create index notification_state on notification (state, number)`,
			sql`create index notification_created on notification (created_at_ms)`,
			sql`create table notification_attempt (
				id varchar(36) primary key not null, channel varchar(255) not null, started_at_ms bigint not null,
				ended_at_ms bigint, outcome varchar(16) not null, code varchar(64) not null, reason text not null,
				text mediumtext not null, possible_duplicate integer not null)`,
			sql`create table notification_attempt_item (
				attempt_id varchar(36) not null, notification_id varchar(36) not null, primary key (attempt_id, notification_id))`,
			sql`create index notification_attempt_item_notification on notification_attempt_item (notification_id)`,
			sql`create table silence (
				id varchar(36) primary key not null, matchers text not null, starts_at_ms bigint not null, ends_at_ms bigint not null,
				updated_at_ms bigint not null, created_by varchar(255) not null, comment text not null)`,
			sql`create index silence_ends on silence (ends_at_ms)`,
		]) {
			await statement.execute(state);
		}
	},
};
