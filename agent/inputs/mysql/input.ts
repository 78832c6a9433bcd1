import type { Connection } from 'mysql2/promise';
import { AppError, errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { Secret } from '../../../core/secret.ts';
import { FamilySet, type Input, singleGauge } from '../input.ts';
import { parseServiceAddress } from '../service-address.ts';
import { statusFamilies, statusStatement, variableFamilies, variablesStatement } from './global-status.ts';
import { type Row, replicationFamilies } from './replication.ts';
import { parseServerVersion, replicaStatusStatement, type ServerVersion } from './server-version.ts';

export interface MysqlInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly address: string;
	readonly username: string;
	readonly password: () => Secret | null;
	readonly log: Logger;
}

interface Session {
	readonly connection: Connection;
	readonly version: ServerVersion;
	readonly comment: string;
}

/** MySQL and MariaDB: one connection that is kept, one statement at a time. */
export function createMysqlInput(options: MysqlInputOptions): Input {
	let session: Session | null = null;

	const drop = () => {
		session?.connection.destroy();
		session = null;
	};

	const connect = async (signal: AbortSignal): Promise<Session> => {
		if (session !== null) return session;
		// Loaded when the first server is read, because a host without one should not pay for the driver.
		const { createConnection } = await import('mysql2/promise');
		const address = parseServiceAddress(options.address, 3306);
		const password = options.password();
		let connection: Connection;
		try {
			connection = await createConnection({
				...(address.kind === 'socket' ? { socketPath: address.path } : { host: address.host, port: address.port }),
				user: options.username,
				...(password === null ? {} : { password: password.reveal() }),
				connectTimeout: options.timeoutMs,
				dateStrings: true,
				supportBigNumbers: true,
				bigNumberStrings: true,
				// Numbers as text: a position beyond 2^53 must not be rounded by the driver before anybody saw it.
				typeCast: (field) => field.string(),
			});
		} catch (error) {
			throw new AppError('FN_AGENT_SOURCE_CONNECT', `no connection to MySQL at ${options.address}`, { cause: error, retryable: true });
		}
		// A server that goes away between rounds; without a listener the event would end the process.
		connection.on('error', () => {
			if (session?.connection === connection) drop();
		});
		if (signal.aborted) {
			connection.destroy();
			throw new AppError('FN_AGENT_SOURCE_CONNECT', `the connection to MySQL at ${options.address} came too late`, { retryable: true });
		}
		const rows = await query(connection, 'SELECT VERSION() AS version, @@version_comment AS comment');
		// Metadata locks of a running ALTER must not hold a monitoring query for the default of a year.
		await query(connection, 'SET SESSION lock_wait_timeout = 2');
		session = { connection, version: parseServerVersion(rows[0]?.['version'] ?? ''), comment: rows[0]?.['comment'] ?? '' };
		return session;
	};

	return {
		name: 'mysql',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('mysql_up', 'Whether the MySQL server is up.', 0)],
		async collect(signal) {
			const abort = () => drop();
			signal.addEventListener('abort', abort, { once: true });
			try {
				const { connection, version, comment } = await connect(signal);
				const families = new FamilySet();
				const parts = [
					{ part: 'status', run: async () => statusFamilies(pairs(await query(connection, statusStatement())), families) },
					{ part: 'variables', run: async () => variableFamilies(pairs(await query(connection, variablesStatement())), families) },
					{ part: 'replication', run: async () => replicationFamilies(await query(connection, replicaStatusStatement(version)), families) },
				];
				for (const { part, run } of parts) {
					const ok = await isolated(run, (error) => options.log.debug({ part, error: errorText(error) }, 'a part of MySQL cannot be read'));
					families.gauge(
						'fournines_mysql_part_success',
						'Whether the statement of this part succeeded; 0 is usually a missing privilege.',
						ok ? 1 : 0,
						['part', part],
					);
				}
				families.gauge('mysql_up', 'Whether the MySQL server is up.', 1);
				families.gauge('mysql_version_info', 'MySQL version and distribution; the value is always 1.', 1, [
					'version',
					version.text,
					'version_comment',
					comment,
				]);
				return families.list();
			} catch (error) {
				drop();
				throw error;
			} finally {
				signal.removeEventListener('abort', abort);
			}
		},
		async close() {
			drop();
		},
	};
}

async function query(connection: Connection, sql: string): Promise<readonly Row[]> {
	const [rows] = await connection.query(sql);
	return Array.isArray(rows) ? (rows as readonly Row[]) : [];
}

/** Whether `run` succeeded. An answer of the server (a missing privilege) concerns this part only; a lost connection concerns all and is thrown. */
async function isolated(run: () => Promise<void>, onError: (error: unknown) => void): Promise<boolean> {
	try {
		await run();
		return true;
	} catch (error) {
		const answered = typeof error === 'object' && error !== null && 'sqlState' in error && !('fatal' in error && error.fatal === true);
		if (!answered) throw error;
		onError(error);
		return false;
	}
}

function pairs(rows: readonly Row[]): (readonly [string, string])[] {
	return rows.map((row) => [row['Variable_name'] ?? '', row['Value'] ?? ''] as const);
}
