import { errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { FamilySet } from '../input.ts';
import type { Row } from './row.ts';
import { isAnswer, type MysqlSession } from './session.ts';

/** `database.table` in backquotes. The configuration lets nothing through that would need escaping. */
export function quotedTable(table: string): string {
	return table
		.split('.')
		.map((part) => `\`${part}\``)
		.join('.');
}

/** The table as pt-heartbeat keeps it: `ts` is text in UTC, a row per server that writes. */
export function heartbeatStatement(table: string): string {
	return `SELECT server_id AS server_id, UNIX_TIMESTAMP(ts) AS stored, UNIX_TIMESTAMP(NOW(6)) AS now FROM ${quotedTable(table)} LIMIT 100`;
}

/** The session reads `ts` as UTC; `utc: false` is for a pt-heartbeat that was started without `--utc`. */
export function heartbeatZoneStatement(utc: boolean): string {
	return utc ? "SET SESSION time_zone = '+00:00'" : 'SET SESSION time_zone = DEFAULT';
}

/** In mysqld_exporter's names. Their difference is the lag that counts: it grows also while the master is frozen and `Seconds_Behind_Master` says 0. */
export function heartbeatFamilies(rows: readonly Row[], families: FamilySet): void {
	for (const row of rows) {
		const labels = ['server_id', row['server_id'] ?? ''];
		if (row['stored'] == null || row['now'] == null) continue;
		families.gauge('mysql_heartbeat_now_timestamp_seconds', 'Timestamp of the current server.', Number(row['now']), labels);
		families.gauge('mysql_heartbeat_stored_timestamp_seconds', 'Timestamp stored in the heartbeat table.', Number(row['stored']), labels);
	}
}

export interface HeartbeatWriterOptions {
	readonly table: string;
	readonly intervalMs: number;
	readonly open: (signal: AbortSignal) => Promise<MysqlSession>;
	readonly log: Logger;
}

/**
 * Writes the heartbeat row of this server, as pt-heartbeat does, over a connection of its own. Never on a server that is
 * `read_only`: the row would be an errant transaction there. Time and server id travel as literals, because a statement
 * that calls a function for them would store the replica's own under statement-based replication.
 */
export class HeartbeatWriter {
	readonly #options: HeartbeatWriterOptions;
	readonly #stopping = new AbortController();
	#running: Promise<void> | null = null;
	#session: MysqlSession | null = null;
	#state: 'ok' | 'read_only' | 'failed' = 'failed';
	#writes = 0;

	constructor(options: HeartbeatWriterOptions) {
		this.#options = options;
	}

	start(): void {
		this.#running ??= this.#run();
	}

	async stop(): Promise<void> {
		this.#stopping.abort();
		this.#session?.destroy();
		await this.#running;
	}

	families(families: FamilySet): void {
		families.gauge(
			'fournines_mysql_heartbeat_writing',
			'1 while the agent writes the heartbeat; 0 on a read-only server and when writing fails.',
			this.#state === 'ok' ? 1 : 0,
			['state', this.#state],
		);
		families.counter('fournines_mysql_heartbeat_writes_total', 'Heartbeats written.', this.#writes);
	}

	async #run(): Promise<void> {
		const { signal } = this.#stopping;
		while (!signal.aborted) {
			const started = Date.now();
			const deadline = new AbortController();
			const giveUp = () => deadline.abort();
			const timer = setTimeout(giveUp, Math.max(2000, this.#options.intervalMs * 2));
			signal.addEventListener('abort', giveUp, { once: true });
			try {
				this.#set((await this.#write(deadline.signal)) ? 'ok' : 'read_only', null);
			} catch (error) {
				// A refused statement leaves the connection as it is; anything else has ended it.
				if (!isAnswer(error)) this.#drop();
				if (!signal.aborted) this.#set('failed', error);
			} finally {
				clearTimeout(timer);
				signal.removeEventListener('abort', giveUp);
			}
			await pause(Math.max(0, this.#options.intervalMs - (Date.now() - started)), signal);
		}
		this.#drop();
	}

	async #write(signal: AbortSignal): Promise<boolean> {
		if (this.#session === null || this.#session.broken()) this.#session = await this.#options.open(signal);
		const session = this.#session;
		const [row] = await session.query(
			"SELECT @@GLOBAL.read_only AS read_only, @@GLOBAL.server_id AS server_id, DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%f') AS ts",
			signal,
		);
		const readOnly = row?.['read_only'] ?? '1';
		const serverId = row?.['server_id'] ?? '';
		const ts = row?.['ts'] ?? '';
		// 0 and OFF are the words of "not"; MariaDB 12 knows more than two values.
		if (!/^(0|off)$/i.test(readOnly)) return false;
		if (!/^[0-9]+$/.test(serverId) || !/^[0-9T:.-]+$/.test(ts)) return false;
		await session.query(
			`INSERT INTO ${quotedTable(this.#options.table)} (ts, server_id) VALUES ('${ts}', ${serverId}) ON DUPLICATE KEY UPDATE ts = '${ts}'`,
			signal,
		);
		this.#writes++;
		return true;
	}

	#set(state: 'ok' | 'read_only' | 'failed', error: unknown): void {
		if (state !== this.#state) {
			const fields = { table: this.#options.table, ...(error === null ? {} : { error: errorText(error) }) };
			if (state === 'failed') this.#options.log.warn(fields, 'the heartbeat cannot be written');
			else this.#options.log.info({ ...fields, state }, 'the heartbeat changes its state');
		}
		this.#state = state;
	}

	#drop(): void {
		this.#session?.destroy();
		this.#session = null;
	}
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
	return new Promise((resolve) => {
		if (signal.aborted) {
			resolve();
			return;
		}
		const finish = () => {
			clearTimeout(timer);
			signal.removeEventListener('abort', finish);
			resolve();
		};
		const timer = setTimeout(finish, ms);
		signal.addEventListener('abort', finish, { once: true });
	});
}
