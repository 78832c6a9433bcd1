import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../core/log.ts';
import { Secret } from '../../../core/secret.ts';
import { available, type MariaDbPair, type MariaDbServer, startMariaDbPair } from '../../../tests/harness/mariadb.ts';
import { waitFor } from '../../../tests/harness/process.ts';
import { values } from '../measured-values.ts';
import { createMysqlInput, type HeartbeatOptions } from './input.ts';

const TABLE = 'heartbeat.heartbeat';
const LABELS = '{master_host="127.0.0.1"}';

describe.skipIf(!available())('faults of a real pair', () => {
	let pair: MariaDbPair;
	const signal = new AbortController().signal;
	const opened: { close(): Promise<void> }[] = [];

	beforeAll(async () => {
		pair = await startMariaDbPair({ arguments: ['--performance-schema=ON'] });
		await pair.master.sql('CREATE DATABASE heartbeat');
		// pt-heartbeat's own layout.
		await pair.master.sql(
			`CREATE TABLE ${TABLE} (ts varchar(26) NOT NULL, server_id int unsigned NOT NULL PRIMARY KEY, file varchar(255) DEFAULT NULL, ` +
				'position bigint unsigned DEFAULT NULL, relay_master_log_file varchar(255) DEFAULT NULL, exec_master_log_pos bigint unsigned DEFAULT NULL)',
		);
		await pair.master.sql('CREATE DATABASE shop');
		await pair.master.sql('CREATE TABLE shop.orders (id int PRIMARY KEY)');
		for (const server of [pair.master, pair.replica]) {
			const grants = [`GRANT SELECT, INSERT, UPDATE ON ${TABLE} TO`, 'GRANT SELECT ON performance_schema.* TO'];
			for (const grant of grants) await unlogged(server, grant);
		}
		await waitFor('the tables to arrive', async () => (await pair.replica.sql(`SELECT COUNT(*) AS n FROM ${TABLE}`)).length === 1);
	});
	afterAll(async () => {
		for (const input of opened) await input.close();
		await pair?.remove();
	});
	afterEach(async () => {
		for (const input of opened.splice(0)) await input.close();
	});

	const input = (server: MariaDbServer, heartbeat: Partial<HeartbeatOptions> | null = null, timeoutMs = 30_000) => {
		const created = createMysqlInput({
			target: {},
			intervalMs: 1000,
			timeoutMs,
			address: server.address,
			username: server.username,
			password: () => new Secret(server.password),
			log: silentLogger,
			heartbeat: heartbeat === null ? null : { table: TABLE, utc: true, writeEveryMs: null, ...heartbeat },
		});
		opened.push(created);
		return created;
	};
	const round = async (source: ReturnType<typeof input>) => values(await source.collect(signal, Date.now()));
	const status = (found: Record<string, number>, name: string) => found[`mysql_slave_status_${name}${LABELS}`];
	const lag = (found: Record<string, number>) =>
		(found['mysql_heartbeat_now_timestamp_seconds{server_id="1"}'] ?? Number.NaN) -
		(found['mysql_heartbeat_stored_timestamp_seconds{server_id="1"}'] ?? Number.NaN);
	const caughtUp = () =>
		waitFor('the replica to catch up', async () => {
			const [row] = await pair.replica.sql('SHOW SLAVE STATUS');
			const [master] = await pair.master.sql('SHOW MASTER STATUS');
			return row?.['Slave_SQL_Running'] === 'Yes' && String(row['Exec_Master_Log_Pos']) === String(master?.['Position']);
		});

	test('a stopped IO thread', async () => {
		const source = input(pair.replica);
		await pair.replica.sql('STOP SLAVE IO_THREAD');
		const found = await round(source);
		expect([status(found, 'slave_io_running'), status(found, 'slave_sql_running'), status(found, 'seconds_behind_master')]).toEqual([
			0,
			1,
			Number.NaN,
		]);
		expect(found[`fournines_mysql_replica_lag_unknown${LABELS}`]).toBe(1);
		await pair.replica.sql('START SLAVE IO_THREAD');
		await waitFor('the thread', async () => status(await round(source), 'slave_io_running') === 1);
	});

	test('a statement that breaks replication', async () => {
		const source = input(pair.replica);
		await unlogged(pair.replica, 'INSERT INTO shop.orders VALUES (1)', false);
		await pair.master.sql('INSERT INTO shop.orders VALUES (1)');
		const found = await waitFor('the error', async () => {
			const now = await round(source);
			return status(now, 'last_sql_errno') === 1062 ? now : null;
		});
		expect([status(found, 'slave_io_running'), status(found, 'slave_sql_running')]).toEqual([1, 0]);
		await unlogged(pair.replica, 'DELETE FROM shop.orders WHERE id = 1', false);
		await pair.replica.sql('START SLAVE');
		await caughtUp();
		expect(status(await round(source), 'last_sql_errno')).toBe(0);
	});

	test('a frozen master: the heartbeat sees it, Seconds_Behind_Master does not', async () => {
		const writer = input(pair.master, { writeEveryMs: 100 });
		const replica = input(pair.replica, {});
		await waitFor('heartbeats on the replica', async () => {
			await writer.collect(signal, Date.now());
			return lag(await round(replica)) < 1.5;
		});
		pair.master.freeze();
		try {
			const found = await waitFor('the lag', async () => {
				const now = await round(replica);
				return lag(now) > 3 ? now : null;
			});
			expect(status(found, 'seconds_behind_master')).toBe(0);
			expect([status(found, 'slave_io_running'), status(found, 'slave_sql_running')]).toEqual([1, 1]);
		} finally {
			pair.master.thaw();
		}
		await waitFor('the lag to go', async () => lag(await round(replica)) < 1.5);
	});

	test('the heartbeat is never written on a read-only server', async () => {
		await pair.replica.sql('SET GLOBAL read_only = 1');
		try {
			const source = input(pair.replica, { writeEveryMs: 50 });
			const state = 'fournines_mysql_heartbeat_writing{state="read_only"}';
			const found = await waitFor('the refusal', async () => {
				const now = await round(source);
				return now[state] === 0 ? now : null;
			});
			expect(found['fournines_mysql_heartbeat_writes_total']).toBe(0);
			expect(await pair.replica.sql(`SELECT server_id FROM ${TABLE} WHERE server_id = 2`)).toEqual([]);
		} finally {
			await pair.replica.sql('SET GLOBAL read_only = 0');
		}
	});

	test('a lost grant on the heartbeat, and a table that is missing, cost their part only', async () => {
		const found = await round(input(pair.replica, { table: 'heartbeat.none', writeEveryMs: 50 }));
		expect(found).toMatchObject({
			mysql_up: 1,
			'fournines_mysql_part_success{part="heartbeat"}': 0,
			'fournines_mysql_part_success{part="replication"}': 1,
			'fournines_mysql_heartbeat_writing{state="failed"}': 0,
		});
	});

	test('a delayed replica: its delay is known beside its lag', async () => {
		await pair.replica.sql('STOP SLAVE');
		await pair.replica.sql('CHANGE MASTER TO MASTER_DELAY = 4');
		await pair.replica.sql('START SLAVE');
		const writer = input(pair.master, { writeEveryMs: 100 });
		const replica = input(pair.replica, {});
		const found = await waitFor('the delay', async () => {
			await writer.collect(signal, Date.now());
			const now = await round(replica);
			return lag(now) > 3 ? now : null;
		});
		expect(status(found, 'sql_delay')).toBe(4);
		await writer.close();
		await pair.replica.sql('STOP SLAVE');
		await pair.replica.sql('CHANGE MASTER TO MASTER_DELAY = 0');
		await pair.replica.sql('START SLAVE');
		await caughtUp();
	});

	test('both ends tell their positions, and a difference is the gap', async () => {
		await caughtUp();
		const ends = async () => {
			const master = await round(input(pair.master));
			const replica = await round(input(pair.replica));
			return {
				written: [master['fournines_mysql_binlog_file_number'], master['fournines_mysql_binlog_position_bytes']],
				executed: [replica[`fournines_mysql_replica_exec_file_number${LABELS}`], status(replica, 'exec_master_log_pos')],
			};
		};
		const even = await ends();
		expect(even.executed).toEqual(even.written);
		await pair.replica.sql('STOP SLAVE SQL_THREAD');
		await pair.master.sql('INSERT INTO shop.orders VALUES (50)');
		const apart = await ends();
		expect(Number(apart.written[1])).toBeGreaterThan(Number(apart.executed[1]));
		await pair.replica.sql('START SLAVE SQL_THREAD');
		await caughtUp();
	});

	test('an errant transaction is a source that the replica has and the master has not', async () => {
		const own = (found: Record<string, number>) => found['fournines_mysql_gtid_sequence{domain="0",gtid_server_id="2",set="binlog_state"}'];
		expect(own(await round(input(pair.master)))).toBeUndefined();
		const before = own(await round(input(pair.replica))) ?? 0;
		await pair.replica.sql('INSERT INTO shop.orders VALUES (99)');
		expect(own(await round(input(pair.replica)))).toBeGreaterThan(before);
		expect(own(await round(input(pair.master)))).toBeUndefined();
	});

	test('a second, named connection is a channel of its own', async () => {
		await pair.replica.sql(
			`CHANGE MASTER 'second' TO MASTER_HOST='127.0.0.1', MASTER_PORT=1, MASTER_USER='nobody', MASTER_PASSWORD='none', MASTER_LOG_FILE='binlog.000001', MASTER_LOG_POS=4`,
		);
		const found = await round(input(pair.replica));
		expect(found['mysql_slave_status_slave_io_running{connection_name="second",master_host="127.0.0.1"}']).toBe(0);
		expect(status(found, 'slave_io_running')).toBe(1);
		await pair.replica.sql("RESET SLAVE 'second' ALL");
	});

	test('who waits for whom', async () => {
		const source = input(pair.master);
		// The thread of a connection that was broken off before stays for a moment.
		const found = await waitFor('one replica', async () => {
			const now = await round(source);
			return now['fournines_mysql_connected_replicas'] === 1 ? now : null;
		});
		expect(found['mysql_info_schema_processlist_processes_by_user{mysql_user="replication"}']).toBe(1);
		expect(found).toMatchObject({ fournines_mysql_lock_waits: 0, fournines_mysql_metadata_lock_waits: 0 });
	});

	test('the daily statements run at night, on the replica, and their result stays', async () => {
		const at = (hour: number, day = 5) => new Date(2026, 10, day, hour, 30).getTime();
		const source = (server: MariaDbServer, onMaster = false) => {
			const created = createMysqlInput({
				target: {},
				intervalMs: 1000,
				timeoutMs: 30_000,
				address: server.address,
				username: server.username,
				password: () => new Secret(server.password),
				log: silentLogger,
				daily: { at: '03:00', onMaster, binlogRetentionSeconds: 7 * 86_400 },
			});
			opened.push(created);
			return created;
		};
		const replica = source(pair.replica);
		expect(values(await replica.collect(signal, at(12)))).not.toHaveProperty('fournines_mysql_daily_timestamp_seconds');
		const found = await waitFor('the result', async () => {
			const now = values(await replica.collect(signal, at(3)));
			return now['fournines_mysql_daily_timestamp_seconds'] === undefined ? null : now;
		});
		expect(found).toMatchObject({
			'fournines_mysql_daily_success{part="digests"}': 1,
			'fournines_mysql_daily_success{part="tablespaces"}': 1,
			'fournines_mysql_daily_success{part="binary_logs"}': 1,
			'fournines_mysql_backup_policy_ok{rule="log_bin"}': 1,
			'fournines_mysql_backup_policy_ok{rule="binlog_format"}': 1,
			'fournines_mysql_backup_policy_ok{rule="sync_binlog"}': 0,
			'fournines_mysql_backup_policy_ok{rule="binlog_retention"}': 1,
			fournines_mysql_binlog_retention_seconds: 0,
		});
		expect(found['mysql_info_schema_innodb_tablespace_file_size_bytes{tablespace_name="shop/orders"}']).toBeGreaterThan(0);
		expect(found['fournines_mysql_schema_files{schema="shop"}']).toBe(1);
		expect(found['mysql_binlog_files']).toBeGreaterThan(0);
		expect(Object.keys(found).some((name) => name.startsWith('mysql_perf_schema_events_statements_total{'))).toBe(true);
		expect(values(await replica.collect(signal, at(12)))['fournines_mysql_daily_timestamp_seconds']).toBe(
			found['fournines_mysql_daily_timestamp_seconds'],
		);
		// The master has a replica, which is asked instead of it.
		const master = source(pair.master);
		await master.collect(signal, at(3));
		await master.close();
		const willing = source(pair.master, true);
		await waitFor(
			'the master, where it is told to',
			async () => values(await willing.collect(signal, at(3)))['fournines_mysql_daily_timestamp_seconds'] !== undefined,
		);
		// Nobody reads from it any more: then there is nobody to prefer.
		await pair.replica.sql('STOP SLAVE');
		const alone = source(pair.master);
		await waitFor('the master, where no replica reads from it', async () => {
			const now = values(await alone.collect(signal, at(12)));
			return now['fournines_mysql_connected_replicas'] === 0;
		});
		await waitFor(
			'its result',
			async () => values(await alone.collect(signal, at(3)))['fournines_mysql_daily_timestamp_seconds'] !== undefined,
		);
		await pair.replica.sql('START SLAVE');
	});
});

/** Runs a statement in a session that is not logged. `grant`: the account of the agent is appended. */
async function unlogged(server: MariaDbServer, statement: string, grant = true): Promise<void> {
	await server.sql(`BEGIN NOT ATOMIC SET SESSION sql_log_bin = 0; ${statement}${grant ? ` '${server.username}'@'127.0.0.1'` : ''}; END`);
}
