import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FamilySet } from '../input.ts';
import { values } from '../measured-values.ts';
import { digestFamilies, isDue, policyOf } from './daily.ts';
import { quotedTable } from './heartbeat.ts';
import { fileNumber, gtidFamilies, parseGtidPositions, parseGtidSet } from './positions.ts';
import {
	gtidStatement,
	parseServerVersion,
	privileges,
	replicaStatusStatement,
	sourceStatusStatement,
	statementLimit,
} from './server-version.ts';
import { processlistFamilies } from './threads.ts';

describe('statements by version', () => {
	test.each([
		['5.6.51-log', 'SHOW SLAVE STATUS', 'SHOW MASTER STATUS', 'gtid_executed', null],
		['5.7.44', 'SHOW SLAVE STATUS', 'SHOW MASTER STATUS', 'gtid_executed', 'max_execution_time = 60000'],
		['8.0.21', 'SHOW SLAVE STATUS', 'SHOW MASTER STATUS', 'gtid_executed', 'max_execution_time = 60000'],
		['8.0.22', 'SHOW REPLICA STATUS', 'SHOW MASTER STATUS', 'gtid_executed', 'max_execution_time = 60000'],
		['8.2.0', 'SHOW REPLICA STATUS', 'SHOW BINARY LOG STATUS', 'gtid_executed', 'max_execution_time = 60000'],
		['8.4.3', 'SHOW REPLICA STATUS', 'SHOW BINARY LOG STATUS', 'gtid_executed', 'max_execution_time = 60000'],
		['9.1.0', 'SHOW REPLICA STATUS', 'SHOW BINARY LOG STATUS', 'gtid_executed', 'max_execution_time = 60000'],
		['5.5.68-MariaDB', 'SHOW ALL SLAVES STATUS', 'SHOW MASTER STATUS', null, null],
		['10.11.6-MariaDB', 'SHOW ALL SLAVES STATUS', 'SHOW MASTER STATUS', 'gtid_binlog_state', 'max_statement_time = 60'],
		['11.8.2-MariaDB', 'SHOW ALL SLAVES STATUS', 'SHOW MASTER STATUS', 'gtid_binlog_state', 'max_statement_time = 60'],
	])('%s', (text, replica, source, gtid, limit) => {
		const version = parseServerVersion(text);
		expect(replicaStatusStatement(version)).toBe(replica);
		expect(sourceStatusStatement(version)).toBe(source);
		expect(gtidStatement(version)).toEqual(gtid === null ? null : expect.stringContaining(gtid));
		expect(statementLimit(version, 60)).toEqual(limit === null ? null : expect.stringContaining(limit));
	});

	test.each([
		['8.0.36', 'PROCESS, REPLICATION CLIENT'],
		['10.4.32-MariaDB', 'PROCESS, REPLICATION CLIENT'],
		['10.5.1-MariaDB', 'PROCESS, SLAVE MONITOR, BINLOG MONITOR'],
	])('privileges of %s', (text, expected) => {
		expect(privileges(parseServerVersion(text))).toBe(expected);
	});
});

describe('GTID sets of MySQL', () => {
	const A = '3e11fa47-71ca-11e1-9e33-c80aa9429562';
	test.each([
		['empty', '', {}],
		['one', `${A}:1-5`, { [A]: { transactions: 5, last: 5 } }],
		['holes', `${A}:1-3:11:47-49`, { [A]: { transactions: 7, last: 49 } }],
		[
			'two sources over lines',
			`${A}:7,\n${A.replace('3', '4').toUpperCase()}:1-2`,
			{ [A]: { transactions: 1, last: 7 }, [A.replace('3', '4')]: { transactions: 2, last: 2 } },
		],
		['a tag numbers its own', `${A}:1-5:batch:1-2:9`, { [A]: { transactions: 5, last: 5 }, [`${A}:batch`]: { transactions: 3, last: 9 } }],
	])('%s', (_name, text, expected) => {
		expect(Object.fromEntries(parseGtidSet(text))).toEqual(expected);
	});

	test('any set of intervals is counted to the transaction', () => {
		const interval = fc.tuple(fc.nat(1e9), fc.nat(1e6));
		fc.assert(
			fc.property(fc.array(interval, { minLength: 1, maxLength: 20 }), (intervals) => {
				const text = `${A}:${intervals.map(([from, length]) => (length === 0 ? `${from}` : `${from}-${from + length}`)).join(':')}`;
				expect(parseGtidSet(text).get(A)).toEqual({
					transactions: intervals.reduce((sum, [, length]) => sum + length + 1, 0),
					last: Math.max(...intervals.map(([from, length]) => from + length)),
				});
			}),
		);
	});

	test('a set with thousands of sources is cut and says so', () => {
		const uuids = Array.from({ length: 500 }, (_, i) => `${String(i).padStart(8, '0')}-0000-0000-0000-000000000000:1-3`);
		const families = new FamilySet();
		gtidFamilies({ executed: uuids.join(','), purged: '', uuid: A }, false, families);
		const found = values(families.list());
		expect(found['fournines_mysql_gtid_sources']).toBe(500);
		expect(Object.keys(found).filter((name) => name.startsWith('fournines_mysql_gtid_transactions')).length).toBe(64);
	});
});

