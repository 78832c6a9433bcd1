import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import type { LogRecord } from '../../protocol/log-record.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { type AuditArchive, openArchive } from './archive.ts';
import { canonicalJson } from './canonical.ts';
import { exportAudit, guardCell, verifyBundle } from './export.ts';
import { loadAuditKeys } from './keys.ts';
import { leafHash, merkleRoot } from './merkle.ts';
import { verifyArchive } from './verify.ts';

let folder: TemporaryFolder;
let archive: AuditArchive;
let nowMs = Date.parse('2026-11-21T08:00:00Z');
const clock: Clock = { ...systemClock, now: () => nowMs };
const open = (): AuditArchive => openArchive({ dataDir: folder.path, clock, log: silentLogger, host: 'collector' });

beforeEach(() => {
	folder = temporaryFolder('audit');
	archive = open();
});
afterEach(() => {
	archive.stop();
	folder.remove();
});

function record(text: string, eventTimeMs = nowMs): LogRecord {
	return {
		v: 1,
		stream: '',
		seq: 0,
		eventTimeMs,
		receiveTimeMs: 0,
		host: 'app-1',
		system: 'mis',
		source: 'sshd',
		kind: 'login',
		actor: 'root',
		action: 'login',
		object: '',
		result: 'failure',
		srcAddr: '10.0.0.9',
		srcMac: '',
		module: '',
		severity: 'warning',
		raw: text,
		fields: {},
	};
}

function push(stream: string, firstSeq: number, ...texts: readonly string[]): number {
	return archive.append({ stream, firstSeq, records: texts.map((text) => record(text)) }).nextSeq;
}

const file = (segment: number, ending: string) => join(folder.path, 'audit', `${String(segment).padStart(8, '0')}.${ending}`);
const verify = () => verifyArchive(folder.path, archive.keys.publicKeys);

function editLog(segment: number, edit: (lines: string[]) => string[]): void {
	const lines = readFileSync(file(segment, 'log'), 'utf8').trimEnd().split('\n');
	writeFileSync(file(segment, 'log'), `${edit(lines).join('\n')}\n`);
}

