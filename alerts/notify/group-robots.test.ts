import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { postedAlert, type RunningAlerting, startAlerting } from '../../tests/harness/alerting.ts';
import { startFakeDingtalk, startFakeFeishu } from '../../tests/harness/fake-group-robots.ts';
import { type FakeSmtp, startFakeSmtp } from '../../tests/harness/fake-smtp.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import type { NotificationRecord } from '../ports.ts';

const SECRETS = { TOKEN: 'robot-token', SECRET: 'SECc0ffee', PASSWORD: 'mail-password', WRONG: 'wrong' };
let folder: TemporaryFolder;
let clock: ManualClock;
let running: RunningAlerting | null = null;
const stops: (() => Promise<void>)[] = [];

beforeEach(() => {
	folder = temporaryFolder('group-robots');
	clock = createManualClock();
});

afterEach(async () => {
	await running?.stop();
	running = null;
	for (const stop of stops.splice(0)) await stop();
	folder.remove();
});

/** Fires one alert through the channel and answers the record once no attempt runs. */
async function sendOne(channel: string, options: { summary?: string; until?: NotificationRecord['state']; attempts?: number } = {}) {
	running = await startAlerting({
		folder: folder.path,
		clock,
		secrets: SECRETS,
		config: `{ route: { receiver: r, group_wait: 0s }, receivers: [{ name: r, ${channel} }] }`,
	});
	const alerting = running.alerting;
	await alerting.receive([
		postedAlert(
			{ alertname: 'MysqlDown', severity: 'critical', instance: 'db-1:3306' },
			{ startsAtMs: clock.now(), endsAtMs: clock.now() + 86_400_000 },
			{ summary: options.summary ?? '数据库 db-1 无法连接', action: '1. 查看进程' },
		),
	]);
	return waitFor('the end of the message', async () => {
		await clock.advance(10_000);
		await new Promise((resolve) => setTimeout(resolve, 3));
		const [record] = await alerting.history.listNotifications({ limit: 1 });
		const ended = record?.attempts.filter(({ outcome }) => outcome !== '').length ?? 0;
		return record !== undefined &&
			(record.state === (options.until ?? 'sent') || record.state === 'refused') &&
			ended >= (options.attempts ?? 1)
			? record
			: false;
	});
}

const ROBOTS = [
	{ name: 'DingTalk', type: 'dingtalk', start: startFakeDingtalk, key: 'access_token', busy: 130101, refusal: 310000 },
	{ name: 'Feishu', type: 'feishu', start: startFakeFeishu, key: 'hook', busy: 11232, refusal: 19021 },
] as const;

describe.each(ROBOTS)('$name', ({ type, start, key, busy, refusal }) => {
	const fake = async () => {
		const robot = await start({ token: SECRETS.TOKEN, secret: SECRETS.SECRET, now: clock.now });
		stops.push(robot.stop);
		return robot;
	};
	const channel = (baseUrl: string, secret = 'SECRET') =>
		`${type}_configs: [{ base_url: '${baseUrl}', ${key}: { env: TOKEN }, secret: { env: ${secret} } }]`;

	test('takes a signed message that says what, where and what to do', async () => {
		const robot = await fake();
		const record = await sendOne(channel(robot.baseUrl));
		expect(record.attempts).toMatchObject([{ outcome: 'sent', code: '0' }]);
		for (const part of ['严重', '数据库 db-1 无法连接', 'db-1:3306', '查看进程', '编号 1']) expect(robot.messages[0]?.text).toContain(part);
	});

	test('a wrong signature is final, on record, and shows no secret', async () => {
		const robot = await fake();
		const record = await sendOne(channel(robot.baseUrl, 'WRONG'));
		expect(record).toMatchObject({ state: 'refused', attempts: [{ outcome: 'refused', code: String(refusal) }] });
		expect(robot.messages).toEqual([]);
		expect(JSON.stringify(record)).not.toMatch(/robot-token|c0ffee/);
	});

	test('too fast is repeated after its time', async () => {
		const robot = await fake();
		robot.fail(busy);
		const record = await sendOne(channel(robot.baseUrl), { attempts: 2 });
		expect(record.attempts.map(({ outcome, code }) => [outcome, code])).toEqual([
			['retry', String(busy)],
			['sent', '0'],
		]);
		expect(robot.messages).toHaveLength(1);
	});

	test('a portal that answers 200 with a page has not taken the message', async () => {
		const portal = createServer((_request, response) => response.end('<html>please log in</html>'));
		await new Promise<void>((resolve) => portal.listen(0, '127.0.0.1', resolve));
		stops.push(() => new Promise((resolve) => portal.close(() => resolve())));
		const record = await sendOne(channel(`http://127.0.0.1:${(portal.address() as AddressInfo).port}`), { until: 'queued' });
		expect(record.attempts[0]).toMatchObject({ outcome: 'retry', code: 'no-code' });
	});
});

