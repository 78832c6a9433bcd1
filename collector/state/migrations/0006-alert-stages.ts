import { sql } from 'kysely';
import type { Migration } from '../migration.ts';

/** What groups have told as flapping, and silences that come back. */
export const alertStageColumns: Migration = {
	id: '0006-alert-stages',
	up: async (state) => {
		// MySQL gives text columns no default, so the rows that exist are filled before anybody reads them.
		await sql`alter table alert_group_log add column flapping mediumtext`.execute(state);
		await sql`update alert_group_log set flapping = '[]'`.execute(state);
		await sql`alter table silence add column recurrence text`.execute(state);
		await sql`update silence set recurrence = '[]'`.execute(state);
	},
};
