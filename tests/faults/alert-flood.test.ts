import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { httpExchange } from '../../core/http-client.ts';
import { type CollectorProcess, startCollectorProcess } from '../harness/collector.ts';
import { type FakeWechatRobot, startFakeWechatRobot } from '../harness/fake-wechat-robot.ts';
import { freePort, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';

const COUNT = 10_000;
const PER_POST = 500;

let folder: TemporaryFolder;
let robot: FakeWechatRobot;
let collector: CollectorProcess;

beforeEach(async () => {
	folder = temporaryFolder('alert-flood');
	robot = await startFakeWechatRobot({ key: 'flood-key' });
	mkdirSync(join(folder.path, 'data'));
	const configFile = join(folder.path, 'collector.yml');
	writeFileSync(join(folder.path, 'robot.key'), 'flood-key');
	writeFileSync(
		configFile,
		`rules: { files: [] }
alerts:
  route: { receiver: r, group_by: [alertname, instance], group_wait: 0s, group_interval: 10s }
  receivers: [{ name: r, wechat_robot_configs: [{ base_url: '${robot.baseUrl}', key: { file: ${join(folder.path, 'robot.key')} } }] }]
`,
	);
	collector = await startCollectorProcess({ dataDir: join(folder.path, 'data'), port: await freePort(), configFile });
});

afterEach(async () => {
	await collector.stop();
	await robot.stop();
	folder.remove();
});

const rssMegabytes = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${collector.pid()}/status`, 'utf8'))?.[1] ?? 0) / 1024;

test('ten thousand alerts at once: the worst is told first, messages and memory are bounded, and the API answers', async () => {
	const authorization = `Bearer ${readFileSync(join(folder.path, 'data/keys/local-alert.token'), 'utf8').trim()}`;
	const before = rssMegabytes();
	const startsAt = new Date().toISOString();
	const posts = Array.from({ length: COUNT / PER_POST }, (_, part) =>
		JSON.stringify(
			Array.from({ length: PER_POST }, (_unused, i) => {
				const number = part * PER_POST + i;
				// The only critical one is in the middle, where neither the first nor the last is it.
				const severity = number === COUNT / 2 ? 'critical' : 'warning';
				return {
					labels: { alertname: `Flood${number % 50}`, instance: `app-${number}:8080`, severity, team: 'ops' },
					annotations: {
						summary: severity === 'critical' ? '核心数据库停了' : `app-${number} 变慢`,
						description: '最近 5 分钟变慢。'.repeat(5),
					},
					startsAt,
				};
			}),
		),
	);
	const answers = await Promise.all(
		posts.map((body) =>
			httpExchange(`${collector.url}/api/v2/alerts`, {
				method: 'POST',
				headers: { 'content-type': 'application/json', authorization },
				body,
				timeoutMs: 60_000,
			}),
		),
	);
	expect(answers.map(({ status }) => status)).toEqual(posts.map(() => 200));
	// While they are dispatched, the rest of the product answers.
	expect(await collector.get('/api/v1/query?query=1')).toContain('success');
	const alerts = JSON.parse(await collector.get('/api/v2/alerts')) as readonly unknown[];
	expect(alerts).toHaveLength(COUNT);
	await waitFor('the worst one', () => robot.messages.some(({ content }) => content.includes('核心数据库停了')));
	// Warnings that were posted before it may have had their turn; nothing of the flood after it goes first.
	const worst = robot.messages.findIndex(({ content }) => content.includes('核心数据库停了'));
	expect(worst).toBeLessThan(20);
	await waitFor('a digest of the rest', () => robot.messages.some(({ content }) => /[0-9]{4} 条告警|合并/.test(content)));
	expect(robot.answers.filter((code) => code !== 0)).toEqual([]);
	expect(rssMegabytes() - before).toBeLessThan(400);
});
