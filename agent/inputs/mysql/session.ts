import { connect } from 'node:net';
import { AppError } from '../../../core/errors.ts';
import type { Secret } from '../../../core/secret.ts';
import { parseServiceAddress } from '../service-address.ts';
import type { Row } from './row.ts';
import { parseServerVersion, type ServerVersion } from './server-version.ts';

export interface SessionOptions {
	readonly address: string;
	readonly username: string;
	readonly password: () => Secret | null;
	readonly timeoutMs: number;
}

/** A connection with what was learnt when it was opened. One statement at a time. */
export interface MysqlSession {
	readonly version: ServerVersion;
	readonly comment: string;
	/** Rows as text. An answer of the server is thrown as the driver's error with `sqlState`; a broken or aborted connection as `FN_AGENT_SOURCE_CONNECT`. */
	query(sql: string, signal: AbortSignal): Promise<readonly Row[]>;
	/** Ends the connection at once; also one that hangs. */
	destroy(): void;
	/** Whether the connection has broken since. */
	broken(): boolean;
}

/** An answer that is longer cannot be one of ours; the driver would otherwise gather whatever a broken server sends. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** Opens a connection. Throws `FN_AGENT_SOURCE_CONNECT` (retryable). The password is in no message. */
export async function openSession(options: SessionOptions, signal: AbortSignal): Promise<MysqlSession> {
	// Loaded when the first server is read, because a host without one should not pay for the driver.
	const { createConnection } = await import('mysql2');
	const address = parseServiceAddress(options.address, 3306);
	const password = options.password();
	const failed = (cause: unknown) =>
		new AppError('FN_AGENT_SOURCE_CONNECT', `no connection to MySQL at ${options.address}`, { cause, retryable: true });
	const socket = address.kind === 'socket' ? connect(address.path) : connect(address.port, address.host);
	socket.setNoDelay(true);
	const connection = createConnection({
		stream: () => socket,
		user: options.username,
		...(password === null ? {} : { password: password.reveal() }),
		connectTimeout: options.timeoutMs,
		dateStrings: true,
		supportBigNumbers: true,
		bigNumberStrings: true,
		// Numbers as text: a position beyond 2^53 must not be rounded by the driver before anybody saw it.
		typeCast: (field) => field.string(),
	});
	let end: ((reason: Error) => void) | null = null;
	let broken = false;
	let received = 0;
	const destroy = (reason = 'the connection was closed') => {
		broken = true;
		connection.destroy();
		socket.destroy();
		end?.(failed(new Error(reason)));
	};
	// A server that goes away between rounds, or one that never greets; without a listener the event would end the process.
	connection.on('error', (error) => {
		broken = true;
		end?.(failed(error));
	});
	socket.on('data', (chunk) => {
		received += chunk.length;
		if (received > MAX_ANSWER_BYTES) destroy(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
	});
	const query = (sql: string, during: AbortSignal): Promise<readonly Row[]> =>
		new Promise((resolve, reject) => {
			const onAbort = () => destroy('the deadline is over');
			const settle = (act: () => void) => {
				end = null;
				during.removeEventListener('abort', onAbort);
				act();
			};
			end = (reason) => settle(() => reject(reason));
			if (broken) {
				end(failed(new Error('the connection has broken')));
				return;
			}
			if (during.aborted) {
				onAbort();
				return;
			}
			during.addEventListener('abort', onAbort, { once: true });
			received = 0;
			connection.query(sql, (error, rows) => {
				settle(() => {
					if (error === null) resolve(Array.isArray(rows) ? (rows as unknown as readonly Row[]) : []);
					else reject(isAnswer(error) ? error : failed(error));
				});
			});
		});
	try {
		const rows = await query('SELECT VERSION() AS version, @@version_comment AS comment', signal);
		// Metadata locks of a running ALTER must not hold a monitoring query for the default of a year.
		await query('SET SESSION lock_wait_timeout = 2', signal);
		return {
			version: parseServerVersion(rows[0]?.['version'] ?? ''),
			comment: rows[0]?.['comment'] ?? '',
			query,
			destroy: () => destroy(),
			broken: () => broken,
		};
	} catch (error) {
		destroy();
		throw error instanceof AppError ? error : failed(error);
	}
}

/** Whether the server said it (a missing privilege, a table that is not there), so that it concerns one statement; a lost connection concerns all. */
export function isAnswer(error: unknown): boolean {
	return typeof error === 'object' && error !== null && 'sqlState' in error && !('fatal' in error && error.fatal === true);
}
