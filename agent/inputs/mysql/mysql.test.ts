import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../core/log.ts';
import { Secret } from '../../../core/secret.ts';
import { available, type MariaDbPair, type MariaDbServer, startMariaDbPair } from '../../../tests/harness/mariadb.ts';
import { waitFor } from '../../../tests/harness/process.ts';
import { FamilySet } from '../input.ts';
import { values } from '../measured-values.ts';
import { createMysqlInput } from './input.ts';
import { replicationFamilies } from './replication.ts';

describe('replica status', () => {
	test('columns of MySQL 8.4 get the old names', () => {
		const families = new FamilySet();
		replicationFamilies(
			[
				{
					Source_Host: '10.0.0.1',
					Source_UUID: 'u',
					Channel_Name: '',
					Replica_IO_Running: 'Yes',
					Replica_SQL_Running: 'No',
					Seconds_Behind_Source: null,
					Read_Source_Log_Pos: '900719925474099',
					Exec_Source_Log_Pos: '12',
					Source_Server_Id: '7',
					Last_SQL_Errno: '1062',
				},
			],
			families,
		);
		const found = values(families.list());
		const labels = '{master_host="10.0.0.1",master_uuid="u"}';
		expect(found).toEqual({
			[`mysql_slave_status_slave_io_running${labels}`]: 1,
			[`mysql_slave_status_slave_sql_running${labels}`]: 0,
			[`mysql_slave_status_read_master_log_pos${labels}`]: 900719925474099,
			[`mysql_slave_status_exec_master_log_pos${labels}`]: 12,
			[`mysql_slave_status_master_server_id${labels}`]: 7,
			[`mysql_slave_status_last_sql_errno${labels}`]: 1062,
			[`mysql_slave_status_seconds_behind_master${labels}`]: Number.NaN,
			[`fournines_mysql_replica_lag_unknown${labels}`]: 1,
		});
	});
});

describe.skipIf(!available())('a real MariaDB pair', () => {
	let pair: MariaDbPair;
	const opened: { close(): Promise<void> }[] = [];
	const signal = new AbortController().signal;
	beforeAll(async () => {
		pair = await startMariaDbPair();
	});
	afterAll(async () => {
		for (const input of opened) await input.close();
		await pair?.remove();
	});

	const input = (server: MariaDbServer, password = server.password) => {
		const created = createMysqlInput({
			target: {},
			intervalMs: 1000,
			timeoutMs: 30_000,
			address: server.address,
			username: server.username,
			password: () => new Secret(password),
			log: silentLogger,
		});
		opened.push(created);
		return created;
	};
	const of = (found: Record<string, number>, name: string) => found[`mysql_slave_status_${name}{master_host="127.0.0.1"}`];

	test('the master', async () => {
		const found = values(await input(pair.master).collect(signal, 0));
		expect(found).toMatchObject({
			mysql_up: 1,
			mysql_global_variables_server_id: 1,
			mysql_global_variables_log_bin: 1,
			'fournines_mysql_part_success{part="status"}': 1,
			'fournines_mysql_part_success{part="variables"}': 1,
			'fournines_mysql_part_success{part="replication"}': 1,
		});
		expect(found['mysql_global_status_threads_connected']).toBeGreaterThan(0);
		expect(found['mysql_global_status_commands_total{command="select"}']).toBeGreaterThan(0);
		expect(Object.keys(found).filter((name) => name.startsWith('mysql_slave_status'))).toEqual([]);
	});

	test('a stopped SQL thread is a value, and an unknown lag stays a series', async () => {
		const source = input(pair.replica);
		const running = values(await source.collect(signal, 0));
		expect([of(running, 'slave_io_running'), of(running, 'slave_sql_running')]).toEqual([1, 1]);
		expect(of(running, 'seconds_behind_master')).toBe(0);
		await pair.replica.sql('STOP SLAVE SQL_THREAD');
		const stopped = values(await source.collect(signal, 0));
		expect([of(stopped, 'slave_io_running'), of(stopped, 'slave_sql_running')]).toEqual([1, 0]);
		expect(of(stopped, 'seconds_behind_master')).toBeNaN();
		expect(stopped['fournines_mysql_replica_lag_unknown{master_host="127.0.0.1"}']).toBe(1);
		await pair.replica.sql('START SLAVE SQL_THREAD');
		await waitFor('the thread', async () => of(values(await source.collect(signal, 0)), 'slave_sql_running') === 1);
	});

	test('a missing privilege costs only its part', async () => {
		await pair.replica.sql(`SET STATEMENT sql_log_bin=0 FOR REVOKE SLAVE MONITOR ON *.* FROM 'watcher'@'127.0.0.1'`).catch(async () => {
			await pair.replica.sql(`REVOKE SLAVE MONITOR ON *.* FROM 'watcher'@'127.0.0.1'`);
		});
		const found = values(await input(pair.replica).collect(signal, 0));
		expect(found).toMatchObject({
			mysql_up: 1,
			'fournines_mysql_part_success{part="status"}': 1,
			'fournines_mysql_part_success{part="replication"}': 0,
		});
		await pair.replica.sql(`GRANT SLAVE MONITOR ON *.* TO 'watcher'@'127.0.0.1'`);
	});

	test('a wrong password fails without showing it', async () => {
		const error = await input(pair.master, 'not-the-password')
			.collect(signal, 0)
			.then(
				() => null,
				(reason: unknown) => reason,
			);
		expect(error).toMatchObject({ code: 'FN_AGENT_SOURCE_CONNECT' });
		expect(error instanceof Error ? `${error.message} ${String(error.cause)}` : '').not.toContain('not-the-password');
	});

	test('a server that was killed and started again is read again', async () => {
		const source = input(pair.master);
		await source.collect(signal, 0);
		await pair.master.kill();
		await expect(source.collect(signal, 0)).rejects.toBeInstanceOf(Error);
		await pair.master.start();
		expect(values(await source.collect(signal, 0))['mysql_up']).toBe(1);
	});
});
