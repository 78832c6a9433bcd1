import type { Selectable, Transaction } from 'kysely';
import type { Incident } from '../../alerts/incident/incident.ts';
import type { IncidentEvent, IncidentEventBody } from '../../alerts/incident/incident-event.ts';
import type { IncidentChange, IncidentStore } from '../../alerts/incident/incident-store.ts';
import { chunks } from './chunks.ts';
import type { StateDatabase } from './database.ts';
import type { IncidentTable } from './schema/on-call.ts';
import type { StateSchema } from './schema.ts';

/** Longest list. */
const MOST_ROWS = 500;

export function createIncidentStore(state: StateDatabase): IncidentStore {
	const first = async (column: 'id' | 'number', value: string | number): Promise<Incident | null> => {
		const row = await state.selectFrom('incident').select('snapshot').where(column, '=', value).executeTakeFirst();
		return row === undefined ? null : incidentOf(row);
	};
	return {
		active: async () => {
			const rows = await state
				.selectFrom('incident')
				.select('snapshot')
				.where((where) => where.or([where('state', '!=', 'resolved'), where('pending', '>', 0)]))
				.orderBy('number')
				.execute();
			return rows.map(incidentOf);
		},
		lastNumber: async () => {
			const row = await state
				.selectFrom('incident')
				.select((columns) => columns.fn.max('number').as('last'))
				.executeTakeFirst();
			return Number(row?.last ?? 0);
		},
		write: (changes) => state.transaction().execute((transaction) => writeIncidents(transaction, changes)),
		get: (id) => first('id', id),
		byNumber: (number) => first('number', number),
		list: async ({ state: wanted, fromMs, toMs, below, limit }) => {
			let query = state.selectFrom('incident').select('snapshot').orderBy('number', 'desc').limit(Math.min(limit, MOST_ROWS));
			if (wanted === 'unresolved') query = query.where('state', '!=', 'resolved');
			else if (wanted !== undefined) query = query.where('state', '=', wanted);
			if (fromMs !== undefined) query = query.where('opened_at_ms', '>=', fromMs);
			if (toMs !== undefined) query = query.where('opened_at_ms', '<', toMs);
			if (below !== undefined) query = query.where('number', '<', below);
			return (await query.execute()).map(incidentOf);
		},
		events: async (id) => {
			const rows = await state.selectFrom('incident_event').selectAll().where('incident_id', '=', id).orderBy('seq').execute();
			return rows.map(
				({ seq, at_ms, actor, body }): IncidentEvent => ({ seq, atMs: at_ms, actor, body: JSON.parse(body) as IncidentEventBody }),
			);
		},
		overdue: async (beforeMs) => {
			const rows = await state
				.selectFrom('incident')
				.select(['id', 'number', 'due_at_ms'])
				.where('state', '=', 'open')
				.where('due_at_ms', '<', beforeMs)
				.orderBy('due_at_ms')
				.execute();
			return rows.map(({ id, number, due_at_ms }) => ({ id, number, dueAtMs: Number(due_at_ms) }));
		},
		purge: (resolvedBeforeMs) =>
			state.transaction().execute(async (transaction) => {
				await transaction.deleteFrom('incident').where('resolved_at_ms', '<', resolvedBeforeMs).execute();
				await transaction
					.deleteFrom('incident_event')
					.where('incident_id', 'not in', (query) => query.selectFrom('incident').select('id'))
					.execute();
			}),
	};
}

/** Delete and insert: the two databases have no common statement for "insert or replace". */
export async function writeIncidents(transaction: Transaction<StateSchema>, changes: readonly IncidentChange[]): Promise<void> {
	for (const part of chunks(changes)) {
		const ids = part.map(({ incident }) => incident.id);
		await transaction.deleteFrom('incident').where('id', 'in', ids).execute();
		await transaction
			.insertInto('incident')
			.values(part.map(({ incident }) => rowOf(incident)))
			.execute();
	}
	const events = changes.flatMap(({ incident, events: own }) =>
		own.map(({ seq, atMs, actor, body }) => ({
			incident_id: incident.id,
			seq,
			at_ms: atMs,
			actor: actor.slice(0, 64),
			kind: body.kind,
			body: JSON.stringify(body),
		})),
	);
	for (const part of chunks(events)) await transaction.insertInto('incident_event').values(part).execute();
}

function rowOf(incident: Incident): IncidentTable {
	return {
		id: incident.id,
		number: incident.number,
		state: incident.state,
		opened_at_ms: incident.openedAtMs,
		resolved_at_ms: incident.resolvedAtMs,
		due_at_ms: incident.position?.dueAtMs ?? null,
		pending: incident.pending.length,
		snapshot: JSON.stringify(incident),
	};
}

function incidentOf(row: Pick<Selectable<IncidentTable>, 'snapshot'>): Incident {
	// Written by this module from the same type, and migrated with it.
	return JSON.parse(row.snapshot) as Incident;
}
