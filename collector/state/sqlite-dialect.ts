import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import {
	CompiledQuery,
	type DatabaseConnection,
	type Dialect,
	type Driver,
	type QueryResult,
	SqliteAdapter,
	SqliteIntrospector,
	SqliteQueryCompiler,
} from 'kysely';
import { AppError } from '../../core/errors.ts';

/**
 * Kysely over `node:sqlite`. The database is synchronous and in this process, so there is one connection and a queue
 * for it: a transaction holds the connection until it ends.
 */
export function nodeSqliteDialect(database: DatabaseSync): Dialect {
	return {
		createAdapter: () => new SqliteAdapter(),
		createDriver: () => new NodeSqliteDriver(database),
		createIntrospector: (db) => new SqliteIntrospector(db),
		createQueryCompiler: () => new SqliteQueryCompiler(),
	};
}

class NodeSqliteDriver implements Driver {
	readonly #connection: NodeSqliteConnection;
	#tail: Promise<void> = Promise.resolve();
	#release: (() => void) | null = null;

	constructor(database: DatabaseSync) {
		this.#connection = new NodeSqliteConnection(database);
	}

	async init(): Promise<void> {}

	async acquireConnection(): Promise<DatabaseConnection> {
		const before = this.#tail;
		let release: () => void = () => {};
		this.#tail = new Promise((resolve) => {
			release = resolve;
		});
		await before;
		this.#release = release;
		return this.#connection;
	}

	async releaseConnection(): Promise<void> {
		const release = this.#release;
		this.#release = null;
		release?.();
	}

	async beginTransaction(connection: DatabaseConnection): Promise<void> {
		// IMMEDIATE takes the write lock at once: a deferred one can fail half-way with SQLITE_BUSY.
		await connection.executeQuery(CompiledQuery.raw('begin immediate'));
	}

	async commitTransaction(connection: DatabaseConnection): Promise<void> {
		await connection.executeQuery(CompiledQuery.raw('commit'));
	}

	async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
		await connection.executeQuery(CompiledQuery.raw('rollback'));
	}

	async destroy(): Promise<void> {
		this.#connection.close();
	}
}

class NodeSqliteConnection implements DatabaseConnection {
	readonly #database: DatabaseSync;

	constructor(database: DatabaseSync) {
		this.#database = database;
	}

	async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
		const statement = this.#database.prepare(query.sql);
		const values = query.parameters.map(bindable);
		if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] };
		const { changes, lastInsertRowid } = statement.run(...values);
		return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
	}

	// biome-ignore lint/correctness/useYield: the driver interface asks for a generator; SQLite here has nothing to stream.
	async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
		throw new AppError('FN_STATE_STREAM', 'the state database does not stream; read in pages');
	}

	close(): void {
		this.#database.close();
	}
}

/** node:sqlite stores a Date or an object silently as NULL, so anything that is not an SQLite value stops here. */
function bindable(value: unknown): SQLInputValue {
	if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value;
	if (value instanceof Uint8Array) return value;
	throw new AppError('FN_STATE_BIND', `a ${typeof value} cannot be stored; bind integers, strings or bytes`);
}
