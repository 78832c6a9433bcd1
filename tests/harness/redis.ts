import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { findCommand, freePort, type RunningProcess, started, startProcess, temporaryFolder, waitFor } from './process.ts';

export interface RedisServer {
	readonly port: number;
	readonly address: string;
	readonly password: string;
	stop(): Promise<void>;
	start(): Promise<void>;
	remove(): Promise<void>;
}

export function available(): boolean {
	return findCommand('redis-server') !== null;
}

/** Redis with a password; `replicaOf` makes it a replica of another one of these. */
export async function startRedis(options: { readonly replicaOf?: RedisServer } = {}): Promise<RedisServer> {
	const command = findCommand('redis-server') ?? 'redis-server';
	const folder = temporaryFolder('redis');
	const port = await freePort();
	const password = 'redis-test-password';
	const replica =
		options.replicaOf === undefined
			? []
			: ['--replicaof', `127.0.0.1 ${options.replicaOf.port}`, '--masterauth', options.replicaOf.password];
	let running: RunningProcess | null = null;
	const start = async () => {
		running = startProcess(command, [
			...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder.path, '--requirepass', password],
			...['--save', '', '--daemonize', 'no', '--repl-diskless-sync-delay', '0', ...replica],
		]);
		await waitFor(`redis on port ${port}`, () => accepts(port));
	};
	const stop = async () => {
		await running?.stop();
		running = null;
	};
	const server: RedisServer = {
		port,
		address: `127.0.0.1:${port}`,
		password,
		start,
		stop,
		remove: async () => {
			await stop();
			folder.remove();
		},
	};
	return started(server);
}

export interface RedisSentinel {
	readonly address: string;
	stop(): Promise<void>;
}

/** A sentinel that watches `master` under the name `mymaster`, alone (quorum 1). */
export async function startSentinel(master: RedisServer): Promise<RedisSentinel> {
	const folder = temporaryFolder('sentinel');
	const port = await freePort();
	const file = join(folder.path, 'sentinel.conf');
	writeFileSync(
		file,
		`port ${port}\nbind 127.0.0.1\ndir ${folder.path}\nsentinel monitor mymaster 127.0.0.1 ${master.port} 1\n` +
			`sentinel auth-pass mymaster ${master.password}\nsentinel down-after-milliseconds mymaster 500\nsentinel failover-timeout mymaster 60000\n`,
	);
	const process = startProcess(findCommand('redis-server') ?? 'redis-server', [file, '--sentinel']);
	await waitFor(`sentinel on port ${port}: ${process.output()}`, () => accepts(port));
	return {
		address: `127.0.0.1:${port}`,
		stop: async () => {
			await process.stop();
			folder.remove();
		},
	};
}

function accepts(port: number): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(port, '127.0.0.1');
		socket.on('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.on('error', () => resolve(false));
	});
}
