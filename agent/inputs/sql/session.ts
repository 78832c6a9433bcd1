import { connect, type Socket } from 'node:net';
import type { Connection } from 'mysql2';
import { AppError } from '../../../core/errors.ts';
import type { Secret } from '../../../core/secret.ts';
import { atLeast, parseServerVersion } from '../mysql/server-version.ts';
import { parseServiceAddress } from '../service-address.ts';

export interface SqlServer {
	/** `host:port` or the path of a socket. */
	readonly address: string;
	readonly username: string;
	readonly password: () => Secret | null;
	/** `''` for none. */
	readonly database: string;
	/** PEM of the CA that the server's certificate must come from; `null` speaks without TLS. */
	readonly ca: string | null;
}

export interface SqlLimits {
	readonly timeoutMs: number;
	/** What the server itself allows every statement of the session; `timeoutMs` unless given. */
	readonly sessionTimeoutMs?: number;
	readonly maxRows: number;
	/** Bytes that the server may send in answer to one statement. */
	readonly maxBytes: number;
}

/** All values are text as the server wrote it, or `null`. */
export interface SqlResult {
	readonly columns: readonly string[];
	readonly rows: readonly (readonly (string | null)[])[];
	/** Whether there was more than `maxRows`. */
	readonly cut: boolean;
}

/** How often the amount that a server has sent is looked at. A single enormous row arrives as one event, so rows cannot be counted alone. */
const LOOK_MS = 20;

/**
 * A read-only session with one statement at a time. The first failure closes it, the next statement opens another. Throws
 * `FN_AGENT_SOURCE_CONNECT` and `FN_AGENT_SQL_FAILED` (both retryable); neither carries the statement's text or a value of it.
 */
export class SqlSession {
	readonly #server: SqlServer;
	#connection: Connection | null = null;
	#socket: Socket | null = null;
	/** Whether what was sent is too much; `null` between statements. */
	#look: (() => void) | null = null;

	constructor(server: SqlServer) {
		this.#server = server;
	}

