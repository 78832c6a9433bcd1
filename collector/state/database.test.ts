import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
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

test('statements stay right when the table changes under them, and when there are more of them than are kept', async () => {
	const state = await openStateDatabase(folder);
	await state.insertInto('machine_token').values(token).execute();
	const read = () => state.selectFrom('machine_token').selectAll().execute();
	expect(await read()).toEqual([token]);
	await sql`alter table machine_token add column note text not null default 'new'`.execute(state);
	for (let i = 0; i < 300; i++) expect((await sql`select ${sql.lit(i)} as n`.execute(state)).rows).toEqual([{ n: i }]);
	expect(await read()).toEqual([{ ...token, note: 'new' }]);
	await sql`alter table machine_token add column more text not null default 'more'`.execute(state);
	expect(await read()).toEqual([{ ...token, note: 'new', more: 'more' }]);
	await state.destroy();
});
