import { FamilySet, type MetricFamily } from '../input.ts';

/** `INFO` as fields; section headings are dropped, because field names are unique across sections. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
	const fields = new Map<string, string>();
	for (const line of text.split(/\r?\n/)) {
		const colon = line.indexOf(':');
		if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
	}
	return fields;
}

/** Field of INFO, metric of redis_exporter, help. */
const GAUGES: readonly (readonly [string, string, string])[] = [
	['connected_clients', 'redis_connected_clients', 'Client connections, without replicas.'],
	['blocked_clients', 'redis_blocked_clients', 'Clients that wait in a blocking call.'],
	['maxclients', 'redis_config_maxclients', 'Limit of client connections.'],
	['used_memory', 'redis_memory_used_bytes', 'Bytes allocated by the server.'],
	['used_memory_rss', 'redis_memory_used_rss_bytes', 'Resident memory as the system sees it.'],
	['used_memory_peak', 'redis_memory_used_peak_bytes', 'Peak of allocated bytes.'],
	['maxmemory', 'redis_memory_max_bytes', 'Configured limit; 0 is none.'],
	['mem_fragmentation_ratio', 'redis_mem_fragmentation_ratio', 'Resident by allocated memory.'],
	['uptime_in_seconds', 'redis_uptime_in_seconds', 'Seconds since the start.'],
	['connected_slaves', 'redis_connected_slaves', 'Replicas that are connected.'],
	['master_repl_offset', 'redis_master_repl_offset', 'Replication offset of this server.'],
	['slave_repl_offset', 'redis_slave_repl_offset', 'Replication offset of this replica.'],
	['slave_read_only', 'redis_slave_info_read_only', 'Whether this replica refuses writes.'],
	['rdb_changes_since_last_save', 'redis_rdb_changes_since_last_save', 'Changes since the last dump.'],
	['rdb_last_save_time', 'redis_rdb_last_save_timestamp_seconds', 'Time of the last successful dump.'],
	['rdb_bgsave_in_progress', 'redis_rdb_bgsave_in_progress', 'Whether a dump is running.'],
	['aof_enabled', 'redis_aof_enabled', 'Whether the append-only file is on.'],
	['sentinel_masters', 'redis_sentinel_masters', 'The number of masters this sentinel is watching'],
	['sentinel_tilt', 'redis_sentinel_tilt', 'Sentinel is in TILT mode'],
	['sentinel_running_scripts', 'redis_sentinel_running_scripts', 'Number of scripts in execution right now'],
	['loading', 'redis_loading_dump_file', 'Whether a dump is being loaded.'],
	['sync_full', 'redis_replica_resyncs_full', 'Full resynchronisations with replicas.'],
];

const COUNTERS: readonly (readonly [string, string, string])[] = [
	['total_connections_received', 'redis_connections_received_total', 'Connections accepted.'],
	['total_commands_processed', 'redis_commands_processed_total', 'Commands processed.'],
	['total_net_input_bytes', 'redis_net_input_bytes_total', 'Bytes read from the network.'],
	['total_net_output_bytes', 'redis_net_output_bytes_total', 'Bytes written to the network.'],
	['rejected_connections', 'redis_rejected_connections_total', 'Connections refused because of maxclients.'],
	['expired_keys', 'redis_expired_keys_total', 'Keys that expired.'],
	['evicted_keys', 'redis_evicted_keys_total', 'Keys evicted because of maxmemory.'],
	['keyspace_hits', 'redis_keyspace_hits_total', 'Lookups that found a key.'],
	['keyspace_misses', 'redis_keyspace_misses_total', 'Lookups that found none.'],
];

const STATUSES: readonly (readonly [string, string, string])[] = [
	['rdb_last_bgsave_status', 'redis_rdb_last_bgsave_status', 'Whether the last dump succeeded.'],
	['aof_last_write_status', 'redis_aof_last_write_status', 'Whether the last write of the append-only file succeeded.'],
];

/** Kinds of errors; scripts can make up their own. */
const MAX_ERRORS = 50;

