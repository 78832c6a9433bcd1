import type { SilenceStore } from '../../alerts/ports.ts';
import type { SilenceMatcher } from '../../alerts/silence/silence.ts';
import type { TimeSpecConfig } from '../../alerts/time/time-interval.ts';
import type { StateDatabase } from './database.ts';

export function createSilenceStore(state: StateDatabase): SilenceStore {
	return {
		silences: async (endedAfterMs) => {
			const rows = await state.selectFrom('silence').selectAll().where('ends_at_ms', '>', endedAfterMs).orderBy('id').execute();
			return rows.map((row) => ({
				id: row.id,
				matchers: JSON.parse(row.matchers) as SilenceMatcher[],
				startsAtMs: row.starts_at_ms,
				endsAtMs: row.ends_at_ms,
				updatedAtMs: row.updated_at_ms,
				createdBy: row.created_by,
				comment: row.comment,
				recurrence: JSON.parse(row.recurrence) as TimeSpecConfig[],
			}));
		},
		saveSilence: (silence) =>
			state.transaction().execute(async (transaction) => {
				await transaction.deleteFrom('silence').where('id', '=', silence.id).execute();
				await transaction
					.insertInto('silence')
					.values({
						id: silence.id,
						matchers: JSON.stringify(silence.matchers),
						starts_at_ms: silence.startsAtMs,
						ends_at_ms: silence.endsAtMs,
						updated_at_ms: silence.updatedAtMs,
						created_by: silence.createdBy,
						comment: silence.comment,
						recurrence: JSON.stringify(silence.recurrence),
					})
					.execute();
			}),
	};
}
