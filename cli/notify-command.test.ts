import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeGroupRobot, startFakeDingtalk } from '../tests/harness/fake-group-robots.ts';
import { type TemporaryFolder, temporaryFolder } from '../tests/harness/process.ts';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
let folder: TemporaryFolder;
let robot: FakeGroupRobot;
let file = '';

beforeEach(async () => {
	folder = temporaryFolder('notify-command');
	robot = await startFakeDingtalk({ token: 'robot-token', secret: 'robot-secret' });
	file = join(folder.path, 'collector.yml');
	writeFileSync(
		file,
		`alerts:
  route: { receiver: oncall }
  receivers:
    - name: oncall
      dingtalk_configs: [{ base_url: '${robot.baseUrl}', access_token: { env: TOKEN }, secret: { env: SECRET } }]
      email_configs: [{ smarthost: '127.0.0.1:1', from: a@example.cn, to: b@example.cn, send_resolved: false }]
    - { name: nobody }
`,
	);
});

afterEach(async () => {
	await robot.stop();
	folder.remove();
});

function notify(...args: readonly string[]): Promise<{ code: number | null; output: string }> {
	return new Promise((resolve) => {
		const child = spawn(process.execPath, [main, 'notify', ...args], {
			env: { ...process.env, TOKEN: 'robot-token', SECRET: 'robot-secret' },
		});
		let output = '';
		for (const stream of [child.stdout, child.stderr]) {
			stream.on('data', (chunk: Buffer) => {
				output += chunk.toString('utf8');
			});
		}
		child.on('close', (code) => resolve({ code, output }));
	});
}

test('preview shows every text, reads no secret and sends nothing', async () => {
	const { code, output } = await notify('preview', '--config', file);
	expect(code).toBe(0);
	for (const part of [
		'== oncall/dingtalk/0, firing',
		'== oncall/dingtalk/0, resolved',
		'== oncall/email/0, firing',
		'测试消息',
		'持续 5分12秒',
	]) {
		expect(output).toContain(part);
	}
	expect(output).not.toContain('== oncall/email/0, resolved');
	expect(robot.answers).toEqual([]);
});

test('preview shows the other language, and what a person gets when two incidents share a message', async () => {
	const channel = `sms_gateway: { url: 'http://127.0.0.1:1', form: { c: '{content}' } }`;
	writeFileSync(file, `alerts: { channels: [{ name: sms, ${channel} }] }`);
	const chinese = await notify('preview', '--config', file);
	expect(chinese.output).toMatch(/two incidents in one[\s\S]*A7 测试消息.*A8 测试消息.*回复编号认领/);
	writeFileSync(file, `alerts: { channels: [{ name: sms, ${channel.replace('url', 'language: zh-CN, url')} }] }`);
	const english = await notify('preview', '--config', file, '--language', 'en');
	expect(english.output).toMatch(/A7 test message.*A8 test message/);
	expect(english.output).not.toMatch(/告警|恢复/);
});

test('test sends one message through each channel and prints its answer', async () => {
	const { code, output } = await notify('test', '--config', file, '--receiver', 'oncall');
	expect(code).toBe(1);
	expect(output).toContain('oncall/dingtalk/0: taken (0)');
	expect(output).toMatch(/oncall\/email\/0: not now .*ECONNREFUSED/);
	expect(robot.messages).toHaveLength(1);
	expect(output).not.toMatch(/robot-token|robot-secret/);
});

test('a secret that is missing elsewhere does not stand in the way', async () => {
	const text = readFileSync(file, 'utf8').replace('{ name: nobody }', '{ name: nobody, feishu_configs: [{ hook: { env: NOT_SET } }] }');
	writeFileSync(file, `${text}  channels: [{ name: call, feishu: { hook: { env: NOT_SET } } }]\n`);
	const { output } = await notify('test', '--config', file, '--receiver', 'oncall');
	expect(output).toContain('oncall/dingtalk/0: taken (0)');
	expect((await notify('test', '--config', file, '--receiver', 'nobody')).output).toContain('NOT_SET');
});

test.each([
	{ args: ['test'], wanted: '--config is missing' },
	{ args: ['preview', '--config', 'FILE', '--language', 'fr'], wanted: 'write zh-CN or en' },
	{ args: ['test', '--config', 'FILE'], wanted: 'so say to whom' },
	{ args: ['test', '--config', 'FILE', '--channel', 'x', '--to', '1'], wanted: 'there is no channel "x"; there is none' },
	{ args: ['test', '--config', 'FILE', '--receiver', 'x'], wanted: 'known are: oncall, nobody' },
	{ args: ['test', '--config', 'FILE', '--receiver', 'onccall'], wanted: 'did you mean "oncall"?' },
	{ args: ['preview', '--config', 'FILE', '--severity', 'kritical'], wanted: 'write critical, warning, info' },
	{ args: ['preview', '--config', 'FILE', '--receiver', 'nobody'], wanted: 'nobody is told' },
])('$args', async ({ args, wanted }) => {
	const { code, output } = await notify(...args.map((arg) => (arg === 'FILE' ? file : arg)));
	expect(code).not.toBe(0);
	expect(output).toContain(wanted);
});
