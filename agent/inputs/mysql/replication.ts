import type { FamilySet } from '../input.ts';
import { fileNumber } from './positions.ts';
import type { Row } from './row.ts';

/** Numeric columns that are exported as they are, by their `_master` names. */
const NUMBERS = [
	'sql_delay',
	'sql_remaining_delay',
	'last_io_errno',
	'last_sql_errno',
	'read_master_log_pos',
	'exec_master_log_pos',
	'relay_log_pos',
	'relay_log_space',
	'master_server_id',
	'skip_counter',
	'connect_retry',
] as const;

const REPLICA_FILE = {
	read: { name: 'fournines_mysql_replica_read_file_number', help: "Number of the master's binary log that the replica reads." },
	exec: { name: 'fournines_mysql_replica_exec_file_number', help: "Number of the master's binary log that the replica executes." },
} as const;

/**
 * Replication of one replica, a row per channel, in mysqld_exporter's names, which are the old ones also where the
 * server (8.0.22 and later) says source and replica. A stopped thread is 0. A lag that the server does not know (NULL)
 * stays a series: its value is NaN and `fournines_mysql_replica_lag_unknown` is 1, because a series that goes away
 * would keep every `lag > 30` silent.
 */
export function replicationFamilies(rows: readonly Row[], families: FamilySet): void {
	for (const row of rows) {
		const columns = new Map<string, string | null>();
		for (const [name, value] of Object.entries(row)) columns.set(oldName(name), value);
		const labels = [
			...['master_host', columns.get('master_host') ?? '', 'master_uuid', columns.get('master_uuid') ?? ''],
			...['channel_name', columns.get('channel_name') ?? '', 'connection_name', columns.get('connection_name') ?? ''],
		];
		const emit = (name: string, value: number) =>
			families.add(`mysql_slave_status_${name}`, 'unknown', `Column ${name} of the replica status.`, value, labels);
		for (const thread of ['slave_io_running', 'slave_sql_running']) emit(thread, columns.get(thread) === 'Yes' ? 1 : 0);
		for (const name of NUMBERS) {
			const value = columns.get(name);
			if (value !== undefined && value !== null && value !== '' && !Number.isNaN(Number(value))) emit(name, Number(value));
		}
		for (const [column, end] of [
			['master_log_file', 'read'],
			['relay_master_log_file', 'exec'],
		] as const) {
			const number = fileNumber(columns.get(column) ?? '');
			if (number !== null) families.gauge(REPLICA_FILE[end].name, REPLICA_FILE[end].help, number, labels);
		}
		const lag = columns.get('seconds_behind_master') ?? null;
		emit('seconds_behind_master', lag === null ? Number.NaN : Number(lag));
		families.gauge(
			'fournines_mysql_replica_lag_unknown',
			'1 while the server does not know how far the replica is behind, which is so when a thread does not run.',
			lag === null ? 1 : 0,
			labels,
		);
	}
}

/** `Replica_IO_Running` and `Source_Log_File` as the older servers called them, in lower case. */
function oldName(column: string): string {
	return column
		.toLowerCase()
		.replace(/^replica_/, 'slave_')
		.replace(/(^|_)source(_|$)/, '$1master$2');
}
