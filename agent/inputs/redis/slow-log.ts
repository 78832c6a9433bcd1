import type { FamilySet } from '../input.ts';

/** `SLOWLOG LEN` and `SLOWLOG GET 1` in redis_exporter's names. Only number and duration are kept: the arguments of a command are data. */
export function slowLogFamilies(length: unknown, entries: unknown, families: FamilySet): void {
	if (typeof length === 'number') families.gauge('redis_slowlog_length', 'Total slowlog', length);
	const newest: unknown = Array.isArray(entries) ? entries[0] : undefined;
	const [id, at, microseconds] = Array.isArray(newest) ? (newest as readonly unknown[]) : [];
	families.gauge('redis_slowlog_last_id', 'Last id of slowlog', typeof id === 'number' ? id : 0);
	families.gauge(
		'redis_last_slow_execution_duration_seconds',
		'The amount of time needed for last slow execution, in seconds',
		typeof microseconds === 'number' ? microseconds / 1e6 : 0,
	);
	if (typeof at === 'number')
		families.gauge('fournines_redis_last_slow_timestamp_seconds', 'When the newest entry of the slow log was made.', at);
}

/** `LATENCY LATEST`: rows of event, Unix time, latest and all-time milliseconds. Empty unless `latency-monitor-threshold` is set. */
export function latencyFamilies(rows: unknown, families: FamilySet): void {
	if (!Array.isArray(rows)) return;
	for (const row of rows as readonly unknown[]) {
		const [event, at, latestMs] = Array.isArray(row) ? (row as readonly unknown[]) : [];
		if (typeof event !== 'string' || typeof at !== 'number' || typeof latestMs !== 'number') continue;
		const labels = ['event_name', event];
		families.gauge('redis_latency_spike_last', 'When the latency spike last occurred', at, labels);
		families.gauge('redis_latency_spike_duration_seconds', 'Length of the last latency spike in seconds', latestMs / 1000, labels);
	}
}

/** `CONFIG GET max*` as flat pairs. Nothing but two limits is kept; `hasMaxClients` says that INFO told that one already. */
export function configFamilies(pairs: unknown, families: FamilySet, hasMaxClients: boolean): void {
	if (!Array.isArray(pairs)) return;
	const list = pairs as readonly unknown[];
	for (let i = 0; i + 1 < list.length; i += 2) {
		const name = list[i];
		const value = Number(list[i + 1]);
		if (Number.isNaN(value)) continue;
		if (name === 'maxclients' && !hasMaxClients) families.gauge('redis_config_maxclients', 'config_maxclients metric', value);
		if (name === 'maxmemory') families.gauge('redis_config_maxmemory', 'config_maxmemory metric', value);
	}
}
