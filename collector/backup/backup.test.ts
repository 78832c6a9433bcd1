import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../core/clock.ts';
import { silentLogger } from '../../core/log.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { equals, openTestStore } from '../../tests/harness/store/open-test-store.ts';
import { openArchive } from '../audit/archive.ts';
import { loadAuditKeys } from '../audit/keys.ts';
import { verifyArchive } from '../audit/verify.ts';
import { openRequestDays } from '../availability/request-days.ts';
import { openStateDatabase } from '../state/database.ts';
import type { Store } from '../tsdb/store.ts';
import { backupData, restoreData, verifyBackup } from './backup.ts';

let folder: TemporaryFolder;
beforeEach(() => {
	folder = temporaryFolder('backup');
});
afterEach(() => folder.remove());

const START = Date.now() - 3 * 86_400_000;

async function append(store: Store, from: number, count: number): Promise<void> {
	const appender = store.appender();
	for (let i = from; i < from + count; i++) {
		for (let s = 0; s < 5; s++) appender.append(['__name__', 'm', 's', String(s)], START + i * 60_000, i);
		if (i % 10 === 0) appender.append(['__name__', 'short', 'i', String(i)], START + i * 60_000, i);
	}
	await appender.commit();
}

async function values(dataDir: string): Promise<number[][]> {
	const store = await openTestStore(dataDir);
	try {
		return (await store.select([equals('__name__', 'm')], 0, Date.now())).map((series) => [...series.values]);
	} finally {
		await store.stop();
	}
}

const path = (name: string) => join(folder.path, name);

