import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logRecord } from './log-line.ts';
import { LOG_FORMATS } from './parsers/registry.ts';

const nowMs = Date.parse('2026-11-21T13:10:00Z');
const record = (kind: keyof typeof LOG_FORMATS, bytes: Buffer) =>
	logRecord(
		bytes,
		{ host: 'h', system: 's', stream: 'h/x', encoding: 'utf8', timeZone: 'Asia/Shanghai', parse: LOG_FORMATS[kind].parse },
		7,
		nowMs,
	);

test('what is too long for the archive is shortened, said so, and kept whole in the raw line', () => {
	const line = `10.1.2.3 - - [21/Nov/2026:21:05:57 +0800] "GET /${'a'.repeat(30_000)} HTTP/1.1" 404 0`;
	const long = record('nginx-access', Buffer.from(line));
	expect(long.object).toHaveLength(16_384);
	expect(long.fields['shortened']).toBe('object');
	expect(long.raw).toBe(line);
	const name = record('sshd', Buffer.from(`Nov 21 21:05:57 a sshd[1]: Failed password for ${'𠮷'.repeat(2000)} from 10.1.2.3 port 1 ssh2`));
	expect(name).toMatchObject({ kind: 'login', result: 'failure', srcAddr: '10.1.2.3', fields: { shortened: 'actor' } });
	expect(name.actor.isWellFormed()).toBe(true);
});

test.each([
	'0000/00/00 00:00:00 [error] 1#1: x',
	'0001/01/01 00:00:00 [error] 1#1: x',
])('a time that is none is the time of reading: %s', (line) => {
	expect(record('nginx-error', Buffer.from(line)).eventTimeMs).toBeGreaterThanOrEqual(0);
});

test('any bytes become a record that the archive takes', () => {
	const kinds = fc.constantFrom(...(Object.keys(LOG_FORMATS) as (keyof typeof LOG_FORMATS)[]));
	const parts = fc.constantFrom(
		'Nov 21 21:05:57 a ',
		'sshd[1]: ',
		'Failed password for ',
		' from ',
		' port 1',
		'sudo: ',
		'21-Nov-9999 21:05:57 ',
		' : TTY=',
		'"',
		'[',
		'\\',
	);
	const bytes = fc.oneof(
		fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
		fc.array(fc.oneof(parts, fc.string({ unit: 'binary', maxLength: 10 })), { maxLength: 12 }).map((list) => Buffer.from(list.join(''))),
	);
	fc.assert(
		fc.property(kinds, bytes, (kind, line) => {
			const made = record(kind, line);
			expect(made).toMatchObject({ v: 1, seq: 7, receiveTimeMs: nowMs });
			expect(Number.isSafeInteger(made.eventTimeMs) && made.eventTimeMs >= 0).toBe(true);
			const back = made.fields['rawEncoding'] === 'base64' ? Buffer.from(made.raw, 'base64') : Buffer.from(made.raw);
			expect(back.equals(line)).toBe(true);
			for (const value of Object.values(made.fields)) expect(typeof value).toBe('string');
		}),
		{ numRuns: 500 },
	);
});
