import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compressSync } from 'snappy';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpExchange } from '../../core/http-client.ts';
import { encodeRemoteWriteV1 } from '../../protocol/remote-write/encode-v1.ts';
import { type CollectorProcess, startCollectorProcess } from '../harness/collector.ts';
import { freePort, type TemporaryFolder, temporaryFolder } from '../harness/process.ts';

/**
 * The requests behind commands of newer promtools than the installed one: `push metrics`, `check healthy`, `check ready`
 * (prometheus/prometheus, cmd/promtool). It has no option for tokens: they come as password of the address.
 */
let folder: TemporaryFolder;
let collector: CollectorProcess;

beforeAll(async () => {
	folder = temporaryFolder('promtool-requests');
	collector = await startCollectorProcess({ dataDir: join(folder.path, 'data'), port: await freePort() });
});

afterAll(async () => {
	await collector.stop();
	folder.remove();
});

const basic = (token: string) => `Basic ${Buffer.from(`promtool:${token}`).toString('base64')}`;

test('push metrics', async () => {
	const now = Date.now();
	const push = (headers: Readonly<Record<string, string>>) =>
		httpExchange(`${collector.url}/api/v1/write`, {
			method: 'POST',
			timeoutMs: 10_000,
			headers: {
				'content-encoding': 'snappy',
				'content-type': 'application/x-protobuf',
				'user-agent': 'promtool/3.5.0',
				'x-prometheus-remote-write-version': '0.1.0',
				...headers,
			},
			body: compressSync(
				Buffer.from(
					encodeRemoteWriteV1([
						{
							labels: ['__name__', 'pushed_total', 'job', 'promtool'],
							type: 'counter',
							help: 'Pushed.',
							samples: [{ timestampMs: now, value: 42 }],
						},
					]),
				),
			),
		});
	expect((await push({})).status).toBe(401);
	const { status } = await push({ authorization: basic(readFileSync(collector.pushTokenFile, 'utf8').trim()) });
	expect(status).toBeGreaterThanOrEqual(200);
	expect(status).toBeLessThan(300);
	expect(await collector.query('pushed_total{job="promtool"}')).toMatchObject([{ value: [expect.any(Number), '42'] }]);
	const metadata = JSON.parse(await collector.get('/api/v1/metadata?metric=pushed_total')) as { data: object };
	expect(metadata.data).toMatchObject({ pushed_total: [{ type: 'counter', help: 'Pushed.' }] });
});

test.each(['/-/healthy', '/-/ready'])('check %s', async (path) => {
	for (const headers of [{}, { authorization: basic('whatever') }]) {
		expect((await httpExchange(collector.url + path, { timeoutMs: 30_000, headers })).status).toBe(200);
	}
});
