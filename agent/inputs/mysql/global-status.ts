import type { FamilySet } from '../input.ts';

const STATUS_NAMES = [
	'Aborted_clients',
	'Aborted_connects',
	'Binlog_cache_disk_use',
	'Binlog_cache_use',
	'Bytes_received',
	'Bytes_sent',
	'Connections',
	'Created_tmp_disk_tables',
	'Created_tmp_files',
	'Created_tmp_tables',
	'Innodb_buffer_pool_bytes_data',
	'Innodb_buffer_pool_bytes_dirty',
	'Innodb_buffer_pool_read_requests',
	'Innodb_buffer_pool_reads',
	'Innodb_buffer_pool_wait_free',
	'Innodb_data_fsyncs',
	'Innodb_data_read',
	'Innodb_data_reads',
	'Innodb_data_writes',
	'Innodb_data_written',
	'Innodb_deadlocks',
	'Innodb_log_waits',
	'Innodb_os_log_written',
	'Innodb_row_lock_current_waits',
	'Innodb_row_lock_time',
	'Innodb_row_lock_waits',
	'Max_used_connections',
	'Open_files',
	'Open_tables',
	'Opened_tables',
	'Queries',
	'Questions',
	'Rpl_semi_sync_master_clients',
	'Rpl_semi_sync_master_no_tx',
	'Rpl_semi_sync_master_status',
	'Rpl_semi_sync_slave_status',
	'Rpl_semi_sync_source_clients',
	'Rpl_semi_sync_source_status',
	'Rpl_semi_sync_replica_status',
	'Select_full_join',
	'Select_scan',
	'Slow_queries',
	'Sort_merge_passes',
	'Table_locks_immediate',
	'Table_locks_waited',
	'Threads_cached',
	'Threads_connected',
	'Threads_created',
	'Threads_running',
	'Uptime',
	'wsrep_cluster_size',
	'wsrep_cluster_conf_id',
	'wsrep_flow_control_paused',
	'wsrep_local_recv_queue',
	'wsrep_connected',
	'wsrep_local_state',
	'wsrep_ready',
] as const;

const COMMANDS = ['begin', 'commit', 'delete', 'insert', 'replace', 'rollback', 'select', 'update'] as const;
const POOL_PAGES = ['data', 'free', 'misc', 'dirty'] as const;
const ROW_OPERATIONS = ['deleted', 'inserted', 'read', 'updated'] as const;

const VARIABLE_NAMES = [
	'gtid_strict_mode',
	'innodb_buffer_pool_size',
	'innodb_flush_log_at_trx_commit',
	'lock_wait_timeout',
	'log_bin',
	'max_connect_errors',
	'long_query_time',
	'max_connections',
	'open_files_limit',
	'read_only',
	'server_id',
	'slave_net_timeout',
	'slow_query_log',
	'super_read_only',
	'sync_binlog',
	'table_open_cache',
	'tmp_table_size',
] as const;

const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(',');

/** Asks for the names that are exported and no others: the whole list is 500 rows per round. */
export function statusStatement(): string {
	const names = [
		...STATUS_NAMES,
		...COMMANDS.map((command) => `Com_${command}`),
		...POOL_PAGES.map((state) => `Innodb_buffer_pool_pages_${state}`),
		...ROW_OPERATIONS.map((operation) => `Innodb_rows_${operation}`),
	];
	return `SHOW GLOBAL STATUS WHERE Variable_name IN (${quoted(names)})`;
}

export function variablesStatement(): string {
	return `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${quoted(VARIABLE_NAMES)})`;
}

/** Pairs of name and value in mysqld_exporter's names: groups become labels, everything else a metric of its own. */
export function statusFamilies(pairs: readonly (readonly [string, string])[], families: FamilySet): void {
	for (const [name, text] of pairs) {
		const value = numberOf(text);
		if (value === null) continue;
		const lower = name.toLowerCase();
		const group = /^(com|innodb_buffer_pool_pages|innodb_rows)_(.+)$/.exec(lower);
		switch (group?.[1]) {
			case 'com':
				families.counter('mysql_global_status_commands_total', 'Total number of executed MySQL commands.', value, [
					'command',
					group[2] ?? '',
				]);
				break;
			case 'innodb_buffer_pool_pages':
				if (group[2] === 'dirty') families.gauge('mysql_global_status_buffer_pool_dirty_pages', 'Innodb buffer pool dirty pages.', value);
				else
					families.gauge('mysql_global_status_buffer_pool_pages', 'Innodb buffer pool pages by state.', value, ['state', group[2] ?? '']);
				break;
			case 'innodb_rows':
				families.counter('mysql_global_status_innodb_row_ops_total', 'Total number of MySQL InnoDB row operations.', value, [
					'operation',
					group[2] ?? '',
				]);
				break;
			default:
				families.add(`mysql_global_status_${lower}`, 'unknown', 'Generic metric from SHOW GLOBAL STATUS.', value, []);
		}
	}
}

export function variableFamilies(pairs: readonly (readonly [string, string])[], families: FamilySet): void {
	for (const [name, text] of pairs) {
		const value = numberOf(text);
		if (value !== null)
			families.gauge(`mysql_global_variables_${name.toLowerCase()}`, 'Generic gauge metric from SHOW GLOBAL VARIABLES.', value);
	}
}

/** Numbers, and the words that stand for 1 and 0; `null` for other texts. */
function numberOf(text: string): number | null {
	if (/^(on|yes|connected|primary)$/i.test(text)) return 1;
	if (/^(off|no|disconnected|non-primary)$/i.test(text)) return 0;
	return text.trim() === '' || Number.isNaN(Number(text)) ? null : Number(text);
}
