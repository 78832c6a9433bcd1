import { appendFileSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../tests/harness/process.ts';
import { collect, failureOf, oneInput, problemsOf } from '../input.fixture.ts';
import { Servers } from '../probe/probe.fixture.ts';
import { parseTimeText } from '../time-text.ts';

const folder = temporaryFolder('push');
const servers = new Servers();
afterEach(() => servers.close());
afterAll(() => folder.remove());

const at = (text: string) => Date.parse(`${text.replace(' ', 'T')}+08:00`);
const seconds = (text: string) => at(text) / 1000;
let count = 0;
function newFolder(): string {
	const path = join(folder.path, String(count++));
	mkdirSync(path);
	return path;
}
const push = (source: object, more: object = {}) => ({
	push: [{ id: 'cases-daily', peer: 'ministry', schedule: { at: ['23:00'] }, grace: '2h', early: '10m', ...source, ...more }],
});

test('a folder: the newest file that matches and is large enough', async () => {
	const directory = newFolder();
	const put = (name: string, text: string, time: string) => {
		writeFileSync(join(directory, name), text);
		utimesSync(join(directory, name), seconds(time), seconds(time));
	};
	put('cases-20260304.xml', 'data', '2026-03-04 23:20:00');
	put('cases-20260305.xml', '', '2026-03-05 23:20:00');
	put('other.xml', 'data', '2026-03-05 23:30:00');
	const input = oneInput(push({ file: { directory, pattern: 'cases-*.xml' } }));
	expect(input.target).toMatchObject({ job: 'interface', interface: 'cases-daily', peer: 'ministry', instance: 'app-1', host: 'app-1' });
	const found = await collect(input, at('2026-03-06 08:00:00'));
	expect(found).toEqual({
		interface_up: 1,
		interface_last_success_timestamp_seconds: seconds('2026-03-04 23:20:00'),
		interface_expected_interval_seconds: 86_400,
		interface_due_timestamp_seconds: seconds('2026-03-06 01:00:00'),
	});
	rmSync(directory, { recursive: true });
	expect(await failureOf(input)).toMatchObject({ code: 'FN_AGENT_FILE_UNREADABLE' });
	expect(input.onFailure.map(({ name, measurements }) => [name, measurements[0]?.value])).toEqual([['interface_up', 0]]);
});

test('an empty folder: never, which is late from the first look on', async () => {
	const found = await collect(oneInput(push({ file: { directory: newFolder() } })), at('2026-03-06 08:00:00'));
	expect(found).toMatchObject({
		interface_last_success_timestamp_seconds: 0,
		interface_due_timestamp_seconds: seconds('2026-03-06 01:00:00'),
	});
});

test('an address: fields by JSON path', async () => {
	let body: unknown = {
		run: { finished: '2026-03-05 23:20:00', ok: true, ms: '95.5', counts: { sent: 120, received: 118, rejected: 2 } },
	};
	const port = await servers.http((_request, response) => response.end(typeof body === 'string' ? body : JSON.stringify(body)));
	const fields = {
		last_success: '$.run.finished',
		success: '$.run.ok',
		duration: '$.run.ms',
		sent: '$.run.counts.sent',
		received: '$.run.counts.received',
		rejected: '$.run.counts.rejected',
	};
	const input = oneInput(push({ http: { url: `http://127.0.0.1:${port}/status`, fields } }));
	expect(await collect(input, at('2026-03-06 08:00:00'))).toMatchObject({
		interface_last_success_timestamp_seconds: seconds('2026-03-05 23:20:00'),
		interface_due_timestamp_seconds: seconds('2026-03-07 01:00:00'),
		interface_last_run_success: 1,
		interface_last_run_duration_seconds: 95.5,
		interface_records_sent_total: 120,
		interface_records_received_total: 118,
		interface_records_rejected_total: 2,
	});
	body = { run: { finished: 'yesterday' } };
	expect(await failureOf(input)).toMatchObject({ code: 'FN_AGENT_SOURCE_FORMAT' });
	body = { other: 1 };
	expect(await failureOf(input)).toMatchObject({ code: 'FN_AGENT_SOURCE_FORMAT' });
	body = 'not JSON';
	expect(await failureOf(input)).toMatchObject({ code: 'FN_AGENT_SOURCE_FORMAT' });
	body = { run: { finished: null } };
	expect(await collect(input)).toMatchObject({ interface_last_success_timestamp_seconds: 0 });
	await servers.close();
	expect(await failureOf(input)).toMatchObject({ code: 'FN_AGENT_SOURCE_CONNECT' });
});

test('a log: time from the line, failures, rotation, half a line', async () => {
	const path = join(newFolder(), 'exchange.log');
	writeFileSync(path, '2026-03-05 10:00:00 push ok rows=5\n2026-03-05 11:00:00 something else\n');
	const input = oneInput(
		push(
			{ log: { path, success: '^([0-9-]+ [0-9:]+) push ok', failure: 'push FAILED' } },
			{ schedule: { every: '1h' }, grace: '10m', early: '0s' },
		),
	);
	const last = async () => {
		const found = await collect(input, at('2026-03-05 12:05:00'));
		return [found['interface_last_success_timestamp_seconds'], found['interface_last_run_success']];
	};
	expect(await last()).toEqual([seconds('2026-03-05 10:00:00'), 1]);
	appendFileSync(path, '2026-03-05 11:00:30 push FAILED\n2026-03-05 12:00:00 pu');
	expect(await last()).toEqual([seconds('2026-03-05 10:00:00'), 0]);
	appendFileSync(path, 'sh ok rows=7\n');
	expect(await last()).toEqual([seconds('2026-03-05 12:00:00'), 1]);
	renameSync(path, `${path}.1`);
	writeFileSync(path, '2026-03-05 12:01:00 push ok rows=1\n');
	expect(await last()).toEqual([seconds('2026-03-05 12:01:00'), 1]);
});

test('a log of GBK, without a time in the line', async () => {
	const path = join(newFolder(), 'gbk.log');
	writeFileSync(
		path,
		Buffer.concat([Buffer.from('x\n'), Buffer.from([0xcd, 0xc6, 0xcb, 0xcd, 0xb3, 0xc9, 0xb9, 0xa6]), Buffer.from('\n')]),
	);
	utimesSync(path, seconds('2026-03-05 10:00:00'), seconds('2026-03-05 10:00:00'));
	const input = oneInput(push({ log: { path, success: '推送成功', encoding: 'gb18030' } }));
	expect(await collect(input, at('2026-03-05 12:00:00'))).toMatchObject({
		interface_last_success_timestamp_seconds: seconds('2026-03-05 10:00:00'),
	});
	appendFileSync(path, Buffer.concat([Buffer.from([0xcd, 0xc6, 0xcb, 0xcd, 0xb3, 0xc9, 0xb9, 0xa6]), Buffer.from('\n')]));
	expect(await collect(input, at('2026-03-05 12:00:00'))).toMatchObject({
		interface_last_success_timestamp_seconds: seconds('2026-03-05 12:00:00'),
	});
});

test('a log of which only the end is read at the start', async () => {
	const path = join(newFolder(), 'long.log');
	writeFileSync(path, `2026-03-05 10:00:00 push ok\n${'x'.repeat(60)}\n`.repeat(1000));
	appendFileSync(path, '2026-03-05 11:00:00 push ok\n');
	const input = oneInput(push({ log: { path, success: '^([0-9-]+ [0-9:]+) push ok', tail_bytes: 1024 } }));
	expect(await collect(input)).toMatchObject({ interface_last_success_timestamp_seconds: seconds('2026-03-05 11:00:00') });
});

test.each([
	['1772000000', 1772000000000],
	['1772000000123', 1772000000123],
	['1772000000.5', 1772000000500],
	['2026-03-05 23:20:00', at('2026-03-05 23:20:00')],
	['2026/3/5 23:20', at('2026-03-05 23:20:00')],
	['2026-03-05T23:20:00.250', at('2026-03-05 23:20:00') + 250],
	['2026-03-05T15:20:00Z', at('2026-03-05 23:20:00')],
	['2026-03-05 23:20:00+0800', at('2026-03-05 23:20:00')],
	['20260305232000', at('2026-03-05 23:20:00')],
	['2026-03-05', at('2026-03-05 00:00:00')],
	['yesterday', null],
	['2026-13-05 10:00:00', null],
	['0', null],
])('time %s', (text, expected) => {
	expect(parseTimeText(text, 'Asia/Shanghai')).toBe(expected);
});

test.each([
	{ name: 'no source', source: {}, problem: 'inputs.push[0]: exactly one of' },
	{
		name: 'two sources',
		source: { file: { directory: '/a' }, log: { path: '/b', success: 'x' } },
		problem: 'inputs.push[0].log: exactly one of',
	},
	{
		name: 'a schedule that is none',
		source: { file: { directory: '/a' }, schedule: { every: '7m' } },
		problem: 'inputs.push[0].schedule.every: ',
	},
	{
		name: 'a statement that writes',
		source: { sql: { address: 'h', username: 'u', query: 'DELETE FROM t' } },
		problem: 'inputs.push[0].sql.query: ',
	},
	{
		name: 'a path that is none',
		source: { http: { url: 'http://h/', fields: { sent: '$..a' } } },
		problem: 'inputs.push[0].http.fields.sent: ',
	},
	{ name: 'a pattern that is none', source: { log: { path: '/b', success: '(' } }, problem: 'inputs.push[0].log.success: ' },
])('refused: $name', ({ source, problem }) => {
	const [found = ''] = problemsOf(push(source));
	expect(found.startsWith(problem), found).toBe(true);
});
