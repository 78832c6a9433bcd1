import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { httpExchange } from '../../core/http-client.ts';
import type { NotificationListAnswer } from '../../protocol/api.ts';
import { type CollectorProcess, startCollectorProcess } from '../harness/collector.ts';
import { type FakeWebhook, startFakeWebhook } from '../harness/fake-webhook.ts';
import { freePort, type TemporaryFolder, temporaryFolder, waitFor } from '../harness/process.ts';

/** The slots of these rules are an hour apart: what is told within a minute comes from samples that arrived. */
const RULES = `groups:
  - name: arrivals
    interval: 1h
    rules:
      - { alert: DiskFull, expr: disk_used_ratio > 0.9, labels: { severity: critical } }
      - { record: 'host:errors:ratio', expr: 'sum by (instance) (errors_total) / sum by (instance) (requests_total)' }
      - { alert: ErrorsHigh, expr: 'host:errors:ratio > 0.5' }
      - { alert: BusyForLong, expr: load > 8, for: 3s }
      - { alert: BusyBriefly, expr: 'load > 8', keep_firing_for: 2s }
`;

const WAIT = { timeoutMs: 60_000 };

let folder: TemporaryFolder;
let hook: FakeWebhook;
let collector: CollectorProcess;
let token: string;

beforeAll(async () => {
	folder = temporaryFolder('on-arrival');
	hook = await startFakeWebhook();
	const rulesFile = join(folder.path, 'rules.yml');
	const configFile = join(folder.path, 'collector.yml');
	writeFileSync(rulesFile, RULES);
	writeFileSync(
		configFile,
		`rules: { files: ['${rulesFile}'] }
alerts:
  route: { receiver: hook, group_by: [alertname, instance], group_wait: 0s, group_interval: 1s }
  receivers: [{ name: hook, webhook_configs: [{ url: '${hook.url}' }] }]
`,
	);
	collector = await startCollectorProcess({ dataDir: join(folder.path, 'data'), port: await freePort(), configFile });
	token = readFileSync(collector.pushTokenFile, 'utf8').trim();
});

afterAll(async () => {
	await collector?.stop();
	await hook?.stop();
	folder.remove();
});

/** One request; every line `series value`, measured `ageMs` ago. */
async function push(lines: readonly string[], atMs = Date.now()): Promise<number> {
	const response = await httpExchange(`${collector.url}/api/v1/import/prometheus`, {
		method: 'POST',
		headers: { authorization: `Bearer ${token}`, 'content-type': 'text/plain' },
		body: `${lines.map((line) => `${line} ${atMs}`).join('\n')}\n`,
		timeoutMs: 30_000,
	});
	expect(response.status).toBeLessThan(300);
	return atMs;
}

const told = (name: string, instance: string, status: string) =>
	hook.messages.flatMap(({ atMs, body }) => {
		const alert = body.alerts.find(
			({ labels, status: own }) => labels['alertname'] === name && labels['instance'] === instance && own === status,
		);
		return alert === undefined ? [] : [{ atMs, alert }];
	});

async function heard(name: string, instance: string, status = 'firing') {
	await waitFor(`${name} of ${instance} to be ${status}`, () => told(name, instance, status).length > 0, WAIT);
	return told(name, instance, status)[0] as ReturnType<typeof told>[number];
}

describe('a collector as it runs', () => {
	test('tells of a sample, and of the recovery, without waiting for a slot', async () => {
		await push(['disk_used_ratio{instance="a"} 0.95', 'disk_used_ratio{instance="b"} 0.5']);
		await heard('DiskFull', 'a');
		await push(['disk_used_ratio{instance="a"} 0.5']);
		await heard('DiskFull', 'a', 'resolved');
		expect(told('DiskFull', 'b', 'firing')).toEqual([]);
	});

	test('follows a recorded series to its alert, and never judges half of a measurement', async () => {
		// Each time more errors than half of the requests before, and a tenth of those that come in the second request.
		for (let round = 1; round <= 3; round++) {
			const atMs = await push([`errors_total{instance="c"} ${10 ** round}`]);
			await new Promise((resolve) => setTimeout(resolve, 100));
			await push([`requests_total{instance="c"} ${10 ** (round + 1)}`], atMs);
			await waitFor(
				'the ratio to be recorded',
				async () =>
					(await collector.query(`host:errors:ratio{instance="c"} == 0.1 and timestamp(host:errors:ratio) >= ${atMs / 1000}`)).length > 0,
				WAIT,
			);
			await new Promise((resolve) => setTimeout(resolve, 1100));
		}
		expect(told('ErrorsHigh', 'c', 'firing')).toEqual([]);
		const atMs = await push(['errors_total{instance="c"} 9e9']);
		await push(['requests_total{instance="c"} 1e10'], atMs);
		await heard('ErrorsHigh', 'c');
	}, 240_000);

	test('counts `for` from the sample, and ends it and `keep_firing_for` on time', async () => {
		const atMs = await push(['load{instance="d"} 9']);
		await heard('BusyBriefly', 'd');
		const { atMs: toldMs, alert } = await heard('BusyForLong', 'd');
		expect(toldMs - atMs).toBeGreaterThanOrEqual(3000);
		expect(Date.parse(alert.startsAt) - atMs).toBeGreaterThanOrEqual(3000);
		const clearedMs = await push(['load{instance="d"} 1']);
		await heard('BusyForLong', 'd', 'resolved');
		const over = await heard('BusyBriefly', 'd', 'resolved');
		expect(over.atMs - clearedMs).toBeGreaterThanOrEqual(2000);
	}, 240_000);

	test('fires nothing for the past when a spool is emptied', async () => {
		const nowMs = Date.now();
		for (let ageMs = 240_000; ageMs > 40_000; ageMs -= 20_000) await push(['disk_used_ratio{instance="e"} 0.99'], nowMs - ageMs);
		await push(['disk_used_ratio{instance="f"} 0.99']);
		await heard('DiskFull', 'f');
		expect(told('DiskFull', 'e', 'firing')).toEqual([]);
		await push(['disk_used_ratio{instance="e"} 0.98']);
		await heard('DiskFull', 'e');
	});

	test('goes on after a restart with what fired before', async () => {
		await push(['disk_used_ratio{instance="g"} 0.97']);
		await heard('DiskFull', 'g');
		// Killed before it knows that the message was taken, it would send it again, marked.
		await waitFor('the message to be on record as sent', async () => {
			const { notifications } = JSON.parse(await collector.get('/api/fournines/v1/notifications?limit=50')) as NotificationListAnswer;
			return notifications.every(({ state }) => state === 'sent');
		});
		await collector.kill();
		await collector.start();
		const atMs = await push(['disk_used_ratio{instance="g"} 0.97']);
		const seen = `timestamp(ALERTS{alertname="DiskFull", instance="g", alertstate="firing"}) >= ${atMs / 1000}`;
		await waitFor('the alert to be seen again', async () => (await collector.query(seen)).length > 0, WAIT);
		await push(['disk_used_ratio{instance="g"} 0.2']);
		await heard('DiskFull', 'g', 'resolved');
		expect(told('DiskFull', 'g', 'firing')).toHaveLength(1);
	}, 240_000);
});
