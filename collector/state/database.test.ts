import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate, openStateDatabase } from './database.ts';

let folder = '';
beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'fournines-state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const token = { token_hash: 'h', name: 'app-1', scope: 'push', created_at_ms: 1, revoked_at_ms: null };

test('keeps what was written across a reopening, and migrates only once', async () => {
	const first = await openStateDatabase(folder);
	await first.insertInto('machine_token').values(token).execute();
	await first.destroy();
	const second = await openStateDatabase(folder);
	expect(await second.selectFrom('machine_token').selectAll().execute()).toEqual([token]);
	await second.destroy();
});

test('a failed transaction leaves nothing', async () => {
	const state = await openStateDatabase(folder);
	const work = state.transaction().execute(async (transaction) => {
		await transaction.insertInto('machine_token').values(token).execute();
		throw new Error('stop');
	});
	await expect(work).rejects.toThrow('stop');
	expect(await state.selectFrom('machine_token').selectAll().execute()).toEqual([]);
	await state.destroy();
});

test('refuses a value that SQLite would silently store as NULL', async () => {
	const state = await openStateDatabase(folder);
	const write = state
		.insertInto('machine_token')
		.values({ ...token, created_at_ms: new Date() as unknown as number })
		.execute();
	await expect(write).rejects.toMatchObject({ code: 'FN_STATE_BIND' });
	await state.destroy();
});

test('refuses a database that a newer version wrote', async () => {
	const state = await openStateDatabase(folder);
	await state.insertInto('migration').values({ id: '9999-future', applied_at_ms: 1 }).execute();
	await expect(migrate(state, [])).rejects.toMatchObject({ code: 'FN_STATE_MIGRATION', message: expect.stringContaining('9999-future') });
	await state.destroy();
});
