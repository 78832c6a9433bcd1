import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** What was edited of the inventory in the product, over what the file said, and the history of the whole. */
export const inventoryTables: Migration = {
	id: '0012-inventory',
	up: async (state) => {
		for (const statement of [
			sql`create table inventory_edit (
				section varchar(32) not null, entry_key varchar(255) not null, base mediumtext not null, value mediumtext not null,
				primary key (section, entry_key))`,
			sql`create table inventory_change (
				id varchar(36) primary key not null, at_ms bigint not null, author varchar(64) not null, note varchar(255) not null,
				diff mediumtext not null, refused mediumtext not null, inventory mediumtext not null)`,
			sql`create index inventory_change_at on inventory_change (at_ms)`,
		]) {
			await statement.execute(state);
		}
	},
};