describe('archive', () => {
	test('numbers are gapless per stream; a repeated batch is kept once, a gap is refused with the way out', () => {
		expect(push('app-1/auth', 0, 'a', 'b')).toBe(2);
		expect(push('app-1/auth', 0, 'a', 'b', 'c')).toBe(3);
		expect(push('app-2/auth', 0, 'x')).toBe(1);
		expect(() => push('app-1/auth', 5, 'f')).toThrow(/continues at 3/);
		expect(verify()).toMatchObject({ verdict: 'intact', openRecords: 4 });
	});

	test('goes on after a restart where it was, in the open segment and after a sealed one', () => {
		push('s', 0, 'a');
		archive.stop();
		archive = open();
		expect(push('s', 0, 'a', 'b')).toBe(2);
		archive.seal();
		archive.stop();
		archive = open();
		expect(push('s', 2, 'c')).toBe(3);
		expect(verify()).toMatchObject({ verdict: 'intact', sealedRecords: 2, openRecords: 1 });
	});

	test('a record that was half written when the process died is cut, the others stay', () => {
		push('s', 0, 'a', 'b');
		archive.stop();
		writeFileSync(file(1, 'log'), `${readFileSync(file(1, 'log'), 'utf8')}0123abc {"v":1,"str`);
		archive = open();
		expect(archive.nextSeq('s')).toBe(2);
		expect(push('s', 2, 'c')).toBe(3);
		expect(verify()).toMatchObject({ verdict: 'intact', openRecords: 3 });
	});

	test.each([
		{ name: 'the list of leaves', inTheWay: () => file(1, 'leaves.new'), sealed: 0 },
		{ name: 'the file of the next segment', inTheWay: () => file(2, 'log'), sealed: 1 },
	])('a disk that refuses $name when a segment is closed loses nothing, and the next turn closes it', ({ inTheWay, sealed }) => {
		push('s', 0, 'a');
		mkdirSync(inTheWay());
		expect(() => archive.seal()).toThrow(/EISDIR/);
		// The number of the closed file is another file's now.
		const other = join(folder.path, 'other');
		const handle = openSync(other, 'w');
		if (sealed > 0) expect(() => push('s', 1, 'b')).toThrow(expect.objectContaining({ code: 'FN_AUDIT_WRITE', retryable: true }));
		else expect(push('s', 1, 'b')).toBe(2);
		closeSync(handle);
		expect(readFileSync(other, 'utf8')).toBe('');
		rmSync(inTheWay(), { recursive: true });
		expect(push('s', 1, 'b')).toBe(2);
		archive.seal();
		expect(verify()).toMatchObject({ verdict: 'intact', sealedRecords: 2, openRecords: 0 });
	});

	test('what a sender delivers is kept, and answered so, when a full segment cannot be closed', () => {
		archive.stop();
		archive = openArchive({ dataDir: folder.path, clock, log: silentLogger, host: 'collector', maxSegmentBytes: 10 });
		mkdirSync(file(1, 'leaves.new'));
		expect(push('s', 0, 'a')).toBe(1);
		rmSync(file(1, 'leaves.new'), { recursive: true });
		expect(push('s', 1, 'b')).toBe(2);
		expect(verify()).toMatchObject({ verdict: 'intact', segments: 2, sealedRecords: 2 });
	});

	test('nobody can send what the collector itself would have seen', () => {
		archive.appendOwn({
			source: 'operations',
			kind: 'login',
			actor: 'ann',
			action: 'login',
			object: '',
			result: 'success',
			srcAddr: '',
			raw: '',
		});
		for (const seq of [0, archive.nextSeq('collector/operations')])
			expect(() => push('collector/operations', seq, 'forged', 'forged')).toThrow(
				expect.objectContaining({ code: 'FN_AUDIT_STREAM', status: 403 }),
			);
		expect(verify()).toMatchObject({ verdict: 'intact', openRecords: 1 });
	});

	test('keys that are gone begin a new epoch, and what the old ones signed is not taken for forged', () => {
		const before = archive.keys.publicKeys;
		push('s', 0, 'a');
		archive.seal();
		archive.stop();
		const kept = join(folder.path, 'keys', 'audit.json');
		rmSync(kept);
		expect(() => loadAuditKeys(folder.path)).toThrow(expect.objectContaining({ code: 'FN_AUDIT_KEYS' }));
		expect(existsSync(kept)).toBe(false);
		mkdirSync(`${kept}.new`);
		expect(open).toThrow(/EISDIR/);
		expect(existsSync(kept)).toBe(false);
		rmSync(`${kept}.new`, { recursive: true });
		archive = open();
		expect(archive.keys.publicKeys.epoch).toBe(before.epoch + 1);
		push('s', 1, 'b');
		archive.seal();
		expect(verify().findings).toMatchObject([{ kind: 'wrong-key-epoch', segment: 1 }]);
		expect(verifyArchive(folder.path, before).findings).toMatchObject([{ kind: 'wrong-key-epoch', segment: 2 }]);
	});

	test('an hour without a record is sealed as well', () => {
		archive.seal();
		nowMs += 3_600_000;
		archive.seal();
		expect(verify()).toMatchObject({ verdict: 'intact', segments: 3, sealedRecords: 0 });
	});

	test('the collector writes its own records into the same chain', () => {
		archive.appendOwn({
			source: 'operations',
			kind: 'login',
			actor: 'ops',
			action: 'login',
			object: '',
			result: 'success',
			srcAddr: '',
			raw: '',
		});
		expect(verify()).toMatchObject({ verdict: 'intact', openRecords: 1 });
	});
});