test('DingTalk calls the numbers out that it must, and stays within its size', async () => {
	const robot = await startFakeDingtalk({ token: SECRETS.TOKEN, secret: SECRETS.SECRET, now: clock.now });
	stops.push(robot.stop);
	await sendOne(
		`dingtalk_configs: [{ base_url: '${robot.baseUrl}', access_token: { env: TOKEN }, secret: { env: SECRET }, at_mobiles: ['13800000000'] }]`,
		{ summary: '很长的说明。'.repeat(5000) },
	);
	expect(robot.messages[0]?.at).toEqual(['13800000000']);
	expect(Buffer.byteLength(robot.messages[0]?.text ?? '')).toBeLessThanOrEqual(5000);
});

describe('a way out of its own', () => {
	test('a channel with a proxy goes through it, and another one does not', async () => {
		const robot = await startFakeFeishu({ token: SECRETS.TOKEN, secret: SECRETS.SECRET, now: clock.now });
		stops.push(robot.stop);
		const passed: string[] = [];
		const proxy = createServer((incoming, outgoing) => {
			passed.push(incoming.url ?? '');
			const onward = httpRequest(incoming.url ?? '', { method: incoming.method, headers: incoming.headers }, (answer) => {
				outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
				answer.pipe(outgoing);
			});
			incoming.pipe(onward);
		});
		await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
		stops.push(() => new Promise((resolve) => proxy.close(() => resolve())));
		stops.push(async () => proxy.closeAllConnections());
		const own = `http_config: { proxy_url: 'http://127.0.0.1:${(proxy.address() as AddressInfo).port}' }`;
		const entry = (more: string) => `{ base_url: '${robot.baseUrl}', hook: { env: TOKEN }, secret: { env: SECRET } ${more} }`;
		await sendOne(`feishu_configs: [${entry(`, ${own}`)}, ${entry('')}]`);
		await waitFor('both', () => robot.messages.length === 2);
		expect(passed).toEqual([`${robot.baseUrl}/open-apis/bot/v2/hook/${SECRETS.TOKEN}`]);
	});

	test('a CA that cannot be read is told at the start', async () => {
		const channel = `feishu_configs: [{ hook: { env: TOKEN }, http_config: { tls_config: { ca_file: '${folder.path}/none.pem' } } }]`;
		await expect(sendOne(channel)).rejects.toMatchObject({ code: 'FN_ALERTS_CA_UNREADABLE' });
	});
});

describe('mail', () => {
	let smtp: FakeSmtp;
	beforeEach(async () => {
		smtp = await startFakeSmtp({ user: 'fournines', password: SECRETS.PASSWORD, recipients: ['oncall@example.cn', 'lead@example.cn'] });
		stops.push(smtp.stop);
	});
	const channel = (more = '') =>
		`email_configs: [{ smarthost: '${smtp.smarthost}', from: 'fournines@example.cn', to: 'oncall@example.cn, lead@example.cn', auth_username: fournines, auth_password: { env: PASSWORD }, require_tls: false ${more} }]`;

	test('reaches everybody it names, in their language', async () => {
		const record = await sendOne(channel());
		expect(record.attempts).toMatchObject([{ outcome: 'sent', code: '250' }]);
		const [mail] = smtp.mails;
		expect(mail).toMatchObject({ from: 'fournines@example.cn', to: ['oncall@example.cn', 'lead@example.cn'] });
		const [head = '', body = ''] = (mail?.data ?? '').split('\r\n\r\n');
		expect(head).toContain(`Message-ID: <${record.id}@fournines>`);
		expect(head).toContain('Auto-Submitted: auto-generated');
		expect(Buffer.from(body, 'base64').toString('utf8')).toContain('数据库 db-1 无法连接');
	});

	test('a wrong password is final and shows none', async () => {
		const record = await sendOne(channel().replace('env: PASSWORD', 'env: WRONG'));
		expect(record).toMatchObject({ state: 'refused', attempts: [{ outcome: 'refused', code: '535' }] });
		expect(JSON.stringify(record)).not.toContain('mail-password');
	});

	test('a server that is busy is asked again', async () => {
		smtp.fail('451 4.3.0 try later');
		const record = await sendOne(channel(), { attempts: 2 });
		expect(record.attempts.map(({ outcome, code }) => [outcome, code])).toEqual([
			['retry', '451'],
			['sent', '250'],
		]);
	});

	test('taken without a word is repeated under the same Message-ID and marked', async () => {
		smtp.fail('drop');
		const record = await sendOne(channel(), { attempts: 2 });
		expect(record.attempts[1]).toMatchObject({ outcome: 'sent', possibleDuplicate: true });
		const ids = smtp.mails.map(({ data }) => /Message-ID: (.*)/i.exec(data)?.[1]);
		expect(ids).toHaveLength(2);
		expect(ids[0]).toBe(ids[1]);
	});

	test('nobody there is final, one missing of two is told as such', async () => {
		const record = await sendOne(channel().replace('lead@', 'gone@'));
		expect(record).toMatchObject({ state: 'refused', attempts: [{ code: 'partly', reason: expect.stringContaining('gone@example.cn') }] });
		expect(smtp.mails).toHaveLength(1);
	});

	test('a server without TLS gets nothing unless that is allowed', async () => {
		const record = await sendOne(channel().replace('require_tls: false', 'require_tls: true'), { until: 'queued' });
		expect(record.attempts[0]?.outcome).not.toBe('sent');
		expect(smtp.mails).toEqual([]);
	});
});