describe('backup', () => {
	test('holds the counted days of requests, which nothing could count again, while they are open', async () => {
		const dataDir = path('data');
		const store = await openTestStore(dataDir);
		const days = openRequestDays(dataDir);
		try {
			days.save('k', new Map([[20_000, [[0, 10, 9, 10, 60, 0]]]]));
			await backupData({ dataDir, outDir: path('backup'), nowMs: Date.now() });
		} finally {
			days.close();
			await store.stop();
		}
		restoreData({ fromDir: path('backup'), dataDir: path('restored') });
		expect(readdirSync(path('restored/ledger'))).toEqual(['requests.db']);
		const restored = openRequestDays(path('restored'));
		expect(restored.load('k', 0, 30_000).get(20_000)?.rows).toEqual([[0, 10, 9, 10, 60, 0]]);
		restored.close();
	});

	test('is of one moment while samples arrive and blocks are written and compacted, again and again', async () => {
		const dataDir = path('data');
		const store = await openTestStore(dataDir, { logSegmentBytes: 16_384 });
		try {
			let written = 0;
			let stop = false;
			const writing = (async () => {
				while (!stop) {
					await append(store, written, 20);
					written += 20;
					if (written % 200 === 0) await store.cutBlocks();
					if (written % 600 === 0) await store.compactBlocks();
					await new Promise((resolve) => setTimeout(resolve, 2));
				}
			})();
			for (let round = 0; round < 6; round++) {
				await new Promise((resolve) => setTimeout(resolve, 60));
				const acknowledged = written;
				const out = path(`backup-${round}`);
				const made = await backupData({ dataDir, outDir: out, nowMs: Date.now() }).catch((error: unknown) => error);
				// Blocks are written here as fast as it goes; giving up is an answer, a wrong copy is none.
				if (made instanceof Error) {
					expect(made).toMatchObject({ code: 'FN_BACKUP_UNSETTLED' });
					expect(existsSync(out)).toBe(false);
					continue;
				}
				restoreData({ fromDir: out, dataDir: path(`restored-${round}`) });
				const restored = await values(path(`restored-${round}`));
				expect(restored).toHaveLength(5);
				for (const series of restored) {
					expect(series.length).toBeGreaterThanOrEqual(acknowledged);
					expect(series).toEqual(series.map((_, i) => i));
				}
			}
			stop = true;
			await writing;
			const out = path('last');
			await backupData({ dataDir, outDir: out, nowMs: Date.now() });
			restoreData({ fromDir: out, dataDir: path('restored-last') });
			expect((await values(path('restored-last')))[0]).toHaveLength(written);
		} finally {
			await store.stop();
		}
	});

	test('has state, archive and keys, and they work', async () => {
		const dataDir = path('data');
		const store = await openTestStore(dataDir);
		const state = await openStateDatabase(dataDir);
		const archive = openArchive({ dataDir, clock: systemClock, log: silentLogger, host: 'collector' });
		mkdirSync(join(dataDir, 'keys'), { recursive: true });
		writeFileSync(join(dataDir, 'keys', 'local-read.token'), 'secret\n');
		await append(store, 0, 100);
		await state.insertInto('migration').values({ id: 'kept', applied_at_ms: 1 }).execute();
		try {
			const manifest = await backupData({ dataDir, outDir: path('out'), nowMs: 0 });
			expect(manifest.createdAt).toBe('1970-01-01T00:00:00.000Z');
			expect(verifyBackup(path('out'))).toEqual(manifest);
			// An empty folder that exists is as good as none.
			mkdirSync(path('new'));
			restoreData({ fromDir: path('out'), dataDir: path('new') });
			expect(readFileSync(join(path('new'), 'keys', 'local-read.token'), 'utf8')).toBe('secret\n');
			expect(verifyArchive(path('new'), loadAuditKeys(path('new')).publicKeys)).toMatchObject({ verdict: 'intact' });
		} finally {
			await archive.stop();
			await state.destroy();
			await store.stop();
		}
		const { DatabaseSync } = await import('node:sqlite');
		const copy = new DatabaseSync(join(path('new'), 'state/state.db'));
		expect(copy.prepare("select count(*) as n from migration where id = 'kept'").get()).toEqual({ n: 1 });
		copy.close();
	});

	test.each([
		{
			name: 'a changed file',
			harm: (out: string) => appendFileSync(join(out, 'store/log', readdirSync(join(out, 'store/log'))[0] ?? ''), 'x'),
		},
		{ name: 'a missing file', harm: (out: string) => rmSync(join(out, 'store/log'), { recursive: true }) },
		{ name: 'no manifest', harm: (out: string) => rmSync(join(out, 'backup.json')) },
		{ name: 'a broken manifest', harm: (out: string) => writeFileSync(join(out, 'backup.json'), '{') },
		{
			name: 'a path that leads out',
			harm: (out: string) =>
				writeFileSync(
					join(out, 'backup.json'),
					JSON.stringify({ version: 1, createdAt: '', files: [{ path: '../x', bytes: 0, sha256: '' }] }),
				),
		},
	])('a backup with $name is not restored', async ({ harm }) => {
		const store = await openTestStore(path('data'));
		await append(store, 0, 10);
		await backupData({ dataDir: path('data'), outDir: path('out'), nowMs: 0 });
		await store.stop();
		harm(path('out'));
		expect(() => restoreData({ fromDir: path('out'), dataDir: path('new') })).toThrow(
			expect.objectContaining({ code: 'FN_BACKUP_DAMAGED' }),
		);
		expect(existsSync(path('new'))).toBe(false);
	});

	test('nothing is written over', async () => {
		const store = await openTestStore(path('data'));
		await store.stop();
		await expect(backupData({ dataDir: path('data'), outDir: folder.path, nowMs: 0 })).rejects.toMatchObject({ code: 'FN_BACKUP_TARGET' });
		for (const inside of ['data/backup', 'data/store/backup', 'data'])
			await expect(backupData({ dataDir: path('data'), outDir: path(inside), nowMs: 0 })).rejects.toMatchObject({
				code: 'FN_BACKUP_TARGET',
			});
		expect(existsSync(path('data/backup'))).toBe(false);
		await backupData({ dataDir: path('data'), outDir: path('data-backup'), nowMs: 0 });
		await expect(backupData({ dataDir: path('nothing'), outDir: path('out'), nowMs: 0 })).rejects.toMatchObject({
			code: 'FN_BACKUP_NO_DATA',
		});
		await backupData({ dataDir: path('data'), outDir: path('out'), nowMs: 0 });
		expect(() => restoreData({ fromDir: path('out'), dataDir: path('data') })).toThrow(
			expect.objectContaining({ code: 'FN_BACKUP_TARGET' }),
		);
	});

	test('what was deleted stays deleted, in memory, in files of hours and in compacted ones', async () => {
		const store = await openTestStore(path('data'));
		try {
			await append(store, 0, 1600);
			await store.cutBlocks(START + 86_400_000);
			await store.compactBlocks();
			await store.cutBlocks(START + 90_000_000);
			await store.deleteSeries([equals('__name__', 'm')], START + 100 * 60_000, START + 1590 * 60_000);
			await backupData({ dataDir: path('data'), outDir: path('copy'), nowMs: Date.now() });
		} finally {
			await store.stop();
		}
		restoreData({ fromDir: path('copy'), dataDir: path('restored') });
		const left = [...Array.from({ length: 100 }, (_, i) => i), ...Array.from({ length: 9 }, (_, i) => 1591 + i)];
		expect(await values(path('restored'))).toEqual(Array.from({ length: 5 }, () => left));
	});
});
