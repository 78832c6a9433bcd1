import type { Selectable, Transaction } from 'kysely';
import type { Alert } from '../../alerts/alert.ts';
import type { AlertEvent, AlertStore, GroupLog } from '../../alerts/ports.ts';
import { uuidv7 } from '../../core/ids.ts';
import { chunks } from './chunks.ts';
import type { StateDatabase } from './database.ts';
import { writeIncidents } from './incident-store.ts';
import { notificationRow } from './outbox-rows.ts';
import type { AlertGroupLogTable, AlertTable } from './schema/alerting.ts';
import type { StateSchema } from './schema.ts';

/** Alerts, their events, and what groups have told, in the state database. */
export function createAlertStore(state: StateDatabase): AlertStore {
	const nextId = createOrderedIds();
	return {
		openAlerts: async () => (await state.selectFrom('alert').selectAll().where('closed_at_ms', 'is', null).execute()).map(alertOf),
		findAlerts: async (fingerprints) => {
			const found: Alert[] = [];
			for (const part of chunks(fingerprints)) {
				const rows = await state
					.selectFrom('alert')
					.selectAll()
					.where('fingerprint', 'in', [...part])
					.execute();
				found.push(...rows.map(alertOf));
			}
			return found;
		},
		groupLogs: async () => (await state.selectFrom('alert_group_log').selectAll().execute()).map(groupLogOf),
		turnsSince: async (sinceMs) => {
			const rows = await state
				.selectFrom('alert_event')
				.select(['fingerprint', 'at_ms', 'kind'])
				.where('at_ms', '>=', sinceMs)
				.where('kind', 'in', ['fired', 'refired', 'resolved', 'expired'])
				.orderBy('at_ms')
				.orderBy('id')
				.execute();
			return rows.map(({ fingerprint, at_ms, kind }) => ({ fingerprint, atMs: at_ms, firing: kind === 'fired' || kind === 'refired' }));
		},
		recordAlerts: ({ alerts, events }) =>
			state.transaction().execute(async (transaction) => {
				await writeAlerts(transaction, alerts);
				await writeEvents(transaction, events, nextId);
			}),
		recordDispatch: async (record) => {
			const { entries, logs, endedLogs, alerts, closed, events, incidents } = record;
			// Most turns of most groups change nothing; they must not cost a write to disk.
			if ([entries, logs, endedLogs, alerts, closed, events, incidents].every(({ length }) => length === 0)) return;
			await state.transaction().execute(async (transaction) => {
				await writeAlerts(transaction, alerts);
				for (const part of chunks(closed)) {
					await transaction
						.updateTable('alert')
						.set({ closed_at_ms: record.atMs })
						.where('fingerprint', 'in', [...part])
						.execute();
				}
				for (const part of chunks([...logs.map((log) => log.id), ...endedLogs])) {
					await transaction
						.deleteFrom('alert_group_log')
						.where('id', 'in', [...part])
						.execute();
				}
				for (const part of chunks(logs)) await transaction.insertInto('alert_group_log').values(part.map(groupLogRow)).execute();
				for (const part of chunks(entries)) {
					await transaction
						.insertInto('notification')
						.values(part.map((entry) => notificationRow(entry, record.atMs)))
						.execute();
				}
				await writeEvents(transaction, events, nextId);
				await writeIncidents(transaction, incidents);
			});
		},
		purge: ({ closedBeforeMs, eventsBeforeMs }) =>
			state.transaction().execute(async (transaction) => {
				await transaction.deleteFrom('alert').where('closed_at_ms', '<', closedBeforeMs).execute();
				await transaction.deleteFrom('alert_event').where('at_ms', '<', eventsBeforeMs).execute();
				await transaction.deleteFrom('notification_attempt').where('started_at_ms', '<', eventsBeforeMs).execute();
				await transaction.deleteFrom('notification_receipt').where('at_ms', '<', eventsBeforeMs).execute();
				await transaction
					.deleteFrom('notification')
					.where('created_at_ms', '<', eventsBeforeMs)
					.where('state', 'not in', ['queued', 'sending'])
					.execute();
				await transaction
					.deleteFrom('notification_attempt_item')
					.where('notification_id', 'not in', (query) => query.selectFrom('notification').select('id'))
					.execute();
			}),
	};
}

