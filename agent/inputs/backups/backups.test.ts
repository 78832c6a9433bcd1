import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../core/clock.ts';
import { findCommand, runCommand, temporaryFolder, waitFor } from '../../../tests/harness/process.ts';
import { collect, failureOf, oneInput, problemsOf } from '../input.fixture.ts';
import type { Input } from '../input.ts';
import { type ArchiveKind, archiveKindOf } from './archive-kind.ts';
import { medianOf } from './input.ts';
import { verifyBackup } from './verify.ts';

const folder = temporaryFolder('backups');
const opened: Input[] = [];
afterEach(async () => {
	for (const input of opened.splice(0)) await input.close();
});
afterAll(() => folder.remove());

const at = (text: string) => Date.parse(`${text.replace(' ', 'T')}+08:00`);
const now = at('2026-03-06 08:00:00');
let count = 0;
function newFolder(): string {
	const path = join(folder.path, String(count++));
	mkdirSync(path);
	return path;
}
function put(directory: string, name: string, content: Buffer | string, time: string): string {
	const path = join(directory, name);
	writeFileSync(path, content);
	utimesSync(path, at(time) / 1000, at(time) / 1000);
	return path;
}
function backup(directory: string, more: object = {}): Input {
	const input = oneInput({
		backups: [{ id: 'business-db', directory, pattern: '*.sql.gz', schedule: { at: ['01:30'] }, grace: '2h', ...more }],
	});
	opened.push(input);
	return input;
}
/** Collects until the newest file has been judged. */
const judged = (input: Input, nowMs = now) =>
	waitFor('the verdict', async () => {
		const found = await collect(input, nowMs);
		return found['backup_file_verified'] === 1 && found['backup_last_success_timestamp_seconds'] !== undefined ? found : null;
	});
const dump = (rows: number) => gzipSync(`${'INSERT INTO t VALUES (1);\n'.repeat(rows)}-- Dump completed on 2026-03-06\n`);

test('the newest file, against its own history and schedule', async () => {
	const directory = newFolder();
	for (let day = 1; day <= 5; day++) put(directory, `db-2026030${day}.sql.gz`, dump(day * 100), `2026-03-0${day} 01:40:00`);
	const newest = dump(700);
	const path = put(directory, 'db-20260306.sql.gz', newest, '2026-03-06 01:40:00');
	put(
		directory,
		'db-20260306.sql.gz.sha256',
		`${createHash('sha256').update(newest).digest('hex')}  db-20260306.sql.gz\n`,
		'2026-03-06 01:41:00',
	);
	const input = backup(directory, { expect_tail: '-- Dump completed' });
	expect(input.target).toMatchObject({ job: 'backup', backup: 'business-db', host: 'app-1' });
	expect(await judged(input)).toEqual({
		backup_up: 1,
		backup_file_count: 6,
		backup_file_in_progress: 0,
		backup_file_mtime_seconds: at('2026-03-06 01:40:00') / 1000,
		backup_file_size_bytes: newest.length,
		backup_file_size_median_bytes: medianOf([1, 2, 3, 4, 5].map((day) => dump(day * 100).length)),
		backup_file_verified: 1,
		backup_file_readable: 1,
		backup_file_checksum_ok: 1,
		backup_last_success_timestamp_seconds: at('2026-03-06 01:40:00') / 1000,
		backup_due_timestamp_seconds: at('2026-03-07 03:30:00') / 1000,
		backup_expected_interval_seconds: 86_400,
	});
	// Somebody cuts the file short afterwards: it is another file now, and judged anew.
	truncateSync(path, newest.length - 20);
	utimesSync(path, at('2026-03-06 07:00:00') / 1000, at('2026-03-06 07:00:00') / 1000);
	const broken = await judged(input);
	expect(broken).toMatchObject({
		backup_file_readable: 0,
		backup_file_checksum_ok: 0,
		backup_last_success_timestamp_seconds: at('2026-03-06 01:40:00') / 1000,
	});
});

test('a broken newest file: the last success is the file before', async () => {
	const directory = newFolder();
	put(directory, 'a.sql.gz', dump(10), '2026-03-05 01:40:00');
	put(directory, 'b.sql.gz', 'not gzip at all, by far', '2026-03-06 01:40:00');
	expect(await judged(backup(directory))).toMatchObject({
		backup_file_readable: 0,
		backup_last_success_timestamp_seconds: at('2026-03-05 01:40:00') / 1000,
		backup_due_timestamp_seconds: at('2026-03-06 03:30:00') / 1000,
	});
});

