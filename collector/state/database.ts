import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Kysely, sql } from 'kysely';
import { AppError, errorText } from '../../core/errors.ts';
import type { Migration } from './migration.ts';
import { MIGRATIONS } from './migrations.ts';
import type { StateSchema } from './schema.ts';
import { nodeSqliteDialect } from './sqlite-dialect.ts';

export type StateDatabase = Kysely<StateSchema>;

/** First SQLite without the bug that corrupts a file when two writers reset its write-ahead log. */
const OLDEST_SQLITE = [3, 51, 3] as const;

/**
 * Opens (or creates) the relational state at `<dataDir>/state/state.db` and brings its schema up to date. One writer:
 * the collector's main thread. `FULL` synchronisation, because an outbox entry or an acknowledgement must survive a
 * power cut. Throws `FN_STATE_OPEN` with the way out.
 */
export async function openStateDatabase(dataDir: string): Promise<StateDatabase> {
	assertSqliteVersion(process.versions['sqlite'] ?? '0');
	const folder = join(dataDir, 'state');
	const file = join(folder, 'state.db');
	let database: DatabaseSync;
	try {
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true });
		database.exec('pragma journal_mode = wal; pragma synchronous = full;');
	} catch (error) {
		throw new AppError(
			'FN_STATE_OPEN',
			`the state database ${file} cannot be opened; check that the folder is writable and that no other collector uses it`,
			{ cause: error },
		);
	}
	const state = new Kysely<StateSchema>({ dialect: nodeSqliteDialect(database) });
	try {
		await migrate(state, MIGRATIONS);
	} catch (error) {
		await state.destroy();
		throw error;
	}
	return state;
}

/** Applies what is missing, each migration in a transaction of its own, in the order of the list. Throws `FN_STATE_MIGRATION`. */
export async function migrate(state: StateDatabase, migrations: readonly Migration[]): Promise<void> {
	await sql`create table if not exists migration (id text primary key not null, applied_at_ms integer not null)`.execute(state);
	const applied = new Set((await state.selectFrom('migration').select('id').execute()).map((row) => row.id));
	const known = new Set(migrations.map((migration) => migration.id));
	const foreign = [...applied].filter((id) => !known.has(id));
	if (foreign.length > 0) {
		throw new AppError(
			'FN_STATE_MIGRATION',
			`the state database was written by a newer version (it has ${foreign.join(', ')}); start that version, or restore a backup`,
		);
	}
	for (const migration of migrations) {
		if (applied.has(migration.id)) continue;
		try {
			await state.transaction().execute(async (transaction) => {
				await migration.up(transaction);
				await transaction.insertInto('migration').values({ id: migration.id, applied_at_ms: Date.now() }).execute();
			});
		} catch (error) {
			throw new AppError('FN_STATE_MIGRATION', `the state database could not be brought to ${migration.id}: ${errorText(error)}`, {
				cause: error,
			});
		}
	}
}

function assertSqliteVersion(version: string): void {
	const parts = version.split('.').map(Number);
	for (let i = 0; i < OLDEST_SQLITE.length; i++) {
		const difference = (parts[i] ?? 0) - (OLDEST_SQLITE[i] as number);
		if (difference > 0) return;
		if (difference < 0) {
			throw new AppError(
				'FN_STATE_SQLITE_VERSION',
				`this Node carries SQLite ${version}, which can corrupt its write-ahead log; use Node 24.21 or later`,
			);
		}
	}
}
