import type { FamilySet } from '../input.ts';
import type { Row } from './row.ts';

/** Combinations of command and state that are told apart; the rest is added up as `other`. */
const MAX_STATES = 60;
const MAX_USERS = 30;

export const PROCESSLIST =
	"SELECT COALESCE(command, '') AS command, COALESCE(state, '') AS state, user AS user, COUNT(*) AS processes, SUM(time) AS seconds " +
	'FROM information_schema.processlist WHERE id != CONNECTION_ID() GROUP BY command, state, user';

/** Cheap: the table is built from memory and holds open transactions only. */
export const TRANSACTIONS =
	"SELECT COUNT(*) AS transactions, SUM(trx_state = 'LOCK WAIT') AS waiting, UNIX_TIMESTAMP(MIN(trx_started)) AS oldest, " +
	'COALESCE(MAX(trx_rows_locked), 0) AS locked FROM information_schema.innodb_trx';

/** Connections by what they do, in mysqld_exporter's names. `Binlog Dump` is a replica that reads. */
export function processlistFamilies(rows: readonly Row[], families: FamilySet): void {
	const states = new Map<string, { labels: readonly string[]; threads: number; seconds: number }>();
	const users = new Map<string, number>();
	let metadataWaits = 0;
	let replicas = 0;
	for (const row of rows) {
		const processes = Number(row['processes'] ?? 0);
		const rawCommand = row['command'] ?? '';
		const rawState = row['state'] ?? '';
		if (/^Waiting for .*metadata lock/i.test(rawState)) metadataWaits += processes;
		if (/^Binlog Dump/i.test(rawCommand)) replicas += processes;
		let key = `${sanitized(rawCommand)}\n${sanitized(rawState)}`;
		if (!states.has(key) && states.size >= MAX_STATES) key = 'other\nother';
		const [command = '', state = ''] = key.split('\n');
		const entry = states.get(key) ?? { labels: ['command', command, 'state', state], threads: 0, seconds: 0 };
		entry.threads += processes;
		entry.seconds += Number(row['seconds'] ?? 0);
		states.set(key, entry);
		const user = row['user'] ?? '';
		const name = users.has(user) || users.size < MAX_USERS ? user : 'other';
		users.set(name, (users.get(name) ?? 0) + processes);
	}
	for (const { labels, threads, seconds } of states.values()) {
		families.gauge('mysql_info_schema_processlist_threads', 'The number of threads split by current state.', threads, labels);
		families.gauge(
			'mysql_info_schema_processlist_seconds',
			'The number of seconds threads have used split by current state.',
			seconds,
			labels,
		);
	}
	for (const [user, processes] of users) {
		families.gauge('mysql_info_schema_processlist_processes_by_user', 'The number of processes by user.', processes, ['mysql_user', user]);
	}
	families.gauge(
		'fournines_mysql_metadata_lock_waits',
		'Connections that wait for a metadata lock, usually behind an ALTER or an open transaction.',
		metadataWaits,
	);
	families.gauge('fournines_mysql_connected_replicas', 'Replicas that read the binary log of this server now.', replicas);
}

/** As mysqld_exporter writes them. */
function sanitized(text: string): string {
	if (text === '') return 'unknown';
	return text
		.toLowerCase()
		.replace(/[;,:.()]/g, '')
		.replace(/[ -]/g, '_');
}

export function transactionFamilies(rows: readonly Row[], families: FamilySet): void {
	const [row] = rows;
	if (row === undefined) return;
	families.gauge('fournines_mysql_transactions', 'Open InnoDB transactions.', Number(row['transactions'] ?? 0));
	families.gauge('fournines_mysql_lock_waits', 'InnoDB transactions that wait for a row lock.', Number(row['waiting'] ?? 0));
	families.gauge(
		'fournines_mysql_transaction_rows_locked_max',
		'Rows that the largest open transaction has locked.',
		Number(row['locked'] ?? 0),
	);
	const oldest = row['oldest'] ?? null;
	if (oldest !== null)
		families.gauge('fournines_mysql_oldest_transaction_start_timestamp_seconds', 'Start of the oldest open transaction.', Number(oldest));
}