describe('verification names what was done', () => {
	beforeEach(() => {
		push('s', 0, 'r0', 'r1', 'r2', 'r3', 'r4');
		archive.seal();
		push('s', 5, 'r5');
		archive.seal();
	});

	test.each([
		{
			name: 'a modified record',
			edit: (lines: string[]) => lines.map((line) => line.replace('"raw":"r2"', '"raw":"no"')),
			kind: 'modified',
			message: 'stream "s" seq 2',
		},
		{
			name: 'a removed record',
			edit: (lines: string[]) => lines.filter((line) => !line.includes('"raw":"r2"')),
			kind: 'missing',
			message: 'between stream "s" seq 1 and stream "s" seq 3',
		},
		{ name: 'the removed last record', edit: (lines: string[]) => lines.slice(0, -1), kind: 'missing', message: 'record 5 of the segment' },
		{
			name: 'an added record',
			edit: (lines: string[]) => [...lines.slice(0, 3), (lines[0] ?? '').replace('"raw":"r0"', '"raw":"new"'), ...lines.slice(3)],
			kind: 'added',
			message: 'after stream "s" seq 2',
		},
		{
			name: 'exchanged records',
			edit: (lines: string[]) => [lines[0] ?? '', lines[2] ?? '', lines[1] ?? '', ...lines.slice(3)],
			kind: 'missing',
			message: 'record 2',
		},
		{
			name: 'a changed chain value',
			edit: (lines: string[]) => lines.map((line, i) => (i === 1 ? `${'f'.repeat(64)}${line.slice(64)}` : line)),
			kind: 'modified',
			message: 'the chain breaks at stream "s" seq 1',
		},
	])('$name', ({ edit, kind, message }) => {
		editLog(1, edit);
		const report = verify();
		expect(report.verdict).toBe('not-intact');
		expect(report.findings).toContainEqual(expect.objectContaining({ kind, segment: 1, message: expect.stringContaining(message) }));
	});

	test('a removed segment', () => {
		for (const ending of ['log', 'leaves', 'checkpoint', 'streams']) rmSync(file(1, ending));
		expect(verify().findings).toContainEqual(
			expect.objectContaining({ kind: 'missing', message: expect.stringContaining('segments 1 to 1') }),
		);
	});

	test('a checkpoint that was signed by somebody else', () => {
		const other = temporaryFolder('other');
		const forger = openArchive({ dataDir: other.path, clock, log: silentLogger, host: 'x' });
		expect(verifyArchive(folder.path, forger.keys.publicKeys).findings).toContainEqual(expect.objectContaining({ kind: 'bad-signature' }));
		forger.stop();
		other.remove();
	});

	test('a checkpoint whose numbers were changed', () => {
		writeFileSync(file(1, 'checkpoint'), readFileSync(file(1, 'checkpoint'), 'utf8').replace('\n5\n', '\n4\n'));
		expect(verify().findings).toContainEqual(expect.objectContaining({ kind: 'bad-signature', segment: 1 }));
	});
});

