import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
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

/** Statements that stay prepared. What has to be prepared is freed only when garbage is collected, tens of kilobytes for many rows. */
const MOST_STATEMENTS = 128;

class NodeSqliteConnection implements DatabaseConnection {
	readonly #database: DatabaseSync;
	/** By their text; the one that was used least lately first. */
	readonly #statements = new Map<string, StatementSync>();

	constructor(database: DatabaseSync) {
		this.#database = database;
	}

	async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
		const statement = this.#prepared(query.sql);
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
		this.#statements.clear();
		this.#database.close();
	}

	#prepared(text: string): StatementSync {
		const statement = this.#statements.get(text) ?? this.#database.prepare(text);
		this.#statements.delete(text);
		this.#statements.set(text, statement);
		if (this.#statements.size > MOST_STATEMENTS) {
			for (const oldest of this.#statements.keys()) {
				this.#statements.delete(oldest);
				break;
			}
		}
		return statement;
	}
}

/** node:sqlite stores a Date or an object silently as NULL, so anything that is not an SQLite value stops here. */
function bindable(value: unknown): SQLInputValue {
	if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value;
	if (value instanceof Uint8Array) return value;
	throw new AppError('FN_STATE_BIND', `a ${typeof value} cannot be stored; bind integers, strings or bytes`);
}