test('GTID positions of MariaDB', () => {
	expect(parseGtidPositions('0-1-100,5-2-7')).toEqual([
		{ domain: '0', server: '1', sequence: 100 },
		{ domain: '5', server: '2', sequence: 7 },
	]);
	expect(parseGtidPositions('')).toEqual([]);
});

test.each([
	['binlog.000042', 42],
	['mysql-bin.1234567', 1234567],
	['', null],
	['binlog', null],
])('file number of "%s"', (name, expected) => {
	expect(fileNumber(name)).toBe(expected);
});

test('the daily run is due once, within its hour', () => {
	const at = (day: number, hour: number, minute: number) => new Date(2026, 10, day, hour, minute).getTime();
	expect(isDue('03:00', at(5, 2, 59), '').due).toBe(false);
	const first = isDue('03:00', at(5, 3, 0), '');
	expect(first.due).toBe(true);
	expect(isDue('03:00', at(5, 3, 30), first.day).due).toBe(false);
	expect(isDue('03:00', at(5, 4, 0), '').due).toBe(false);
	expect(isDue('03:00', at(6, 3, 10), first.day).due).toBe(true);
});

describe('backup policy', () => {
	const rows = (variables: Readonly<Record<string, string>>) =>
		Object.entries(variables).map(([Variable_name, Value]) => ({ Variable_name, Value }));
	const good = {
		log_bin: 'ON',
		binlog_format: 'ROW',
		sync_binlog: '1',
		innodb_flush_log_at_trx_commit: '1',
		expire_logs_days: '0',
		binlog_expire_logs_seconds: '2592000',
	};
	const broken = (change: Readonly<Record<string, string>>, version = '8.0.36') =>
		policyOf(rows({ ...good, ...change }), parseServerVersion(version), { binlogRetentionSeconds: 7 * 86_400 })
			.rules.filter(({ ok }) => !ok)
			.map(({ rule }) => rule);
	test.each([
		['nothing', {}, []],
		['no binary log', { log_bin: 'OFF' }, ['log_bin']],
		['statements', { binlog_format: 'STATEMENT' }, ['binlog_format']],
		['lazy writes', { sync_binlog: '0', innodb_flush_log_at_trx_commit: '2' }, ['sync_binlog', 'innodb_flush_log_at_trx_commit']],
		['a day only', { binlog_expire_logs_seconds: '86400' }, ['binlog_retention']],
		['days, where seconds are not set', { binlog_expire_logs_seconds: '0', expire_logs_days: '10' }, []],
		['kept for ever', { binlog_expire_logs_seconds: '0' }, []],
	])('%s', (_name, change, expected) => {
		expect(broken(change)).toEqual(expected);
	});

	test('MySQL 8.4 has no other format than rows', () => {
		expect(broken({ binlog_format: '' }, '8.4.0')).toEqual([]);
		expect(broken({ binlog_format: '' }, '8.0.36')).toEqual(['binlog_format']);
	});
});

test('digests carry the picoseconds of the server as seconds', () => {
	const families = new FamilySet();
	digestFamilies(
		[
			{
				schema_name: 'shop',
				digest: 'abc',
				digest_text: 'SELECT ?',
				calls: '4',
				wait: '2500000000000',
				errors: '1',
				sent: '3',
				examined: '900',
			},
		],
		families,
	);
	const labels = '{digest="abc",digest_text="SELECT ?",schema="shop"}';
	expect(values(families.list())).toMatchObject({
		[`mysql_perf_schema_events_statements_total${labels}`]: 4,
		[`mysql_perf_schema_events_statements_seconds_total${labels}`]: 2.5,
	});
});

test('states and users of a busy server are bounded', () => {
	const families = new FamilySet();
	const rows = Array.from({ length: 500 }, (_, i) => ({
		command: 'Query',
		state: `state ${i}`,
		user: `user${i}`,
		processes: '1',
		seconds: '2',
	}));
	processlistFamilies(
		[...rows, { command: 'Query', state: 'Waiting for table metadata lock', user: 'a', processes: '3', seconds: '9' }],
		families,
	);
	const found = values(families.list());
	const sum = (prefix: string) => {
		const names = Object.keys(found).filter((name) => name.startsWith(prefix));
		return { series: names.length, total: names.reduce((all, name) => all + (found[name] ?? 0), 0) };
	};
	expect(sum('mysql_info_schema_processlist_threads{')).toEqual({ series: 61, total: 503 });
	expect(sum('mysql_info_schema_processlist_processes_by_user{')).toEqual({ series: 31, total: 503 });
	expect(found['fournines_mysql_metadata_lock_waits']).toBe(3);
});

test('a table is quoted by its parts', () => {
	expect(quotedTable('heartbeat.beat$1')).toBe('`heartbeat`.`beat$1`');
});
