import type { Redis } from 'ioredis';
import { AppError } from '../../../core/errors.ts';
import type { Secret } from '../../../core/secret.ts';
import { type Input, singleGauge } from '../input.ts';
import { parseServiceAddress } from '../service-address.ts';
import { infoFamilies, parseInfo } from './info.ts';

export interface RedisInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly address: string;
	readonly username: string | null;
	readonly password: () => Secret | null;
}

/** Redis through one `INFO` per round on one connection that is kept. */
export function createRedisInput(options: RedisInputOptions): Input {
	let client: Redis | null = null;

	const drop = () => {
		client?.disconnect();
		client = null;
	};

	const connect = async (): Promise<Redis> => {
		if (client !== null) return client;
		// Loaded when the first Redis is read, because a host without one should not pay for the driver.
		const { Redis: Driver } = await import('ioredis');
		const address = parseServiceAddress(options.address, 6379);
		const password = options.password();
		const created = new Driver({
			...(address.kind === 'socket' ? { path: address.path } : { host: address.host, port: address.port }),
			...(options.username === null ? {} : { username: options.username }),
			...(password === null ? {} : { password: password.reveal() }),
			lazyConnect: true,
			connectTimeout: options.timeoutMs,
			commandTimeout: options.timeoutMs,
			// The rounds are the retry; a queue of old commands would only answer late.
			retryStrategy: () => null,
			maxRetriesPerRequest: 0,
			enableOfflineQueue: false,
			enableReadyCheck: false,
			// CLIENT SETINFO and SETNAME are refused to an account that may only read INFO.
			disableClientInfo: true,
		});
		// Without a listener ioredis prints to the console; the failure reaches us through the call.
		let lastError: unknown = null;
		created.on('error', (error: unknown) => {
			lastError = error;
		});
		created.on('end', () => {
			if (client === created) client = null;
		});
		try {
			await created.connect();
		} catch (error) {
			created.disconnect();
			throw new AppError('FN_AGENT_SOURCE_CONNECT', `no connection to Redis at ${options.address}`, {
				cause: lastError ?? error,
				retryable: true,
			});
		}
		client = created;
		return created;
	};

	return {
		name: 'redis',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('redis_up', 'Whether the last INFO succeeded.', 0)],
		async collect(signal, nowMs) {
			const abort = () => drop();
			signal.addEventListener('abort', abort, { once: true });
			try {
				const connection = await connect();
				return infoFamilies(parseInfo(await connection.info()), nowMs);
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