test('a file that is still being written is not judged', async () => {
	const directory = newFolder();
	put(directory, 'a.sql.gz', dump(10), '2026-03-06 07:59:50');
	const found = await collect(backup(directory), now);
	expect(found).toMatchObject({ backup_file_count: 1, backup_file_in_progress: 1, backup_last_success_timestamp_seconds: 0 });
	expect(found).not.toHaveProperty('backup_file_size_bytes');
});

test('an empty folder is late from the first look on, a missing one is a failure', async () => {
	expect(await collect(backup(newFolder()), now)).toMatchObject({
		backup_file_count: 0,
		backup_last_success_timestamp_seconds: 0,
		backup_due_timestamp_seconds: at('2026-03-06 03:30:00') / 1000,
	});
	expect(await failureOf(backup('/nonexistent'))).toMatchObject({ code: 'FN_AGENT_FILE_UNREADABLE' });
});

test('too small is no success', async () => {
	const directory = newFolder();
	put(directory, 'a.sql.gz', dump(1), '2026-03-06 01:40:00');
	expect(await judged(backup(directory, { min_bytes: 100_000 }))).toMatchObject({
		backup_file_readable: 1,
		backup_last_success_timestamp_seconds: 0,
	});
});

describe('verdicts', () => {
	const verify = (file: string, kind: ArchiveKind, more: object = {}) =>
		verifyBackup(
			{ file, kind, checksum: 'auto', expectTail: null, bytesPerSecond: 1e9, clock: systemClock, ...more },
			new AbortController().signal,
		);
	const directory = newFolder();
	const content = join(directory, 'content');
	writeFileSync(content, 'x'.repeat(5000));

	test.each([
		{ name: 'gzip', bytes: dump(5000), kind: 'gzip' as const, readable: true },
		{ name: 'gzip cut off', bytes: dump(5000).subarray(0, -9), kind: 'gzip' as const, readable: false },
		{
			name: 'gzip with a wrong CRC',
			bytes: Buffer.concat([dump(50).subarray(0, -8), Buffer.alloc(4), dump(50).subarray(-4)]),
			kind: 'gzip' as const,
			readable: false,
		},
		{
			name: 'gzip damaged in the middle',
			bytes: Buffer.concat([dump(50).subarray(0, 40), Buffer.alloc(20, 255), dump(50).subarray(60)]),
			kind: 'gzip' as const,
			readable: false,
		},
		{ name: 'no tail', bytes: gzipSync('INSERT'), kind: 'gzip' as const, readable: false, more: { expectTail: '-- Dump completed' } },
		{ name: 'empty', bytes: Buffer.alloc(0), kind: 'gzip' as const, readable: false },
		{ name: 'zip that is none', bytes: Buffer.from('PK\u0003\u0004 and nothing'), kind: 'zip' as const, readable: false },
		{ name: 'any content', bytes: Buffer.from('x'), kind: 'none' as const, readable: true },
		{
			name: 'plain dump with its end',
			bytes: Buffer.from('a\n-- Dump completed\n'),
			kind: 'none' as const,
			readable: true,
			more: { expectTail: '-- Dump completed' },
		},
	])('$name: readable $readable', async ({ name, bytes, kind, readable, more }) => {
		const file = join(directory, name);
		writeFileSync(file, bytes);
		const verdict = await verify(file, kind, more);
		expect(verdict.readable, verdict.problem).toBe(readable);
		expect(verdict.problem === '').toBe(readable);
	});

	const makers: readonly { kind: ArchiveKind; command: string; make: (file: string) => void }[] = [
		{ kind: 'tar', command: 'tar', make: (file) => void runCommand('tar', ['-cf', file, '-C', directory, 'content']) },
		{ kind: 'gzip', command: 'tar', make: (file) => void runCommand('tar', ['-czf', file, '-C', directory, 'content']) },
		{ kind: 'xz', command: 'xz', make: (file) => void runCommand('sh', ['-c', `xz -c "${content}" > "${file}"`]) },
		{
			kind: 'zip',
			command: 'python3',
			make: (file) =>
				void runCommand('python3', [
					'-c',
					`import zipfile; z = zipfile.ZipFile(${JSON.stringify(file)}, 'w'); z.write(${JSON.stringify(content)}); z.close()`,
				]),
		},
	];
	test.each(makers.filter(({ command }) => findCommand(command) !== null))('a real $kind, whole and cut off', async ({ kind, make }) => {
		const file = join(directory, `real.${kind}`);
		make(file);
		expect(await verify(file, kind)).toEqual({ checksumOk: null, readable: true, problem: '' });
		const { size } = await import('node:fs').then(({ statSync }) => statSync(file));
		truncateSync(file, kind === 'tar' ? 512 * 3 : size - 1);
		expect((await verify(file, kind)).readable).toBe(false);
	});

	test.skipIf(findCommand('tar') === null)('a tar whose first header is damaged', async () => {
		const file = join(directory, 'damaged.tar');
		runCommand('tar', ['-cf', file, '-C', directory, 'content']);
		const bytes = readFileSync(file);
		bytes[3] = (bytes[3] as number) ^ 1;
		writeFileSync(file, bytes);
		expect(await verify(file, 'tar')).toMatchObject({ readable: false, problem: 'the checksum of its first header is wrong' });
	});

	test('checksums', async () => {
		const file = join(directory, 'sum');
		writeFileSync(file, 'content');
		const right = createHash('sha256').update('content').digest('hex');
		expect(await verify(file, 'none')).toMatchObject({ checksumOk: null });
		expect(await verify(file, 'none', { checksum: 'required' })).toMatchObject({
			checksumOk: false,
			problem: 'there is no checksum beside it',
		});
		writeFileSync(`${file}.sha256`, `${right.toUpperCase()} *sum\n`);
		expect(await verify(file, 'none')).toMatchObject({ checksumOk: true, problem: '' });
		writeFileSync(`${file}.sha256`, `${right.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))}\n`);
		expect(await verify(file, 'none')).toMatchObject({ checksumOk: false, problem: 'its checksum is another one' });
		expect(await verify(file, 'none', { checksum: 'off' })).toMatchObject({ checksumOk: null, problem: '' });
		writeFileSync(`${file}.sha256`, 'nothing');
		expect(await verify(file, 'none')).toMatchObject({ checksumOk: false });
	});

	test('reading is paced, and ends when the agent stops', async () => {
		const file = join(directory, 'large');
		writeFileSync(file, Buffer.alloc(2 * 1024 * 1024));
		writeFileSync(`${file}.sha256`, '0'.repeat(64));
		const stop = new AbortController();
		let slept = 0;
		const clock = {
			...systemClock,
			sleep: async (ms: number) => {
				slept += ms;
				if (slept > 3000) stop.abort();
			},
		};
		const options = { file, kind: 'none' as const, checksum: 'auto' as const, expectTail: null, bytesPerSecond: 256 * 1024, clock };
		await expect(verifyBackup(options, stop.signal)).rejects.toThrow();
		expect(slept).toBeGreaterThan(3000);
	});

	test('a gigabyte of zeros is read in small memory', async () => {
		const file = join(directory, 'bomb.gz');
		writeFileSync(file, Buffer.concat(Array.from({ length: 40 }, () => gzipSync(Buffer.alloc(8 * 1024 * 1024)))));
		const before = process.memoryUsage().rss;
		expect(await verify(file, 'gzip')).toMatchObject({ readable: true });
		expect(process.memoryUsage().rss - before).toBeLessThan(96 * 1024 * 1024);
	});
});

test.each([
	['a.sql.gz', 'gzip'],
	['A.TGZ', 'gzip'],
	['a.tar', 'tar'],
	['a.tar.xz', 'xz'],
	['a.zip', 'zip'],
	['a.zst', 'zstd'],
	['a.dmp', 'none'],
])('%s is %s', (name, kind) => {
	expect(archiveKindOf(name)).toBe(kind);
});

test('the same id twice is refused', () => {
	const one = { id: 'a', directory: '/b', schedule: { at: ['01:00'] } };
	expect(problemsOf({ backups: [one, one] })).toEqual(['inputs.backups[1].id: "a" is already the id of inputs.backups[0]']);
});
