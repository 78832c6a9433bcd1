import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { httpExchange } from '../core/http-client.ts';
import { silentLogger } from '../core/log.ts';
import { noTracing } from '../core/tracing.ts';
import { freePort, startProcess, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import { startTracing } from './tracing.ts';

test('nobody asks: nothing is loaded', async () => {
	expect(await startTracing({}, { version: '1', log: silentLogger })).toBe(noTracing);
	expect(
		await startTracing(
			{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1', OTEL_SDK_DISABLED: 'true' },
			{ version: '1', log: silentLogger },
		),
	).toBe(noTracing);
});

test('the environment asks: spans of ingest arrive at the receiver', async () => {
	const received: string[] = [];
	const receiver = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			received.push(`${request.url} ${Buffer.concat(chunks).toString('latin1')}`);
			response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
		});
	});
	const port = await freePort();
	await new Promise<void>((done) => receiver.listen(port, '127.0.0.1', done));
	const folder = temporaryFolder('tracing');
	const listen = await freePort();
	const root = resolve(import.meta.dirname, '..');
	const collector = startProcess(
		process.execPath,
		[join(root, 'cli/main.ts'), 'collector', '--data', folder.path, '--listen', `127.0.0.1:${listen}`],
		{
			env: {
				OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
				OTEL_BSP_SCHEDULE_DELAY: '200',
				OTEL_SERVICE_NAME: 'traced-collector',
			},
		},
	);
	try {
		await waitFor(
			'the collector',
			async () => (await httpExchange(`http://127.0.0.1:${listen}/-/ready`, { timeoutMs: 30_000 })).status === 200,
		);
		const token = readFileSync(join(folder.path, 'keys/local-agent.token'), 'utf8').trim();
		const answer = await httpExchange(`http://127.0.0.1:${listen}/api/v1/write`, {
			method: 'POST',
			timeoutMs: 30_000,
			headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' },
			body: Buffer.from([0]),
		});
		expect(answer.status).toBeLessThan(300);
		const trace = await waitFor('a trace', () => received.find((text) => text.startsWith('/v1/traces') && text.includes('ingest')));
		expect(trace).toContain('traced-collector');
		expect(trace).not.toContain(token);
	} finally {
		await collector.stop();
		receiver.close();
		folder.remove();
	}
});
