import { createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../core/secret.ts';
import { available, type MariaDbServer, startMariaDb } from '../../../tests/harness/mariadb.ts';
import { waitFor } from '../../../tests/harness/process.ts';
import { collect, failureOf, oneInput, problemsOf } from '../input.fixture.ts';
import type { Input } from '../input.ts';
import { probe, reasonOf, Servers } from '../probe/probe.fixture.ts';
import { readStatementProblem, SqlSession } from './session.ts';

const limits = { timeoutMs: 30_000, maxRows: 10, maxBytes: 1024 * 1024 };
const signal = new AbortController().signal;
const servers = new Servers();
const opened: Input[] = [];
afterEach(async () => {
	for (const input of opened.splice(0)) await input.close();
	await servers.close();
});
function keep(input: Input): Input {
	opened.push(input);
	return input;
}

test.each([
	['SELECT 1', null],
	['  select count(*) from t;', null],
	['WITH x AS (SELECT 1) SELECT * FROM x', null],
	['SHOW STATUS', null],
	['(SELECT 1) UNION (SELECT 2)', null],
	['DELETE FROM t', 'begins'],
	['SELECT * FROM t INTO OUTFILE "/tmp/x"', 'writes a file'],
	['SELECT * FROM t FOR UPDATE', 'locks'],
])('%s', (statement, problem) => {
	const found = readStatementProblem(statement);
	if (problem === null) expect(found).toBeNull();
	else expect(found).toContain(problem);
});

test('mistakes are told with their paths', () => {
	const entry = {
		address: '127.0.0.1:3306',
		username: 'u',
		queries: [
			{ name: 'a', query: 'DROP TABLE t', values: ['x'], labels: ['x'] },
			{ name: 'a', query: 'SELECT 1', values: ['x'] },
		],
	};
	expect(problemsOf({ sql: [entry] })).toEqual([
		'inputs.sql[0].queries[0].query: a statement begins with SELECT, SHOW or WITH',
		'inputs.sql[0].queries[0].labels: "x" is a value already',
		'inputs.sql[0].queries[1].name: a_x is already a metric of queries[0]',
	]);
});

describe('servers that misbehave', () => {
	const session = (port: number) =>
		new SqlSession({ address: `127.0.0.1:${port}`, username: 'u', password: () => new Secret('p'), database: '', ca: null });

	test('one that accepts and says nothing', async () => {
		const port = await servers.tcp(() => {});
		await expect(session(port).query('SELECT 1', { ...limits, timeoutMs: 200 }, signal)).rejects.toMatchObject({ retryable: true });
	});

	test('one that speaks something else', async () => {
		const port = await servers.tcp((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(10)));
		await expect(session(port).query('SELECT 1', { ...limits, timeoutMs: 500 }, signal)).rejects.toMatchObject({ retryable: true });
	});

	test('one that sends a gigabyte', async () => {
		const port = await servers.tcp((socket) => {
			// Packets of 16 MB that belong together, in their right order.
			const content = Buffer.alloc(0xffffff, 10);
			let sequence = 0;
			const more = () => {
				while (!socket.destroyed && socket.write(Buffer.from([0xff, 0xff, 0xff, sequence++ & 255])) && socket.write(content));
			};
			socket.on('drain', more);
			more();
		});
		const before = process.memoryUsage().rss;
		await expect(session(port).query('SELECT 1', limits, signal)).rejects.toMatchObject({ retryable: true });
		expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
	});
});

describe.skipIf(!available())('a real MariaDB', () => {
	let db: MariaDbServer;
	beforeAll(async () => {
		db = await startMariaDb();
		await db.sql('CREATE DATABASE shop');
		await db.sql('CREATE TABLE shop.orders (id INT PRIMARY KEY AUTO_INCREMENT, state VARCHAR(20), amount DECIMAL(20,2), day DATE)');
		await db.sql(
			"INSERT INTO shop.orders (state, amount, day) VALUES ('open', 10.5, '2026-03-05'), ('open', 1, '2026-03-05'), ('done', 12345678901234.25, '2026-03-05'), ('done', 3, '2026-03-06')",
		);
		await db.sql("CREATE USER 'reader'@'127.0.0.1' IDENTIFIED BY 'reader-password'");
		await db.sql("GRANT SELECT ON shop.* TO 'reader'@'127.0.0.1'");
		// More than it needs, to see that the session itself is read-only.
		await db.sql("CREATE USER 'writer'@'127.0.0.1' IDENTIFIED BY 'writer-password'");
		await db.sql("GRANT ALL ON shop.* TO 'writer'@'127.0.0.1'");
	});
	afterAll(() => db?.remove());

	const env = { PW: 'reader-password' };
	const account = () => ({ address: db.address, username: 'reader', password: { env: 'PW' }, database: 'shop' });
	const sql = (queries: object[], more: object = {}) => keep(oneInput({ sql: [{ ...account(), ...more, queries }] }, env));
	const session = (username: string, password: string) =>
		new SqlSession({ address: db.address, username, password: () => new Secret(password), database: 'shop', ca: null });

	test('columns become values and labels', async () => {
		const input = sql([
			{
				name: 'orders',
				query: 'SELECT state, COUNT(*) AS total, SUM(amount) AS amount FROM orders GROUP BY state',
				values: ['total', 'amount'],
				labels: ['state'],
			},
			{ name: 'nothing', query: "SELECT SUM(amount) AS amount FROM orders WHERE state = 'none'", values: ['amount'] },
		]);
		expect(input.target).toMatchObject({ job: 'sql', instance: db.address, host: 'app-1' });
		expect(await collect(input)).toMatchObject({
			sql_up: 1,
			'orders_total{state="open"}': 2,
			'orders_total{state="done"}': 2,
			'orders_amount{state="open"}': 11.5,
			'orders_amount{state="done"}': 12345678901237.25,
			'sql_query_success{query="orders"}': 1,
			'sql_query_rows{query="orders"}': 2,
			'sql_query_truncated{query="orders"}': 0,
			'sql_query_success{query="nothing"}': 1,
		});
		const found = await collect(input);
		expect(found).not.toHaveProperty('nothing_amount');
	});

	test('a statement that fails costs only itself', async () => {
		const found = await collect(
			sql([
				{ name: 'bad', query: 'SELECT nothing FROM nowhere', values: ['nothing'] },
				{ name: 'text', query: "SELECT 'abc' AS value", values: ['value'] },
				{ name: 'column', query: 'SELECT 1 AS other', values: ['value'] },
				{ name: 'twice', query: "SELECT 'a' AS l, 1 AS value UNION ALL SELECT 'a', 2", values: ['value'], labels: ['l'] },
				{ name: 'good', query: 'SELECT 7 AS value', values: ['value'] },
			]),
		);
		const success = (name: string) => found[`sql_query_success{query="${name}"}`];
		expect(['bad', 'text', 'column', 'twice', 'good'].map(success)).toEqual([0, 0, 0, 0, 1]);
		expect(found).toMatchObject({ sql_up: 1, good_value: 7, 'twice_value{l="a"}': 1 });
	});

	test('rows beyond the cap are left out and said', async () => {
		const query = 'SELECT seq AS n, seq AS value FROM seq_1_to_1000';
		const found = await collect(sql([{ name: 'many', query, values: ['value'], labels: ['n'], max_rows: 5 }]));
		expect(found).toMatchObject({ 'sql_query_rows{query="many"}': 5, 'sql_query_truncated{query="many"}': 1 });
	});

	test('a slow statement is ended, here and in the server, and leaves time for the others', async () => {
		const queries = [
			// Not SLEEP, which ends by itself when its client has gone.
			{ name: 'slow', query: 'SELECT SUM(a.seq * b.seq % 7) AS value FROM seq_1_to_1000000 a, seq_1_to_1000000 b', values: ['value'] },
			{ name: 'quick', query: 'SELECT 7 AS value', values: ['value'] },
		];
		const found = await collect(sql(queries, { timeout: '6s' }));
		expect(found).toMatchObject({ sql_up: 1, 'sql_query_success{query="slow"}': 0, 'sql_query_success{query="quick"}': 1, quick_value: 7 });
		await waitFor(
			'the server to forget it',
			async () => (await db.sql("SELECT * FROM information_schema.processlist WHERE info LIKE 'SELECT SUM(a.seq%'")).length === 0,
		);
	});

	test('the session cannot write, whatever the account may', async () => {
		const writer = session('writer', 'writer-password');
		for (const statement of ["INSERT INTO orders (state) VALUES ('x')", 'CREATE TABLE made (a INT)', 'DROP TABLE orders'])
			await expect(writer.query(statement, limits, signal), statement).rejects.toMatchObject({ code: 'FN_AGENT_SQL_FAILED' });
		await expect(writer.query('SELECT 1; DROP TABLE orders', limits, signal)).rejects.toMatchObject({ code: 'FN_AGENT_SQL_FAILED' });
		expect((await writer.query('SELECT COUNT(*) FROM orders', limits, signal)).rows).toEqual([['4']]);
		writer.close();
	});

	test('a wrong password and a server that went away', async () => {
		const wrong = keep(
			oneInput({ sql: [{ ...account(), queries: [{ name: 'a', query: 'SELECT 1 AS v', values: ['v'] }] }] }, { PW: 'not-it' }),
		);
		const error = await failureOf(wrong);
		expect(error).toMatchObject({ code: 'FN_AGENT_SOURCE_CONNECT' });
		expect(error.message).not.toContain('not-it');
		const input = sql([{ name: 'a', query: 'SELECT 1 AS v', values: ['v'] }]);
		await collect(input);
		await db.kill();
		// Either the session had noticed and cannot be opened again, or the statement is the first to notice.
		const without = await collect(input).catch(() => ({}));
		expect(without).not.toHaveProperty('a_v');
		await db.start();
		expect(await collect(input)).toMatchObject({ a_v: 1 });
	});

	test('a check', async () => {
		const check = (more: object, password = 'reader-password') =>
			probe({ kind: 'sql', target: db.address, sql: { username: 'reader', password: { env: 'PW' }, ...more } }, { PW: password });
		expect(await check({})).toMatchObject({ probe_success: 1, probe_sql_rows: 1 });
		expect(reasonOf(await check({ database: 'shop', query: 'SELECT COUNT(*) FROM orders', min: 1, max: 10 }))).toBeNull();
		expect(reasonOf(await check({ database: 'shop', query: 'SELECT COUNT(*) FROM orders', min: 5 }))).toBe('answer');
		expect(reasonOf(await check({ query: "SELECT 'up'", equals: 'up' }))).toBeNull();
		expect(reasonOf(await check({ query: "SELECT 'up'", equals: 'down' }))).toBe('answer');
		expect(reasonOf(await check({ query: 'SELECT nothing FROM nowhere' }))).toBe('answer');
		expect(reasonOf(await check({}, 'wrong'))).toBe('refused');
		const silent = await servers.tcp(() => {});
		expect(reasonOf(await probe({ kind: 'sql', target: `127.0.0.1:${silent}`, timeout: '200ms', sql: { username: 'u' } }))).toBe('timeout');
	});

	test('freshness of a push', async () => {
		const push = (query: string) => keep(oneInput({ push: [{ id: 'p', schedule: { at: ['23:00'] }, sql: { ...account(), query } }] }, env));
		const found = await collect(
			push(
				"SELECT '2026-03-05 23:20:00' AS last_success, 1 AS success, 12.5 AS duration, COUNT(*) AS sent, 3 AS received, 1 AS rejected FROM orders",
			),
		);
		expect(found).toMatchObject({
			interface_last_success_timestamp_seconds: Date.parse('2026-03-05T23:20:00+08:00') / 1000,
			interface_last_run_success: 1,
			interface_last_run_duration_seconds: 12.5,
			interface_records_sent_total: 4,
			interface_records_received_total: 3,
			interface_records_rejected_total: 1,
		});
		expect(await collect(push("SELECT MAX(day) AS last_success FROM orders WHERE state = 'none'"))).toMatchObject({
			interface_last_success_timestamp_seconds: 0,
		});
		expect(await failureOf(push('SELECT 1 AS other'))).toMatchObject({ code: 'FN_AGENT_SQL_FAILED' });
	});

	test('reconciliation of two ends', async () => {
		let target: unknown = [
			{ day: '20260306', n: 1 },
			{ day: '20260305', n: 2 },
		];
		const port = await servers.http((_request, response) => response.end(JSON.stringify(target)));
		const input = keep(
			oneInput(
				{
					reconcile: [
						{
							id: 'orders',
							peer: 'ministry',
							dates: 2,
							cut_off: { time: '02:00', days_later: 1 },
							source: { sql: { ...account(), query: "SELECT day, COUNT(*) FROM orders GROUP BY day UNION ALL SELECT '2020-01-01', 9" } },
							target: { http: { url: `http://127.0.0.1:${port}/`, dates: '$[*].day', counts: '$[*].n' } },
						},
					],
				},
				env,
			),
		);
		const now = Date.parse('2026-03-06T12:00:00+08:00');
		const cutOff = (text: string) => Date.parse(`${text}+08:00`) / 1000;
		expect(await collect(input, now)).toEqual({
			interface_reconcile_up: 1,
			'interface_reconcile_source_count{biz_date="2026-03-06"}': 1,
			'interface_reconcile_target_count{biz_date="2026-03-06"}': 1,
			'interface_reconcile_cut_off_timestamp_seconds{biz_date="2026-03-06"}': cutOff('2026-03-07T02:00:00'),
			'interface_reconcile_source_count{biz_date="2026-03-05"}': 3,
			'interface_reconcile_target_count{biz_date="2026-03-05"}': 2,
			'interface_reconcile_cut_off_timestamp_seconds{biz_date="2026-03-05"}': cutOff('2026-03-06T02:00:00'),
		});
		// The next day the oldest date is no longer among them; one that neither end names counts 0 on both.
		const next = await collect(input, now + 86_400_000);
		expect(Object.keys(next).some((name) => name.includes('2026-03-05'))).toBe(false);
		expect(next['interface_reconcile_source_count{biz_date="2026-03-07"}']).toBe(0);
		target = [{ day: 'soon', n: 1 }];
		expect(await failureOf(input)).toMatchObject({ code: 'FN_AGENT_SOURCE_FORMAT' });
		target = [{ day: '20260306' }];
		expect(await failureOf(input)).toMatchObject({ code: 'FN_AGENT_SOURCE_FORMAT' });
	});
});

test('a server that dies between two statements does not end the process', async () => {
	const sockets: Socket[] = [];
	const server: Server = createServer((socket) => {
		sockets.push(socket);
		socket.on('error', () => {});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const address = server.address();
	const one = new SqlSession({
		address: `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
		username: 'u',
		password: () => null,
		database: '',
		ca: null,
	});
	const answer = one.query('SELECT 1', limits, signal);
	await waitFor('a connection', () => sockets.length > 0);
	for (const socket of sockets) socket.destroy();
	await expect(answer).rejects.toMatchObject({ code: 'FN_AGENT_SOURCE_CONNECT' });
	await new Promise((resolve) => server.close(resolve));
});
