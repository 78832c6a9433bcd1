import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Alert } from '../../alerts/alert.ts';
import { applyIncident } from '../../alerts/incident/incident.ts';
import type { IncidentEvent } from '../../alerts/incident/incident-event.ts';
import type { IncidentChange } from '../../alerts/incident/incident-store.ts';
import type { AlertingPorts, AwaitedReceipt, DispatchRecord, GroupLog, OutboxEntry } from '../../alerts/ports.ts';
import { exampleNotification } from '../../tests/harness/channels.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { createAlertingPorts } from './alerting-ports.ts';
import { openStateDatabase, type StateDatabase } from './database.ts';

const NOW_MS = 1_700_000_000_000;
const TABLES = [
	'alert',
	'alert_event',
	'alert_group_log',
	'notification',
	'notification_attempt',
	'notification_attempt_item',
	'notification_receipt',
	'incident',
	'incident_event',
] as const;

let folder: TemporaryFolder;
let state: StateDatabase;
let ports: AlertingPorts;

const alert = (fingerprint: string): Alert => ({
	fingerprint,
	labels: { alertname: 'A' },
	annotations: {},
	startsAtMs: NOW_MS,
	expiresAtMs: NOW_MS + 1000,
	resolvedAtMs: null,
	receivedAtMs: NOW_MS,
	updatedAtMs: NOW_MS,
	generatorUrl: '',
	mutedBy: '',
});
const entry = (number: number, more: Partial<OutboxEntry> = {}): OutboxEntry => ({
	notification: { ...exampleNotification({ nowMs: NOW_MS }), id: `n${number}`, number },
	groupId: 'g',
	channel: 'c',
	state: 'queued',
	possiblySent: false,
	attempts: 0,
	nextAttemptAtMs: NOW_MS,
	...more,
});
const log: GroupLog = { id: 'g', groupKey: '{}', receiver: 'r', labels: {}, firing: ['f1'], flapping: [], notifiedAtMs: NOW_MS };
const event = (fingerprint: string) => ({ atMs: NOW_MS, fingerprint, kind: 'fired' as const, detail: '' });
const opened: IncidentEvent = {
	seq: 1,
	atMs: NOW_MS,
	actor: 'fournines',
	body: {
		kind: 'opened',
		number: 1,
		source: { kind: 'alerts' },
		title: 't',
		severity: 'critical',
		labels: {},
		startsAtMs: NOW_MS,
		chain: null,
	},
};
const change: IncidentChange = { incident: applyIncident('i1', null, opened), events: [opened] };
const round: DispatchRecord = {
	atMs: NOW_MS,
	entries: [entry(2)],
	logs: [{ ...log, firing: ['f1', 'f2'] }],
	endedLogs: [],
	alerts: [{ ...alert('f1'), mutedBy: 'silence:x' }],
	closed: ['f1'],
	events: [event('f1')],
	incidents: [change],
};
const awaited: AwaitedReceipt = { id: 'a1', attemptId: 't1', line: 'l', key: 'k', to: '1', dueAtMs: NOW_MS };
const attempt = (id: string) => ({
	id,
	channel: 'c',
	startedAtMs: NOW_MS,
	text: 'x',
	possibleDuplicate: false,
	notificationIds: ['n1'],
});

beforeEach(async () => {
	folder = temporaryFolder('alerting-atomicity');
	state = await openStateDatabase(folder.path);
	ports = createAlertingPorts(state);
	await ports.alerts.recordDispatch({ ...round, entries: [entry(1)], logs: [log], alerts: [alert('f1')], closed: [], incidents: [] });
	await ports.outbox.beginAttempt(attempt('t1'));
	await ports.outbox.endAttempt({
		id: 't1',
		endedAtMs: NOW_MS,
		outcome: 'sent',
		code: '0',
		reason: '',
		entries: [entry(1, { state: 'sent', attempts: 1 })],
		awaited: [awaited],
		next: [],
	});
	await ports.outbox.beginAttempt(attempt('t2'));
});

afterEach(async () => {
	await state.destroy();
	folder.remove();
});

async function onDisk(): Promise<string> {
	const found = await Promise.all(TABLES.map((table) => state.selectFrom(table).selectAll().execute()));
	return JSON.stringify(found);
}

const dispatch = () => ports.alerts.recordDispatch(round);
const end = () =>
	ports.outbox.endAttempt({
		id: 't2',
		endedAtMs: NOW_MS + 1,
		outcome: 'refused',
		code: '201',
		reason: 'no',
		entries: [entry(1, { state: 'refused', attempts: 2 })],
		awaited: [{ ...awaited, id: 'a2', key: 'k2' }],
		next: [entry(3)],
	});
const giveUp = () => ports.outbox.giveUp([entry(1)], { atMs: NOW_MS + 1, code: 'expired', reason: 'late', next: [entry(3)] });
const receipt = () =>
	ports.receipts.recordReceipts({
		changed: [{ ...awaited, state: 'missing', code: 'no-receipt', atMs: NOW_MS + 1 }],
		early: [],
		gone: [],
		next: [entry(3)],
		atMs: NOW_MS + 1,
	});

test.each([
	{ name: 'a post', at: 'INSERT ON alert_event', write: () => ports.alerts.recordAlerts({ alerts: [alert('f9')], events: [event('f9')] }) },
	{ name: 'a round, at its messages', at: 'INSERT ON notification', write: dispatch },
	{ name: 'a round, at its record', at: 'INSERT ON alert_event', write: dispatch },
	{ name: 'a round, at its incidents', at: 'INSERT ON incident', write: dispatch },
	{ name: 'a round, at their history', at: 'INSERT ON incident_event', write: dispatch },
	{ name: 'the beginning of an attempt', at: 'UPDATE ON notification', write: () => ports.outbox.beginAttempt(attempt('t3')) },
	{ name: 'the end of an attempt, at its entries', at: 'UPDATE ON notification', write: end },
	{ name: 'the end of an attempt, at its receipts', at: 'INSERT ON notification_receipt', write: end },
	{ name: 'the end of an attempt, at the next address', at: 'INSERT ON notification', write: end },
	{ name: 'giving up, at the next address', at: 'INSERT ON notification', write: giveUp },
	{ name: 'a receipt, at the next address', at: 'INSERT ON notification', write: receipt },
	{ name: 'a step of an incident', at: 'INSERT ON incident_event', write: () => ports.incidents.write([change]) },
])('$name is on disk as a whole or not at all', async ({ at, write }) => {
	const before = await onDisk();
	await sql.raw(`CREATE TRIGGER broken BEFORE ${at} BEGIN SELECT RAISE(ABORT, 'disk full'); END`).execute(state);
	await expect(write()).rejects.toThrow(/disk full/);
	expect(await onDisk()).toBe(before);
	await sql.raw('DROP TRIGGER broken').execute(state);
	await write();
	expect(await onDisk()).not.toBe(before);
});
