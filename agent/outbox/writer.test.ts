import { generateKeyPairSync, verify } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseTransfer } from '../../protocol/transfer.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { parseAgentConfig } from '../config.ts';
import { OutboxWriter } from './writer.ts';

let folder: TemporaryFolder;
const { privateKey, publicKey } = generateKeyPairSync('ed25519');

beforeEach(() => {
	folder = temporaryFolder('outbox');
});
afterEach(() => folder.remove());

const outbox = () => join(folder.path, 'out');
const open = (maxBytes = 1e6, sender = 'app-1') =>
	new OutboxWriter({
		folder: outbox(),
		stateFile: join(folder.path, 'seq'),
		sender,
		key: privateKey,
		maxBytes,
		now: () => 1_700_000_000_000,
	});
const names = () => readdirSync(outbox()).sort();
const entry = (text: string) => ({ kind: 'samples' as const, body: Buffer.from(text) });

test('files are numbered, signed, and hold what was put in', () => {
	const writer = open();
	writer.write([entry('one'), entry('two')]);
	writer.write([entry('three')]);
	expect(names()).toEqual(['app-1-0000000000000001.fnt', 'app-1-0000000000000002.fnt']);
	const transfer = parseTransfer(readFileSync(join(outbox(), 'app-1-0000000000000001.fnt')));
	expect(transfer.header).toMatchObject({ sender: 'app-1', seq: 1, createdMs: 1_700_000_000_000 });
	expect(transfer.bodies.map((body) => Buffer.from(body).toString())).toEqual(['one', 'two']);
	expect(verify(null, transfer.signed, publicKey, transfer.signature)).toBe(true);
});

test('numbers go on after a restart, also when the files were taken away or the number was lost', () => {
	open().write([entry('one')]);
	unlinkSync(join(outbox(), 'app-1-0000000000000001.fnt'));
	open().write([entry('two')]);
	rmSync(join(folder.path, 'seq'));
	open().write([entry('three')]);
	expect(names()).toEqual(['app-1-0000000000000002.fnt', 'app-1-0000000000000003.fnt']);
});

test('a file that was complete when the process ended gets its name, one that was not is forgotten with its number', () => {
	open().write([entry('one')]);
	const final = join(outbox(), 'app-1-0000000000000001.fnt');
	renameSync(final, `${final}.unfinished`);
	writeFileSync(join(outbox(), 'app-1-0000000000000002.fnt.unfinished'), 'half');
	const writer = open();
	expect(names()).toEqual(['app-1-0000000000000001.fnt']);
	expect(writer.seq).toBe(1);
	writer.write([entry('two')]);
	expect(names()).toHaveLength(2);
});

test('over the cap nothing is written, and no number is used', () => {
	const writer = open(1000);
	writer.write([entry('x'.repeat(600))]);
	expect(() => writer.write([entry('y'.repeat(600))])).toThrow(expect.objectContaining({ code: 'FN_AGENT_OUTBOX_FULL', retryable: true }));
	unlinkSync(join(outbox(), 'app-1-0000000000000001.fnt'));
	writer.write([entry('y')]);
	expect(names()).toEqual(['app-1-0000000000000002.fnt']);
});

test.each([
	{ what: 'a folder that is a file', code: 'FN_AGENT_OUTBOX', make: () => writeFileSync(outbox(), '') },
	{ what: 'a number that is none', code: 'FN_AGENT_OUTBOX', make: () => writeFileSync(join(folder.path, 'seq'), 'x') },
])('$what is a clear error', ({ make, code }) => {
	make();
	expect(open).toThrow(expect.objectContaining({ code }));
});

test.each(['应用-1', 'app 1', '../app', '-app', ''])('a host named "%s" writes no files that every collector would refuse', (sender) => {
	expect(() => open(1e6, sender)).toThrow('cannot name the sender');
	const text = JSON.stringify({ host: { name: sender }, outbox: { folder: outbox() } });
	const problems = problemsOfText(text);
	// Without a name it is the machine's, which is known at the start only.
	expect(problems.filter((message) => message.includes('cannot name the sender'))).toHaveLength(sender === '' ? 0 : 1);
});

test('half a copy that a relay left with a number that was used here is no file', () => {
	open().write([entry('one')]);
	writeFileSync(join(outbox(), 'far-0000000000000001.fnt.unfinished'), 'half');
	open();
	expect(names()).toEqual(['app-1-0000000000000001.fnt']);
});

function problemsOfText(text: string): readonly string[] {
	const parsed = parseAgentConfig(text, 'agent.yml');
	return parsed.kind === 'ok' ? [] : parsed.problems.map(({ message }) => message);
}
