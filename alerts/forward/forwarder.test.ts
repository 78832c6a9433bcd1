import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { httpExchange } from '../../core/http-client.ts';
import { postedAlert, type RunningAlerting, startAlerting } from '../../tests/harness/alerting.ts';
import { type FakeServer, startFakeServer } from '../../tests/harness/fake-server.ts';
import {
	findCommand,
	freePort,
	type RunningProcess,
	startProcess,
	type TemporaryFolder,
	temporaryFolder,
	waitFor,
} from '../../tests/harness/process.ts';

let folder: TemporaryFolder;
let running: RunningAlerting | null = null;

beforeEach(() => {
	folder = temporaryFolder('forward');
});

afterEach(async () => {
	await running?.stop();
	running = null;
	folder.remove();
});

async function start(url: string, more = ''): Promise<void> {
	running = await startAlerting({
		folder: folder.path,
		clock: systemClock,
		secrets: { AUTH: 'Bearer the-token' },
		config: `forward: [{ url: '${url}', interval: 300ms, authorization: { env: AUTH } ${more} }]`,
	});
}

const fire = (alertname: string, endsAtMs: number | null = null) =>
	running?.alerting.receive([postedAlert({ alertname, severity: 'warning' }, { startsAtMs: Date.now() - 60_000, endsAtMs })]);

describe('to a server that may be away', () => {
	let server: FakeServer;
	let status = 200;
	const posts: { readonly names: readonly string[]; readonly over: readonly string[]; readonly auth: string }[] = [];

	beforeEach(async () => {
		status = 200;
		posts.length = 0;
		server = await startFakeServer({
			handle: (request, exchange) => {
				const alerts = JSON.parse(request.body.toString('utf8')) as { labels: { alertname: string }; endsAt: string }[];
				const name = (alert: { labels: { alertname: string } }) => alert.labels.alertname;
				if (status === 200)
					posts.push({
						names: alerts.map(name),
						over: alerts.filter(({ endsAt }) => Date.parse(endsAt) <= Date.now()).map(name),
						auth: request.headers['authorization'] ?? '',
					});
				exchange.answer(status, '');
			},
		});
	});
	afterEach(() => server.stop());

	test('what fires is repeated, and its end is told once it could be', async () => {
		await start(server.baseUrl);
		await fire('A');
		await waitFor('two posts', () => posts.filter(({ names }) => names.includes('A')).length >= 2);
		expect(posts[0]?.auth).toBe('Bearer the-token');
		status = 503;
		await fire('A', Date.now() - 1);
		await waitFor('a failure', async () =>
			(await running?.metrics.metrics())?.includes('fournines_alerts_forwarded_total{outcome="failed"}'),
		);
		status = 200;
		await waitFor('the end', () => posts.some(({ over }) => over.includes('A')));
	});

	test('only what matches', async () => {
		await start(server.baseUrl, `, matchers: ['alertname="B"']`);
		await fire('A');
		await fire('B');
		await waitFor('the post', () => posts.some(({ names }) => names.includes('B')));
		expect(posts.flatMap(({ names }) => names)).not.toContain('A');
	});
});

const command = findCommand('prometheus-alertmanager');

describe.skipIf(command === null)('to a real Alertmanager', () => {
	test('it shows what fires here, and learns that it is over', async () => {
		const port = await freePort();
		const file = join(folder.path, 'alertmanager.yml');
		writeFileSync(file, 'route: { receiver: none }\nreceivers: [{ name: none }]\n');
		const alertmanager: RunningProcess = startProcess(command ?? '', [
			`--config.file=${file}`,
			`--storage.path=${join(folder.path, 'am')}`,
			`--web.listen-address=127.0.0.1:${port}`,
			'--cluster.listen-address=',
		]);
		try {
			const url = `http://127.0.0.1:${port}`;
			await waitFor('alertmanager', async () => (await httpExchange(`${url}/-/ready`, { timeoutMs: 5000 })).status === 200);
			await start(url);
			const names = async () => {
				const { body } = await httpExchange(`${url}/api/v2/alerts`, { timeoutMs: 30_000 });
				return (JSON.parse(body.toString('utf8')) as { labels: { alertname: string } }[]).map(({ labels }) => labels.alertname);
			};
			await fire('MysqlDown');
			await waitFor('the alert over there', async () => (await names()).includes('MysqlDown'));
			await fire('MysqlDown', Date.now() - 1);
			await waitFor('its end over there', async () => !(await names()).includes('MysqlDown'));
		} finally {
			await alertmanager.stop();
		}
	});
});