describe('export', () => {
	const out = () => join(folder.path, 'export');
	const doExport = () =>
		exportAudit({
			dataDir: folder.path,
			fromMs: nowMs - 1000,
			toMs: nowMs + 1000,
			outDir: out(),
			actor: 'auditor',
			purpose: 'monthly',
			nowMs,
			keys: archive.keys,
			zone: 'Asia/Shanghai',
		});

	beforeEach(() => {
		archive.append({
			stream: 's',
			firstSeq: 0,
			records: [record('too old', nowMs - 5000), record('one'), record('=cmd()'), record('three')],
		});
		archive.seal();
		push('s', 4, 'not sealed yet');
	});

	test('holds the range, and verifies alone', () => {
		expect(doExport()).toMatchObject({ records: 4, sealedRecords: 3 });
		expect(verifyBundle(out())).toMatchObject({ verdict: 'intact', records: 4, sealedRecords: 3 });
		const csv = readFileSync(join(out(), 'data.csv'), 'utf8');
		expect(csv.startsWith('\ufeffeventTime,')).toBe(true);
		expect(csv).toContain("'=cmd()");
		expect(csv).not.toContain('too old');
		expect(() => doExport()).toThrow(/exists already/);
	});

	test.each([
		{
			name: 'a modified record',
			edit: (text: string) => text.replace('"raw":"one"', '"raw":"two"'),
			kind: 'modified',
			message: 'stream "s" seq 1',
		},
		{
			name: 'a removed record',
			edit: (text: string) =>
				text
					.split('\n')
					.filter((line) => !line.includes('three'))
					.join('\n'),
			kind: 'missing',
			message: 'record 4 of segment 1',
		},
		{
			name: 'an added record',
			edit: (text: string) => `${text}${text.split('\n')[0]?.replace('"index":1', '"index":0')}\n`,
			kind: 'added',
			message: 'record 1',
		},
	])('names $name', ({ edit, kind, message }) => {
		doExport();
		writeFileSync(join(out(), 'data.jsonl'), edit(readFileSync(join(out(), 'data.jsonl'), 'utf8')));
		const report = verifyBundle(out());
		expect(report.verdict).toBe('not-intact');
		expect(report.findings).toContainEqual({ kind, message: expect.stringContaining(message) });
	});

	test('a manifest that was changed is not signed any more', () => {
		doExport();
		const path = join(out(), 'manifest.json');
		writeFileSync(path, readFileSync(path, 'utf8').replace('monthly', 'yearly'));
		expect(verifyBundle(out()).findings).toContainEqual(expect.objectContaining({ kind: 'bad-signature' }));
	});

	test('OpenSSL accepts both signatures', () => {
		if (spawnSync('openssl', ['version']).status !== 0) return;
		const manifest = doExport();
		const at = (name: string) => join(folder.path, name);
		writeFileSync(at('text'), canonicalJson(manifest));
		const signatures = JSON.parse(readFileSync(join(out(), 'manifest.sig'), 'utf8')) as { ed25519: string; sm2: string };
		writeFileSync(at('ed.sig'), Buffer.from(signatures.ed25519, 'base64'));
		writeFileSync(at('sm2.sig'), Buffer.from(signatures.sm2, 'base64'));
		writeFileSync(at('ed.pem'), archive.keys.publicKeys.ed25519);
		// SubjectPublicKeyInfo of an SM2 point: id-ecPublicKey with the curve 1.2.156.10197.1.301.
		const prefix = Buffer.from('3059301306072a8648ce3d020106082a811ccf5501822d034200', 'hex');
		const spki = Buffer.concat([prefix, Buffer.from(archive.keys.publicKeys.sm2, 'hex')]);
		writeFileSync(
			at('sm2.pem'),
			`-----BEGIN PUBLIC KEY-----\n${spki.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END PUBLIC KEY-----\n`,
		);
		const check = (...args: string[]) =>
			spawnSync('openssl', ['pkeyutl', '-verify', '-pubin', '-rawin', '-in', at('text'), ...args], { encoding: 'utf8' });
		expect(check('-inkey', at('ed.pem'), '-sigfile', at('ed.sig')).stdout).toContain('Verified Successfully');
		expect(
			check('-inkey', at('sm2.pem'), '-sigfile', at('sm2.sig'), '-digest', 'sm3', '-pkeyopt', 'distid:1234567812345678').stdout,
		).toContain('Verified Successfully');
	});
});

test.each([
	{
		name: 'numbers and nesting',
		value: { b: [1, 1e21, -0, 0.000001, null, true], a: '€\u0001' },
		want: '{"a":"€\\u0001","b":[1,1e+21,0,0.000001,null,true]}',
	},
	{
		name: 'keys sort by code units',
		value: { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5 },
		want: '{"\\r":2,"1":4,"€":1,"😀":5,"\ufb33":3}',
	},
])('canonical JSON: $name', ({ value, want }) => {
	expect(canonicalJson(value)).toBe(want);
});

test('the Merkle root is that of RFC 6962', () => {
	// Known answers of the certificate-transparency test vectors: leaves "", 00, 10.
	const leaves = ['', '00', '10'].map((hex) => leafHash('sha256', Buffer.from(hex, 'hex')));
	expect(merkleRoot('sha256', []).toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
	expect(merkleRoot('sha256', leaves.slice(0, 1)).toString('hex')).toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
	expect(merkleRoot('sha256', leaves.slice(0, 2)).toString('hex')).toBe('fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125');
	expect(merkleRoot('sha256', leaves).toString('hex')).toBe('aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77');
});

test.each(['=1+1', '+1', '-1', '@x', '\t=1', ' \n=1', '＝1'])('a cell that begins like %j is guarded', (text) => {
	expect(guardCell(text)).toBe(`'${text}`);
});

test('an ordinary cell is left alone', () => {
	expect(guardCell('GET /a?b=c')).toBe('GET /a?b=c');
	expect(existsSync(folder.path)).toBe(true);
});