	async query(statement: string, limits: SqlLimits, signal: AbortSignal): Promise<SqlResult> {
		const late = () => this.#ended(`no result of ${this.#server.address} within ${limits.timeoutMs} ms`);
		if (signal.aborted) throw late();
		let stop = (_reason: AppError) => {};
		const stopped = new Promise<never>((_, reject) => {
			stop = reject;
		});
		// The race below may have been decided before; a rejection that comes later must not end the process.
		stopped.catch(() => {});
		const timer = setTimeout(() => stop(late()), limits.timeoutMs);
		const onAbort = () => stop(late());
		signal.addEventListener('abort', onAbort, { once: true });
		try {
			return await Promise.race([this.#run(statement, limits, stop), stopped]);
		} catch (error) {
			this.close();
			throw error;
		} finally {
			clearTimeout(timer);
			signal.removeEventListener('abort', onAbort);
		}
	}

	close(): void {
		this.#connection?.destroy();
		this.#socket?.destroy();
		this.#connection = null;
		this.#socket = null;
	}

	/** Before the log-in is over the server cannot be reached, whatever the statement. */
	#ended(message: string): AppError {
		return new AppError(this.#connection === null ? 'FN_AGENT_SOURCE_CONNECT' : 'FN_AGENT_SQL_FAILED', message, { retryable: true });
	}

	async #run(statement: string, limits: SqlLimits, stop: (reason: AppError) => void): Promise<SqlResult> {
		let before = 0;
		const look = () => {
			if ((this.#socket?.bytesRead ?? 0) - before <= limits.maxBytes) return;
			stop(this.#ended(`${this.#server.address} sent more than ${limits.maxBytes} bytes`));
			this.#socket?.destroy();
		};
		this.#look = look;
		const timer = setInterval(look, LOOK_MS);
		try {
			const connection = this.#connection ?? (await this.#open(limits));
			before = this.#socket?.bytesRead ?? 0;
			return await send(connection, statement, limits.maxRows, this.#server.address);
		} finally {
			clearInterval(timer);
			if (this.#look === look) this.#look = null;
		}
	}

	async #open(limits: SqlLimits): Promise<Connection> {
		// Loaded when the first statement is sent, because a host without a database should not pay for the driver.
		const { createConnection } = await import('mysql2');
		const { address: text, username, database, ca } = this.#server;
		const address = parseServiceAddress(text, 3306);
		const password = this.#server.password();
		const socket = address.kind === 'socket' ? connect(address.path) : connect(address.port, address.host);
		socket.setNoDelay(true);
		// A fast server sends more between two looks than a host can spare. Once TLS has begun, the driver takes this listener away, and the timer looks.
		socket.on('data', () => this.#look?.());
		this.#socket = socket;
		const connection = createConnection({
			stream: socket,
			user: username,
			...(password === null ? {} : { password: password.reveal() }),
			...(database === '' ? {} : { database }),
			...(ca === null ? {} : { ssl: { ca, rejectUnauthorized: true } }),
			connectTimeout: limits.timeoutMs,
			multipleStatements: false,
			flags: ['-LOCAL_FILES'],
			rowsAsArray: true,
			typeCast: (field) => field.string(),
		});
		// A server that goes away between statements; without a listener the event would end the process.
		connection.on('error', () => {
			if (this.#connection === connection) this.close();
		});
		await new Promise<void>((resolve, reject) => {
			const fail = (error: unknown) =>
				reject(new AppError('FN_AGENT_SOURCE_CONNECT', `no connection to the database at ${text}`, { cause: error, retryable: true }));
			socket.on('error', fail);
			connection.on('error', fail);
			connection.connect((error) => (error === null ? resolve() : fail(error)));
		});
		const { rows } = await send(connection, 'SELECT VERSION()', 1, text);
		for (const setting of sessionSettings(rows[0]?.[0] ?? '', limits.sessionTimeoutMs ?? limits.timeoutMs))
			await send(connection, setting, 1, text);
		this.#connection = connection;
		return connection;
	}
}

/** What protects the server from us: nothing is written, nothing waits for a lock, and the server itself ends what takes too long. */
function sessionSettings(versionText: string, timeoutMs: number): readonly string[] {
	const version = parseServerVersion(versionText);
	const seconds = Math.max(1, Math.ceil(timeoutMs / 1000));
	const settings = [`SET SESSION lock_wait_timeout = ${seconds}`, 'SET SESSION TRANSACTION READ ONLY'];
	if (version.mariaDb && atLeast(version, 10, 1, 1)) settings.push(`SET SESSION max_statement_time = ${timeoutMs / 1000}`);
	if (!version.mariaDb && atLeast(version, 5, 7, 8)) settings.push(`SET SESSION max_execution_time = ${Math.ceil(timeoutMs)}`);
	return settings;
}

function send(connection: Connection, statement: string, maxRows: number, address: string): Promise<SqlResult> {
	return new Promise((resolve, reject) => {
		let columns: readonly string[] = [];
		const rows: (readonly (string | null)[])[] = [];
		let cut = false;
		const query = connection.query(statement);
		query.on('error', (error: unknown) => {
			const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'error';
			// The server's text repeats a part of the statement, which may hold what must not be in a log.
			reject(new AppError('FN_AGENT_SQL_FAILED', `the statement was refused by ${address} (${code})`, { retryable: true }));
		});
		query.on('fields', (fields: unknown) => {
			columns = Array.isArray(fields) ? fields.map((field: { readonly name?: unknown }) => String(field?.name ?? '')) : [];
		});
		query.on('result', (row: unknown) => {
			if (!Array.isArray(row)) return;
			if (rows.length < maxRows) rows.push(row as (string | null)[]);
			else cut = true;
		});
		query.on('end', () => resolve({ columns, rows, cut }));
	});
}

/** What is wrong with a statement that is meant to read, or `null`. A first look only: the session and the account are what protects. */
export function readStatementProblem(statement: string): string | null {
	const text = statement.trim().replace(/;\s*$/, '');
	if (!/^(select|show|with|\(\s*select)\b/i.test(text)) return 'a statement begins with SELECT, SHOW or WITH';
	if (/\binto\s+(outfile|dumpfile)\b/i.test(text)) return 'a statement that writes a file is not taken';
	if (/\bfor\s+update\b|\block\s+in\s+share\s+mode\b/i.test(text)) return 'a statement that locks rows is not taken';
	return null;
}
