import { readFileSync } from 'node:fs';
import { parseDuration } from '../../core/duration.ts';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import type { CleanupStack } from '../../core/lifecycle.ts';
import type { AgentConfig } from '../config.ts';
import type { AgentMetrics } from '../self-metrics.ts';
import { endpoint } from '../uplink/destinations.ts';
import type { RemoteWriteClientOptions } from '../uplink/remote-write-client.ts';
import { type CallbacksOptions, startCallbacks } from './callbacks/callbacks.ts';
import type { ListenerTls } from './listener.ts';
import { RelayInbox, type RelayTarget } from './relay-inbox.ts';
import { startRelayServer } from './relay-server.ts';

/** Starts what the configuration says of relaying. Returns the address of its listener, `''` without one. */
export async function startRelay(what: {
	readonly options: { readonly config: AgentConfig } & Pick<CallbacksOptions, 'clock' | 'log' | 'env'>;
	readonly dataDir: string;
	/** How to reach the collector. */
	readonly connection: Omit<RemoteWriteClientOptions, 'url'> | null;
	readonly metrics: AgentMetrics;
	readonly cleanup: CleanupStack;
}): Promise<string> {
	const { connection, metrics, cleanup } = what;
	const { config, clock, log } = what.options;
	const { relay, collector } = config;
	if (relay === undefined) return '';
	if (relay.callbacks !== undefined) {
		// Not loaded by a dynamic import: the bundler would then wrap every module that it shares with the rest, 3 MB in each agent.
		await startCallbacks(
			{
				config: relay.callbacks,
				tls: readTls(relay.callbacks.tls, 'relay.callbacks.tls'),
				dataDir: what.dataDir,
				env: what.options.env,
				registry: metrics.registry,
				count: (kind, result) => metrics.relayed.inc({ what: kind, result }),
				clock,
				log,
			},
			cleanup,
		);
	}
	const target = targetOf(what);
	for (const { folder, every, delay } of target === null ? [] : relay.inbox) {
		const inbox = new RelayInbox({
			folder,
			everyMs: parseDuration(every),
			delayMs: parseDuration(delay),
			target: target as RelayTarget,
			onPassed: (result) => metrics.relayed.inc({ what: 'file', result }),
			clock,
			log,
		});
		inbox.start();
		cleanup.add(`relay of ${folder}`, () => inbox.stop());
	}
	if (relay.listen === undefined || collector === undefined || connection === null) return '';
	const server = await startRelayServer({
		listen: relay.listen,
		tls: readTls(relay.tls, 'relay.tls'),
		collector: collector.url,
		...(connection.ca === undefined ? {} : { ca: connection.ca }),
		timeoutMs: connection.timeoutMs,
		onPassed: (result) => metrics.relayed.inc({ what: 'request', result }),
		log,
	});
	cleanup.add('relay', () => server.close());
	return server.address;
}

function targetOf(what: Parameters<typeof startRelay>[0]): RelayTarget | null {
	const { config } = what.options;
	if (config.outbox !== undefined) return { kind: 'outbox', folder: config.outbox.folder };
	if (config.collector === undefined || what.connection === null) return null;
	const { token, ca, timeoutMs, userAgent } = what.connection;
	const url = endpoint(config.collector.url, '/api/fournines/v1/transfer');
	return { kind: 'collector', url, token, timeoutMs, userAgent, ...(ca === undefined ? {} : { ca }) };
}

function readTls(files: { readonly cert_file: string; readonly key_file: string } | undefined, key: string): ListenerTls | null {
	return files === undefined ? null : { cert: readPem(files.cert_file, key), key: readPem(files.key_file, key) };
}

function readPem(file: string, key: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new AppError('FN_AGENT_RELAY_TLS', `${file} cannot be read (${systemErrorCode(error)}); check ${key}`, { cause: error });
	}
}
