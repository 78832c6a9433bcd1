import type { Redis } from 'ioredis';
import { AppError } from '../../../core/errors.ts';
import type { Secret } from '../../../core/secret.ts';
import { FamilySet, type Input, singleGauge } from '../input.ts';
import { parseServiceAddress } from '../service-address.ts';
import { infoFamilies, parseInfo } from './info.ts';
import { configFamilies, latencyFamilies, slowLogFamilies } from './slow-log.ts';

export interface RedisInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly address: string;
	readonly username: string | null;
	readonly password: () => Secret | null;
}

/** An answer that is longer cannot be one of ours; the driver would otherwise gather whatever something that is no Redis sends. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** A command that the account may not use is asked for again after this time only: each refusal is an entry of the server's ACL log. */
const REFUSED_PAUSE_MS = 10 * 60_000;

/** Redis through one `INFO` per round, and slow log, latency and two limits where the account may, on one connection that is kept. */
export function createRedisInput(options: RedisInputOptions): Input {
	let client: Redis | null = null;
	let received = 0;
	const refusedUntilMs = new Map<string, number>();

	const drop = () => {
		client?.disconnect();
		client = null;
	};

	const connect = async (signal: AbortSignal): Promise<Redis> => {
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
		created.on('connect', () => {
			created.stream.on('data', (chunk: Buffer) => {
				received += chunk.length;
				if (received <= MAX_ANSWER_BYTES) return;
				lastError = new Error(`the answer is longer than ${MAX_ANSWER_BYTES} bytes`);
				created.stream.destroy();
				created.disconnect();
			});
		});
		created.on('end', () => {
			if (client === created) client = null;
		});
		received = 0;
		const abort = () => {
			created.disconnect();
			created.stream?.destroy();
		};
		signal.addEventListener('abort', abort, { once: true });
		try {
			await created.connect();
		} catch (error) {
			created.disconnect();
			throw new AppError('FN_AGENT_SOURCE_CONNECT', `no connection to Redis at ${options.address}`, {
				cause: lastError ?? error,
				retryable: true,
			});
		} finally {
			signal.removeEventListener('abort', abort);
		}
		client = created;
		return created;
	};

	return {
		name: 'redis',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('redis_up', 'Information about the Redis instance', 0)],
		async collect(signal, nowMs) {
			const abort = () => drop();
			signal.addEventListener('abort', abort, { once: true });
			try {
				const connection = await connect(signal);
				received = 0;
				const info = parseInfo(await connection.info());
				const families = new FamilySet();
				const sentinel = info.get('redis_mode') === 'sentinel';
				for (const { part, run } of sentinel ? [] : optionalParts(connection, families, info.has('maxclients'))) {
					if (nowMs < (refusedUntilMs.get(part) ?? 0)) {
						partSuccess(part, 0, families);
						continue;
					}
					try {
						await run();
						partSuccess(part, 1, families);
					} catch (error) {
						// What the server says concerns this command; anything else the connection.
						if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
						refusedUntilMs.set(part, nowMs + REFUSED_PAUSE_MS);
						partSuccess(part, 0, families);
					}
				}
				return [...infoFamilies(info, nowMs), ...families.list()];
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

function optionalParts(
	connection: Redis,
	families: FamilySet,
	hasMaxClients: boolean,
): readonly { readonly part: string; readonly run: () => Promise<void> }[] {
	return [
		{
			part: 'slowlog',
			run: async () => slowLogFamilies(await connection.call('SLOWLOG', 'LEN'), await connection.call('SLOWLOG', 'GET', '1'), families),
		},
		{ part: 'latency', run: async () => latencyFamilies(await connection.call('LATENCY', 'LATEST'), families) },
		{ part: 'config', run: async () => configFamilies(await connection.call('CONFIG', 'GET', 'max*'), families, hasMaxClients) },
	];
}

function partSuccess(part: string, success: 0 | 1, families: FamilySet): void {
	families.gauge('fournines_redis_part_success', 'Whether the commands of this part succeeded; 0 is usually a missing right.', success, [
		'part',
		part,
	]);
}
