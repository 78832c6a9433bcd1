import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mysql2/promise';
import { findCommand, freePort, type RunningProcess, runCommand, startProcess, temporaryFolder, waitFor } from './process.ts';

export interface MariaDbServer {
	readonly port: number;
	readonly address: string;
	/** Account with the least privileges that monitoring needs. */
	readonly username: string;
	readonly password: string;
	/** Runs a statement as an administrator and returns its rows. */
	sql(statement: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
	stop(): Promise<void>;
	start(): Promise<void>;
	kill(): Promise<void>;
	/** Stops the process where it stands (SIGSTOP), its connections open, until `thaw`. */
	freeze(): void;
	thaw(): void;
	remove(): Promise<void>;
}

export interface MariaDbPair {
	readonly master: MariaDbServer;
	/** Replicates from `master`; both threads run when the pair is handed over. */
	readonly replica: MariaDbServer;
	remove(): Promise<void>;
}

const USERNAME = 'watcher';
const PASSWORD = 'mariadb-test-password';

export function available(): boolean {
	return findCommand('mariadbd') !== null && findCommand('mariadb-install-db') !== null;
}

/** A server of its own in a temporary folder. Runs as `nobody` when the tests run as root, which the server refuses to be. */
export async function startMariaDb(
	options: { readonly serverId?: number; readonly arguments?: readonly string[] } = {},
): Promise<MariaDbServer> {
	const folder = temporaryFolder('mariadb');
	const port = await freePort();
	const owner = process.getuid?.() === 0 ? unprivilegedUser() : null;
	const data = join(folder.path, 'data');
	const socket = join(folder.path, 's');
	const temporary = join(folder.path, 'tmp');
	for (const path of [data, temporary]) mkdirSync(path);
	if (owner !== null) {
		chmodSync(folder.path, 0o755);
		for (const path of [folder.path, data, temporary]) chownSync(path, owner.uid, owner.gid);
	}
	const identity = owner === null ? {} : { uid: owner.uid, gid: owner.gid };
	const small = ['--innodb-buffer-pool-size=16M', '--innodb-log-file-size=4M', '--aria-pagecache-buffer-size=2M', '--key-buffer-size=1M'];
	let running: RunningProcess | null = null;

	const start = async () => {
		const child = startProcess(
			findCommand('mariadbd') ?? 'mariadbd',
			[
				...['--no-defaults', `--datadir=${data}`, `--socket=${socket}`, `--pid-file=${join(folder.path, 'pid')}`, `--tmpdir=${temporary}`],
				...['--bind-address=127.0.0.1', `--port=${port}`, '--skip-name-resolve', `--server-id=${options.serverId ?? 1}`],
				...['--log-bin=binlog', '--binlog-format=ROW', '--relay-log=relay', '--skip-slave-start', '--slave-net-timeout=60', ...small],
				...(options.arguments ?? []),
			],
			identity,
		);
		running = child;
		await waitFor(
			'MariaDB to answer',
			async () => {
				const connection = await administrator(socket);
				await connection.end();
				return true;
			},
			{ intervalMs: 100 },
		).catch((error: unknown) => {
			throw new Error(`${error instanceof Error ? error.message : String(error)}\n${child.output()}`);
		});
	};
	const stop = async () => {
		await running?.stop();
		running = null;
	};
	const server: MariaDbServer = {
		port,
		address: `127.0.0.1:${port}`,
		username: USERNAME,
		password: PASSWORD,
		sql: async (statement) => {
			const connection = await administrator(socket);
			try {
				const [rows] = await connection.query(statement);
				return Array.isArray(rows) ? (rows as Readonly<Record<string, unknown>>[]) : [];
			} finally {
				await connection.end();
			}
		},
		start,
		stop,
		kill: async () => {
			running?.kill('SIGKILL');
			await running?.exited;
			running = null;
		},
		freeze: () => running?.kill('SIGSTOP'),
		thaw: () => running?.kill('SIGCONT'),
		remove: async () => {
			running?.kill('SIGCONT');
			await stop();
			folder.remove();
		},
	};
	try {
		const install = startProcess(
			findCommand('mariadb-install-db') ?? 'mariadb-install-db',
			[
				'--no-defaults',
				`--datadir=${data}`,
				`--tmpdir=${temporary}`,
				'--auth-root-authentication-method=normal',
				'--skip-test-db',
				...small,
			],
			identity,
		);
		const code = await install.exited;
		if (code !== 0) throw new Error(`mariadb-install-db ended with ${code}:\n${install.output()}`);
		await start();
		// Not in the binary log: on a replica the account would otherwise arrive twice.
		const connection = await administrator(socket);
		await connection.query('SET SESSION sql_log_bin = 0');
		await connection.query(`CREATE USER '${USERNAME}'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`);
		await connection.query(`GRANT PROCESS, SLAVE MONITOR, BINLOG MONITOR ON *.* TO '${USERNAME}'@'127.0.0.1'`);
		await connection.end();
	} catch (error) {
		await server.remove();
		throw error;
	}
	return server;
}

/** A master and a replica, with replication running. */
export async function startMariaDbPair(options: { readonly arguments?: readonly string[] } = {}): Promise<MariaDbPair> {
	const servers = await Promise.allSettled([startMariaDb({ ...options, serverId: 1 }), startMariaDb({ ...options, serverId: 2 })]);
	const started = servers.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
	const remove = async () => {
		for (const server of [...started].reverse()) await server.remove();
	};
	const [master, replica] = started;
	if (master === undefined || replica === undefined) {
		await remove();
		throw servers.find((result) => result.status === 'rejected')?.reason ?? new Error('MariaDB did not start');
	}
	try {
		await master.sql(`CREATE USER 'replication'@'127.0.0.1' IDENTIFIED BY '${PASSWORD}'`);
		await master.sql(`GRANT REPLICATION SLAVE ON *.* TO 'replication'@'127.0.0.1'`);
		const [status] = await master.sql('SHOW MASTER STATUS');
		await replica.sql(
			`CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${master.port}, MASTER_USER='replication', MASTER_PASSWORD='${PASSWORD}', ` +
				`MASTER_LOG_FILE='${String(status?.['File'])}', MASTER_LOG_POS=${Number(status?.['Position'])}, MASTER_CONNECT_RETRY=1`,
		);
		await replica.sql('START SLAVE');
		await waitFor('replication to run', async () => {
			const [row] = await replica.sql('SHOW SLAVE STATUS');
			return row?.['Slave_IO_Running'] === 'Yes' && row['Slave_SQL_Running'] === 'Yes';
		});
	} catch (error) {
		await remove();
		throw error;
	}
	return { master, replica, remove };
}

function administrator(socket: string): Promise<Connection> {
	return createConnection({ socketPath: socket, user: 'root', connectTimeout: 30_000 });
}

function unprivilegedUser(): { readonly uid: number; readonly gid: number } {
	const line = readFileSync('/etc/passwd', 'utf8')
		.split('\n')
		.find((text) => text.startsWith('nobody:'));
	const [, , uid, gid] = line?.split(':') ?? [];
	return { uid: Number(uid ?? runCommand('id', ['-u', 'nobody'])), gid: Number(gid ?? runCommand('id', ['-g', 'nobody'])) };
}