/** One `INFO` in redis_exporter's names. `nowMs` turns the uptime into a start time. */
export function infoFamilies(info: ReadonlyMap<string, string>, nowMs: number): readonly MetricFamily[] {
	const families = new FamilySet();
	const text = (field: string) => info.get(field) ?? '';
	families.gauge('redis_up', 'Whether the last INFO succeeded.', 1);
	families.gauge('redis_instance_info', 'Facts about the server; the value is always 1.', 1, [
		...['role', text('role'), 'redis_version', text('redis_version'), 'redis_mode', text('redis_mode')],
		...['os', text('os'), 'tcp_port', text('tcp_port'), 'maxmemory_policy', text('maxmemory_policy'), 'run_id', text('run_id')],
		...['process_id', text('process_id'), 'redis_build_id', text('redis_build_id')],
	]);
	for (const [field, name, help] of GAUGES) numeric(info, field, (value) => families.gauge(name, help, value));
	for (const [field, name, help] of COUNTERS) numeric(info, field, (value) => families.counter(name, help, value));
	for (const [field, name, help] of STATUSES) if (info.has(field)) families.gauge(name, help, text(field) === 'ok' ? 1 : 0);
	numeric(info, 'latest_fork_usec', (value) => families.gauge('redis_latest_fork_seconds', 'Duration of the last fork.', value / 1e6));
	numeric(info, 'uptime_in_seconds', (value) =>
		families.gauge('redis_start_time_seconds', 'Start of the server as a Unix time.', Math.round(nowMs / 1000 - value)),
	);
	if (text('role') === 'slave') {
		const labels = ['master_host', text('master_host'), 'master_port', text('master_port')];
		families.gauge('redis_master_link_up', 'Whether the link to the master is up.', text('master_link_status') === 'up' ? 1 : 0, labels);
		numeric(info, 'master_last_io_seconds_ago', (value) =>
			families.gauge(
				'redis_master_last_io_seconds_ago',
				'Seconds since the master was last heard; -1 while the link is down.',
				value,
				labels,
			),
		);
	}
	let errors = 0;
	for (const [field, value] of info) {
		if (/^slave[0-9]+$/.test(field)) connectedReplica(value, families);
		if (/^master[0-9]+$/.test(field)) watchedMaster(value, families);
		if (field.startsWith('errorstat_') && errors++ < MAX_ERRORS) {
			const count = Number(keyedWords(value).get('count') ?? Number.NaN);
			if (!Number.isNaN(count))
				families.counter('redis_errors_total', 'Total number of errors per error type', count, ['err', field.slice('errorstat_'.length)]);
		}
		const keys = /^db([0-9]+)$/.test(field) ? /^keys=([0-9]+),expires=([0-9]+)/.exec(value) : null;
		if (keys === null) continue;
		families.gauge('redis_db_keys', 'Keys in the database.', Number(keys[1]), ['db', field]);
		families.gauge('redis_db_keys_expiring', 'Keys with an expiry in the database.', Number(keys[2]), ['db', field]);
	}
	return families.list();
}

/** A replica of this master: `ip=…,port=…,state=online,offset=…,lag=…`. */
function connectedReplica(text: string, families: FamilySet): void {
	const fields = keyedWords(text);
	const labels = ['slave_ip', fields.get('ip') ?? '', 'slave_port', fields.get('port') ?? '', 'slave_state', fields.get('state') ?? ''];
	const offset = Number(fields.get('offset') ?? Number.NaN);
	const lag = Number(fields.get('lag') ?? Number.NaN);
	if (!Number.isNaN(offset)) families.gauge('redis_connected_slave_offset_bytes', 'Offset of connected slave', offset, labels);
	if (!Number.isNaN(lag)) families.gauge('redis_connected_slave_lag_seconds', 'Lag of connected slave', lag, labels);
}

/** A master that this sentinel watches: `name=…,status=ok,address=…,slaves=…,sentinels=…`. */
function watchedMaster(text: string, families: FamilySet): void {
	const fields = keyedWords(text);
	const labels = ['master_name', fields.get('name') ?? '', 'master_address', fields.get('address') ?? ''];
	families.gauge('redis_sentinel_master_status', 'Master status on Sentinel', 1, [...labels, 'master_status', fields.get('status') ?? '']);
	families.gauge(
		'fournines_redis_sentinel_master_ok',
		'Whether the sentinel finds the master in order.',
		fields.get('status') === 'ok' ? 1 : 0,
		labels,
	);
	families.gauge('redis_sentinel_master_slaves', 'The number of slaves of the master', Number(fields.get('slaves') ?? 0), labels);
	families.gauge(
		'redis_sentinel_master_sentinels',
		'The number of sentinels monitoring this master',
		Number(fields.get('sentinels') ?? 0),
		labels,
	);
}

function keyedWords(text: string): ReadonlyMap<string, string> {
	const fields = new Map<string, string>();
	for (const word of text.split(',')) {
		const equals = word.indexOf('=');
		if (equals > 0) fields.set(word.slice(0, equals), word.slice(equals + 1));
	}
	return fields;
}

function numeric(info: ReadonlyMap<string, string>, field: string, use: (value: number) => void): void {
	const value = Number(info.get(field) ?? Number.NaN);
	if (!Number.isNaN(value)) use(value);
}
