import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { uncompress } from 'snappyjs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decodeWriteV2 } from '../protocol/remote-write/decode-v2.ts';
import { WriteColumns } from '../protocol/remote-write/write-columns.ts';
import { buildAgent } from '../scripts/build-agent.ts';
import { freePort, type RunningProcess, startProcess, type TemporaryFolder, temporaryFolder, waitFor } from '../tests/harness/process.ts';
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from './node-flags.ts';

let folder: TemporaryFolder;
let bundle: string;
let receiver: Server;
let receiverUrl: string;
/** Times of all samples that were received, per request. */
let received: number[][];
let refuse: number | null;
const running: RunningProcess[] = [];

beforeAll(async () => {
	folder = temporaryFolder('agent');
	bundle = await buildAgent({ outFile: join(folder.path, 'agent.cjs') });
	receiver = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			if (refuse !== null) {
				response.writeHead(refuse).end();
				return;
			}
			const columns = new WriteColumns();
			decodeWriteV2(new Uint8Array(uncompress(Buffer.concat(chunks))), columns);
			received.push(Array.from(columns.timestamps.subarray(0, columns.sampleCount)));
			response.writeHead(204, { 'x-prometheus-remote-write-samples-written': String(columns.sampleCount) }).end();
		});
	});
	await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
	const address = receiver.address();
	receiverUrl = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
	received = [];
	refuse = null;
});
afterEach(async () => {
	for (const child of running.splice(0)) await child.stop();
	received = [];
	refuse = null;
});
afterAll(async () => {
	receiver?.closeAllConnections();
	await new Promise((resolve) => receiver.close(resolve));
	folder?.remove();
});

let count = 0;
async function configure(more: string): Promise<{ file: string; data: string; url: string }> {
	const base = join(folder.path, String(count++));
	mkdirSync(base);
	const port = await freePort();
	const file = join(base, 'agent.yml');
	writeFileSync(file, `listen: 127.0.0.1:${port}\nhost: { name: app-1, system: portal }\ninterval: 200ms\n${more}`);
	return { file, data: join(base, 'data'), url: `http://127.0.0.1:${port}` };
}

function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningProcess {
	const child = startProcess(process.execPath, [...AGENT_NODE_FLAGS, bundle, ...args], { env: { ...AGENT_ENVIRONMENT, ...env } });
	running.push(child);
	return child;
}

test('the bundle is plain ASCII, which V8 keeps in one byte per character', () => {
	expect(/[\u0080-\uffff]/.test(readFileSync(bundle, 'utf8'))).toBe(false);
});

describe('--once', () => {
	test('prints everything and ends with 0', async () => {
		const { file } = await configure('');
		const child = run(['--once', '--config', file]);
		expect(await child.exited).toBe(0);
		expect(child.output()).toMatch(/^node_load1\{host="app-1",instance="app-1",job="node",system="portal"\} [0-9.]+$/m);
		expect(child.output()).toContain('# TYPE node_cpu_seconds_total counter');
	});

	test('a source that fails ends with 1 and is in the output', async () => {
		const { file } = await configure(`inputs: { nginx: [{ url: "http://127.0.0.1:${await freePort()}/" }] }`);
		const child = run(['--once', '--config', file]);
		expect(await child.exited).toBe(1);
		expect(child.output()).toMatch(/^nginx_up\{.*\} 0$/m);
	});
});

test.each([
	['an unknown argument', ['--colour'], 2, 'unknown argument "--colour"'],
	['a missing file', ['--config', '/nonexistent/agent.yml'], 1, 'the file does not exist'],
])('%s is a clear error', async (_name, args, code, text) => {
	const child = run(args);
	expect(await child.exited).toBe(code);
	expect(child.output()).toContain(text);
});

test('a secret that cannot be read stops the start and is named', async () => {
	const { file, data } = await configure(`collector: { url: "${receiverUrl}", token: { env: FN_TEST_TOKEN } }`);
	const child = run(['--config', file, '--data', data]);
	expect(await child.exited).toBe(1);
	expect(child.output()).toContain('FN_TEST_TOKEN');
});

