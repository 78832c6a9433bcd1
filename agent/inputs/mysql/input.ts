import { errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { Secret } from '../../../core/secret.ts';
import { FamilySet, type Input, type MetricFamily, singleGauge } from '../input.ts';
import { type DailyOptions, isDue, readDaily } from './daily.ts';
import { statusFamilies, statusStatement, variableFamilies, variablesStatement } from './global-status.ts';
import { HeartbeatWriter, heartbeatFamilies, heartbeatStatement, heartbeatZoneStatement } from './heartbeat.ts';
import { gtidFamilies, sourceStatusFamilies } from './positions.ts';
import { replicationFamilies } from './replication.ts';
import type { Row } from './row.ts';
import { gtidStatement, replicaStatusStatement, sourceStatusStatement } from './server-version.ts';
import { isAnswer, type MysqlSession, openSession } from './session.ts';
import { PROCESSLIST, processlistFamilies, TRANSACTIONS, transactionFamilies } from './threads.ts';

export interface HeartbeatOptions {
	/** `database.table` */
	readonly table: string;
	readonly utc: boolean;
	/** `null`: only read. */
	readonly writeEveryMs: number | null;
}

export interface MysqlInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly address: string;
	readonly username: string;
	readonly password: () => Secret | null;
	readonly log: Logger;
	/** `null`, the default: there is no heartbeat table. */
	readonly heartbeat?: HeartbeatOptions | null;
	/** `null`, the default: nothing is done daily. */
	readonly daily?: DailyOptions | null;
}

/** Longest run of the daily statements. */
const DAILY_TIMEOUT_MS = 5 * 60_000;

/** MySQL and MariaDB: one connection that is kept, one statement at a time; another one while the heartbeat is written, and one for some minutes at night. */
export function createMysqlInput(options: MysqlInputOptions): Input {
	const heartbeat = options.heartbeat ?? null;
	let session: MysqlSession | null = null;
	let zoned = false;
	const writer =
		heartbeat === null || heartbeat.writeEveryMs === null
			? null
			: new HeartbeatWriter({
					table: heartbeat.table,
					intervalMs: heartbeat.writeEveryMs,
					open: (signal) => openSession(options, signal),
					log: options.log,
				});
	const daily = options.daily == null ? null : new DailyWork(options, options.daily);

	const drop = () => {
		session?.destroy();
		session = null;
		zoned = false;
	};

	return {
		name: 'mysql',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('mysql_up', 'Whether the MySQL server is up.', 0)],
		async collect(signal, nowMs) {
			writer?.start();
			try {
				if (session === null || session.broken()) {
					drop();
					session = await openSession(options, signal);
				}
				const open = session;
				const { version } = open;
				const families = new FamilySet();
				const query = (sql: string) => open.query(sql, signal);
				let replicaRows: readonly Row[] = [];
				const parts: { readonly part: string; readonly run: () => Promise<void> }[] = [
					{ part: 'status', run: async () => statusFamilies(pairs(await query(statusStatement())), families) },
					{ part: 'variables', run: async () => variableFamilies(pairs(await query(variablesStatement())), families) },
					{
						part: 'replication',
						run: async () => {
							replicaRows = await query(replicaStatusStatement(version));
							replicationFamilies(replicaRows, families);
						},
					},
					{ part: 'positions', run: async () => sourceStatusFamilies(await query(sourceStatusStatement(version)), families) },
					{
						part: 'gtid',
						run: async () => {
							const sql = gtidStatement(version);
							if (sql !== null) gtidFamilies((await query(sql))[0], version.mariaDb, families);
						},
					},
					{ part: 'threads', run: async () => processlistFamilies(await query(PROCESSLIST), families) },
					{ part: 'transactions', run: async () => transactionFamilies(await query(TRANSACTIONS), families) },
				];
				if (heartbeat !== null) {
					const run = async () => {
						if (!zoned) await query(heartbeatZoneStatement(heartbeat.utc));
						zoned = true;
						heartbeatFamilies(await query(heartbeatStatement(heartbeat.table)), families);
					};
					parts.push({ part: 'heartbeat', run });
				}
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
					open.comment,
				]);
				writer?.families(families);
				const all = families.list();
				return daily === null ? all : [...all, ...daily.advance(nowMs, replicaRows.length > 0, all)];
			} catch (error) {
				drop();
				throw error;
			}
		},
		async close() {
			drop();
			await writer?.stop();
			await daily?.stop();
		},
	};
}

/** The statements that are too heavy for every round: started by a round, never waited for, their last result repeated until the next day. */
class DailyWork {
	readonly #connection: MysqlInputOptions;
	readonly #options: DailyOptions;
	readonly #stopping = new AbortController();
	#lastDay = '';
	#result: readonly MetricFamily[] = [];
	#running: Promise<void> | null = null;

	constructor(connection: MysqlInputOptions, options: DailyOptions) {
		this.#connection = connection;
		this.#options = options;
	}

	/** What is known; begins the day's run when it is due. `round` are the families of this round, which tell whether replicas read from here. */
	advance(nowMs: number, isReplica: boolean, round: readonly MetricFamily[]): readonly MetricFamily[] {
		const { due, day } = isDue(this.#options.at, nowMs, this.#lastDay);
		if (due && this.#running === null) {
			this.#lastDay = day;
			const replicas = round.find((family) => family.name === 'fournines_mysql_connected_replicas')?.measurements[0]?.value ?? 0;
			if (isReplica || replicas === 0 || this.#options.onMaster) this.#running = this.#run(nowMs);
		}
		return this.#result;
	}

	async stop(): Promise<void> {
		this.#stopping.abort();
		await this.#running;
	}

	async #run(nowMs: number): Promise<void> {
		const { signal } = this.#stopping;
		const deadline = new AbortController();
		const giveUp = () => deadline.abort();
		const timer = setTimeout(giveUp, DAILY_TIMEOUT_MS);
		signal.addEventListener('abort', giveUp, { once: true });
		let session: MysqlSession | null = null;
		try {
			session = await openSession(this.#connection, deadline.signal);
			this.#result = await readDaily(session, this.#options, deadline.signal, nowMs);
		} catch (error) {
			if (!signal.aborted) this.#connection.log.warn({ error: errorText(error) }, 'the daily statements failed; the next try is tomorrow');
		} finally {
			clearTimeout(timer);
			signal.removeEventListener('abort', giveUp);
			session?.destroy();
			this.#running = null;
		}
	}
}

/** Whether `run` succeeded. An answer of the server (a missing privilege) concerns this part only; a lost connection concerns all and is thrown. */
async function isolated(run: () => Promise<void>, onError: (error: unknown) => void): Promise<boolean> {
	try {
		await run();
		return true;
	} catch (error) {
		if (!isAnswer(error)) throw error;
		onError(error);
		return false;
	}
}

function pairs(rows: readonly Row[]): (readonly [string, string])[] {
	return rows.map((row) => [row['Variable_name'] ?? '', row['Value'] ?? ''] as const);
}
