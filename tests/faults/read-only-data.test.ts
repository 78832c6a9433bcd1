import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type CollectorProcess, startCollectorProcess } from '../harness/collector.ts';
import { freePort, runCommand, temporaryFolder, waitFor } from '../harness/process.ts';

function canMount(): boolean {
	const folder = temporaryFolder('mount');
	const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', folder.path]).status === 0;
	if (mounted) runCommand('umount', [folder.path]);
	folder.remove();
	return mounted;
}

describe.skipIf(!canMount())('a data folder that has become read-only', () => {
	test('can be read, goes on alerting, takes nothing that it could lose, and leaves no copy behind', async () => {
		const folder = temporaryFolder('read-only');
		const dataDir = join(folder.path, 'data');
		/** Where it makes a copy of what it has to write. */
		const copies = join(folder.path, 'tmp');
		runCommand('mkdir', [dataDir, copies]);
		runCommand('mount', ['-t', 'tmpfs', '-o', 'size=200m', 'tmpfs', dataDir]);
		const messages: string[] = [];
		const receiver = await listen((text) => messages.push(text));
		const configFile = join(folder.path, 'collector.yml');
		const rules = join(folder.path, 'rules.yml');
		writeFileSync(rules, 'groups: [{ name: g, interval: 1s, rules: [{ alert: Hot, expr: heat > 1, labels: { severity: critical } }] }]\n');
		writeFileSync(
			configFile,
			`rules: { files: ['${rules}'] }
alerts:
  route: { receiver: hook, group_wait: 0s }
  receivers: [{ name: hook, webhook_configs: [{ url: 'http://127.0.0.1:${(receiver.address() as AddressInfo).port}/' }] }]
`,
		);
		const port = await freePort();
		let collector: CollectorProcess | null = null;
		const push = (heat: number) => post(`http://127.0.0.1:${port}/api/v1/import/prometheus`, `heat ${heat}\n`, token);
		let token = '';
		try {
			collector = await startCollectorProcess({ dataDir, port, configFile, env: { TMPDIR: copies } });
			token = runCommand('cat', [collector.pushTokenFile]).trim();
			expect(await push(0)).toMatchObject({ status: 204 });
			await collector.stop();
			runCommand('mount', ['-o', 'remount,ro', dataDir]);

			await collector.start();
			expect(await collector.get('/-/ready')).toContain('read-only');
			expect(await collector.query('count_over_time(heat[1h])')).toMatchObject([{ value: [expect.anything(), '1'] }]);
			// Refused, and yet it is what the rules see.
			expect(await push(5)).toMatchObject({ status: 503, text: expect.stringContaining('read-only') });
			await waitFor('the message', () => messages.some((text) => text.includes('Hot')));
			await waitFor('its own metric', async () => {
				const [row] = (await collector?.query('fournines_collector_state_volatile')) ?? [];
				return row?.value[1] === '1';
			});
			const now = Date.now();
			const empty = { actor: '', action: '', object: '', result: 'unknown', srcAddr: '', srcMac: '', module: '', fields: {} };
			const record = {
				...{ v: 1, stream: 'h/f', seq: 0, eventTimeMs: now, receiveTimeMs: now, ...empty },
				...{ host: 'h', system: 's', source: 'f', kind: 'line', severity: 'info', raw: 'x' },
			};
			const logs = await post(
				`http://127.0.0.1:${port}/api/fournines/v1/logs`,
				JSON.stringify({ stream: 'h/f', firstSeq: 0, records: [record] }),
				token,
				'application/json',
			);
			expect(logs).toMatchObject({ status: 507, text: expect.stringContaining('FN_AUDIT_WRITE') });
			expect(await collector.stop()).toBe(0);
			expect(readdirSync(copies)).toEqual([]);

			runCommand('mount', ['-o', 'remount,rw', dataDir]);
			await collector.start();
			expect(await collector.get('/-/ready')).not.toContain('read-only');
			expect(await push(1)).toMatchObject({ status: 204 });
		} finally {
			await collector?.stop();
			receiver.close();
			receiver.closeAllConnections();
			runCommand('umount', [dataDir]);
			folder.remove();
		}
	});

	test('that holds nothing yet is refused with the way out', async () => {
		const folder = temporaryFolder('read-only');
		runCommand('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', folder.path]);
		try {
			await expect(startCollectorProcess({ dataDir: folder.path, port: await freePort() })).rejects.toThrow(
				/the data folder .* cannot be written \(EROFS\); correct its rights, or name another with --data/,
			);
			expect(existsSync(join(folder.path, 'state'))).toBe(false);
		} finally {
			runCommand('umount', [folder.path]);
			folder.remove();
		}
	});
});

function listen(onMessage: (text: string) => void): Promise<Server> {
	return new Promise((resolve) => {
		const server = createServer((request, response) => {
			let text = '';
			request.on('data', (chunk: Buffer) => {
				text += chunk.toString('utf8');
			});
			request.on('end', () => {
				onMessage(text);
				response.writeHead(200).end();
			});
		});
		server.listen(0, '127.0.0.1', () => resolve(server));
	});
}

async function post(url: string, body: string, token: string, type = 'text/plain'): Promise<{ status: number; text: string }> {
	const response = await fetch(url, { method: 'POST', body, headers: { authorization: `Bearer ${token}`, 'content-type': type } });
	return { status: response.status, text: await response.text() };
}