test('serves, pushes, and stops on SIGTERM with an empty spool', async () => {
	const { file, data, url } = await configure(`collector: { url: "${receiverUrl}", token: { env: FN_TEST_TOKEN } }`);
	const child = run(['--config', file, '--data', data], { FN_TEST_TOKEN: 'very-secret-token' });
	await waitFor('a push', () => received.length > 1);
	const text = await waitFor('the page to say so', async () => {
		const page = await (await fetch(`${url}/metrics`)).text();
		return /^fournines_agent_pushed_samples_total\{.*\} [1-9]/m.test(page) ? page : null;
	});
	expect(text).toMatch(/^fournines_agent_input_up\{.*input="host".*\} 1$/m);
	expect((await fetch(`${url}/-/healthy`)).status).toBe(200);
	expect((await fetch(`${url}/-/ready`)).status).toBe(200);
	expect((await fetch(`${url}/none`)).status).toBe(404);
	expect((await fetch(`${url}/metrics`, { method: 'POST' })).status).toBe(405);
	expect(await child.stop()).toBe(0);
	expect(text + child.output()).not.toContain('very-secret-token');
});

test.each([
	['the bundle', []],
	['fournines agent', [join(import.meta.dirname, '../cli/main.ts'), 'agent']],
])('%s reads the file again on SIGHUP, and a bad one changes nothing', async (_name, command) => {
	const { file, data, url } = await configure('');
	const args = ['--config', file, '--data', data];
	const child = command.length === 0 ? run(args) : startProcess(process.execPath, [...command, ...args]);
	running.push(child);
	await waitFor('the start', () => child.output().includes('the agent is running'));
	writeFileSync(file, readFileSync(file, 'utf8').replace('system: portal', 'system: moved'));
	child.kill('SIGHUP');
	await waitFor('the new label', async () => (await (await fetch(`${url}/metrics`)).text()).includes('system="moved"'));
	writeFileSync(file, 'nonsense: 1\n');
	child.kill('SIGHUP');
	await waitFor('the refusal', () => child.output().includes('the old one stays in force'));
	expect(await (await fetch(`${url}/metrics`)).text()).toContain('system="moved"');
	expect(await child.stop()).toBe(0);
});

test('a kill and a receiver that was away lose nothing that was measured', async () => {
	const { file, data, url } = await configure(`collector: { url: "${receiverUrl}" }\ninputs: { host: { enabled: false } }`);
	refuse = 503;
	const first = run(['--config', file, '--data', data]);
	const pending = () => readFileSync(join(data, 'spool', '0000000000000001.seg')).length;
	await waitFor('a few rounds in the spool', () => pending() > 4000);
	first.kill('SIGKILL');
	await first.exited;
	refuse = null;
	expect(received).toEqual([]);
	const before = Date.now();
	run(['--config', file, '--data', data]);
	await waitFor('the old samples', () => received.flat().some((time) => time < before));
	const text = await waitFor('an empty spool', async () => {
		const page = await (await fetch(`${url}/metrics`)).text();
		return /^fournines_agent_spool_pending_bytes\{.*\} 0$/m.test(page) ? page : null;
	});
	expect(text).not.toMatch(/^fournines_agent_dropped_samples_total\{.*\} [1-9]/m);
});

test('--exit-with-parent stops when standard input closes', async () => {
	const { file, data } = await configure('');
	// `startProcess` gives /dev/null as standard input, which is closed from the beginning.
	const child = run(['--config', file, '--data', data, '--exit-with-parent']);
	expect(await child.exited).toBe(0);
	expect(child.output()).toContain('standard input closed');
});

test('an address in use is a clear error', async () => {
	const { file, data } = await configure('');
	run(['--config', file, '--data', data]);
	const url = /listen: (\S+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
	await waitFor('the first', async () => (await fetch(`http://${url}/-/healthy`)).ok);
	const second = run(['--config', file, '--data', data]);
	expect(await second.exited).toBe(1);
	expect(second.output()).toContain('another program uses it');
});
