import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findCommand, temporaryFolder, waitFor } from '../../../tests/harness/process.ts';
import { probe, reasonOf } from '../probe/probe.fixture.ts';

const folder = temporaryFolder('icmp');
afterAll(() => folder.remove());

/** A command that behaves like ping of iputils. */
function command(name: string, script: string): string {
	const file = join(folder.path, name);
	writeFileSync(file, `#!/bin/sh\n${script}\n`);
	chmodSync(file, 0o755);
	return file;
}

const entry = (path: string, more: object = {}) => ({
	kind: 'icmp',
	target: '127.0.0.1',
	icmp: { allow_child_process: true, command: path },
	...more,
});

test('an echo, with the time that ping printed', async () => {
	const path = command(
		'good',
		`printf "%s\\n" "$*" > ${join(folder.path, 'arguments')}\necho '64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=12.5 ms'`,
	);
	const found = await probe(entry(path));
	expect(found).toMatchObject({ probe_success: 1, 'probe_icmp_duration_seconds{phase="rtt"}': 0.0125, probe_ip_protocol: 4 });
	expect(readFileSync(join(folder.path, 'arguments'), 'utf8').trim()).toBe('-n -c 1 -W 20 -4 127.0.0.1');
});

test('no echo', async () => {
	expect(reasonOf(await probe(entry(command('lost', 'exit 1'))))).toBe('answer');
});

test('no ping', async () => {
	expect(reasonOf(await probe(entry(join(folder.path, 'none'))))).toBe('config');
});

test('a ping that hangs is killed at the deadline', async () => {
	const file = join(folder.path, 'pid');
	const path = command('hung', `echo $$ > ${file}\nexec sleep 60`);
	expect(reasonOf(await probe(entry(path, { timeout: '2s' })))).toBe('timeout');
	const pid = readFileSync(file, 'utf8').trim();
	await waitFor('the process to be gone', () => !existsSync(`/proc/${pid}/cmdline`) || readFileSync(`/proc/${pid}/cmdline`, 'utf8') === '');
});

test('output without end is cut', async () => {
	expect(reasonOf(await probe(entry(command('chatty', 'exec yes'))))).toBe('answer');
});

test.skipIf(findCommand('ping') === null)('the real ping', async () => {
	expect(await probe(entry('ping'))).toMatchObject({ probe_success: 1 });
});