/** Delete and insert: the two databases have no common statement for "insert or replace". */
async function writeAlerts(transaction: Transaction<StateSchema>, alerts: readonly Alert[]): Promise<void> {
	for (const part of chunks(alerts)) {
		await transaction
			.deleteFrom('alert')
			.where(
				'fingerprint',
				'in',
				part.map((alert) => alert.fingerprint),
			)
			.execute();
		await transaction.insertInto('alert').values(part.map(alertRow)).execute();
	}
}

async function writeEvents(
	transaction: Transaction<StateSchema>,
	events: readonly AlertEvent[],
	nextId: (atMs: number) => string,
): Promise<void> {
	for (const part of chunks(events)) {
		await transaction
			.insertInto('alert_event')
			.values(part.map(({ atMs, fingerprint, kind, detail }) => ({ id: nextId(atMs), at_ms: atMs, fingerprint, kind, detail })))
			.execute();
	}
}

/** UUIDv7 whose first 24 random bits count within a millisecond (RFC 9562 §6.2, method 1): an alert fires and is queued in the same one. */
function createOrderedIds(): (atMs: number) => string {
	let lastMs = 0;
	let count = 0;
	return (atMs) => {
		count = atMs === lastMs ? Math.min(count + 1, 0xffffff) : 0;
		lastMs = atMs;
		const digits = count.toString(16).padStart(6, '0');
		const id = uuidv7(atMs);
		// The variant's two free bits stand between the halves of the count, so they must not be random.
		return `${id.slice(0, 15)}${digits.slice(0, 3)}-8${digits.slice(3)}${id.slice(23)}`;
	};
}

function alertRow(alert: Alert): AlertTable {
	return {
		fingerprint: alert.fingerprint,
		labels: JSON.stringify(alert.labels),
		annotations: JSON.stringify(alert.annotations),
		starts_at_ms: alert.startsAtMs,
		expires_at_ms: alert.expiresAtMs,
		resolved_at_ms: alert.resolvedAtMs,
		received_at_ms: alert.receivedAtMs,
		updated_at_ms: alert.updatedAtMs,
		generator_url: alert.generatorUrl,
		muted_by: alert.mutedBy,
		closed_at_ms: null,
	};
}

function alertOf(row: Selectable<AlertTable>): Alert {
	return {
		fingerprint: row.fingerprint,
		labels: JSON.parse(row.labels) as Record<string, string>,
		annotations: JSON.parse(row.annotations) as Record<string, string>,
		startsAtMs: row.starts_at_ms,
		expiresAtMs: row.expires_at_ms,
		resolvedAtMs: row.resolved_at_ms,
		receivedAtMs: row.received_at_ms,
		updatedAtMs: row.updated_at_ms,
		generatorUrl: row.generator_url,
		mutedBy: row.muted_by,
	};
}

function groupLogRow(log: GroupLog): AlertGroupLogTable {
	return {
		id: log.id,
		group_key: log.groupKey,
		receiver: log.receiver,
		labels: JSON.stringify(log.labels),
		firing: JSON.stringify(log.firing),
		flapping: JSON.stringify(log.flapping),
		notified_at_ms: log.notifiedAtMs,
	};
}

function groupLogOf(row: Selectable<AlertGroupLogTable>): GroupLog {
	return {
		id: row.id,
		groupKey: row.group_key,
		receiver: row.receiver,
		labels: JSON.parse(row.labels) as Record<string, string>,
		firing: JSON.parse(row.firing) as string[],
		flapping: JSON.parse(row.flapping) as string[],
		notifiedAtMs: row.notified_at_ms,
	};
}
