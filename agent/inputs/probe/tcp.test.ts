import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../../tests/harness/process.ts';
import { probe, reasonOf, Servers } from './probe.fixture.ts';

const servers = new Servers();
afterEach(() => servers.close());

test('open, closed and hung', async () => {
	const port = await servers.tcp((socket) => socket.end());
	expect(await probe({ kind: 'tcp', target: `127.0.0.1:${port}` })).toMatchObject({
		probe_success: 1,
		probe_failed_due_to_regex: 0,
		probe_ip_protocol: 4,
	});
	expect(reasonOf(await probe({ kind: 'tcp', target: `127.0.0.1:${await freePort()}` }))).toBe('connect_refused');
	const silent = await servers.tcp(() => {});
	const banner = { kind: 'tcp', target: `127.0.0.1:${silent}`, timeout: '150ms', dialogue: [{ expect: '^SSH' }] };
	expect(reasonOf(await probe(banner))).toBe('timeout');
});

test('a socket in the file system', async () => {
	const folder = mkdtempSync(join(tmpdir(), 'fournines-probe-'));
	const path = join(folder, 's');
	const server = createServer((socket) => socket.end('READY\n'));
	await new Promise<void>((resolve) => server.listen(path, resolve));
	try {
		expect(reasonOf(await probe({ kind: 'tcp', target: path, dialogue: [{ expect: 'READY' }] }))).toBeNull();
		expect(reasonOf(await probe({ kind: 'tcp', target: join(folder, 'none') }))).toBe('connect_failed');
	} finally {
		await new Promise((resolve) => server.close(resolve));
		rmSync(folder, { recursive: true, force: true });
	}
});

/** A mail server that greets and says what it knows. */
const mail = () =>
	servers.tcp((socket) => {
		socket.write('220 mail.test ESM');
		setTimeout(() => socket.write('TP ready\r\n'), 10);
		socket.on('data', (bytes) => {
			if (bytes.toString() === 'EHLO prober\r\n') socket.write('250-mail.test\r\n250-STARTTLS\r\n250 OK\r\n');
			else socket.end('502 what\r\n');
		});
	});

test.each([
	{ name: 'banner', dialogue: [{ expect: '^220 ([^ ]+) ESMTP' }], reason: null },
	{ name: 'a whole turn', dialogue: [{ expect: '^220 ' }, { send: 'EHLO prober' }, { expect: '^250[- ]STARTTLS' }], reason: null },
	{
		name: 'sent and expected in one step are two things in order',
		dialogue: [{ expect: '^220', send: 'EHLO prober' }, { expect: '^250 OK' }],
		reason: null,
	},
	{ name: 'another answer', dialogue: [{ expect: '^220', send: 'NOOP' }, { expect: '^250' }], reason: 'text' },
	{ name: 'a pattern that RE2 refuses', dialogue: [{ expect: '(?<=a)b' }], reason: 'config' },
])('dialogue: $name', async ({ dialogue, reason }) => {
	const found = await probe({ kind: 'tcp', target: `127.0.0.1:${await mail()}`, dialogue });
	expect(reasonOf(found)).toBe(reason);
	expect(found['probe_failed_due_to_regex']).toBe(reason === 'text' ? 1 : 0);
});

test('a server that never stops talking', async () => {
	const port = await servers.tcp((socket) => {
		const more = () => {
			while (!socket.destroyed && socket.write(Buffer.alloc(64 * 1024, 'x')));
		};
		socket.on('drain', more);
		more();
	});
	expect(reasonOf(await probe({ kind: 'tcp', target: `127.0.0.1:${port}`, dialogue: [{ expect: 'y' }] }))).toBe('size');
});
