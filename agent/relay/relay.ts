import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { parseDuration } from '../../core/duration.ts';
import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import type { CleanupStack } from '../../core/lifecycle.ts';
import type { AgentConfig } from '../config.ts';
import type { AgentMetrics } from '../self-metrics.ts';
import { endpoint } from '../uplink/destinations.ts';
import type { RemoteWriteClientOptions } from '../uplink/remote-write-client.ts';
import { type CallbacksOptions, startCallbacks } from './callbacks/callbacks.ts';
import type { ListenerTls } from './listener.ts';
import { RelayInbox, type RelayTarget } from './relay-inbox.ts';
import { startRelayServer } from './relay-server.ts';

export interface RunningRelay {
	/** `host:port` that the agents of the zone send to, `''` without one. */
	readonly address: string;
	/** Reads the certificates again; new connections have them once what is returned was called. Throws `FN_AGENT_RELAY_TLS`. */
	prepareTls(): () => void;
}

/** Starts what the configuration says of relaying. Throws what its parts throw, and `FN_AGENT_RELAY_TLS`. */
export async function startRelay(what: {
	readonly options: { readonly config: AgentConfig } & Pick<CallbacksOptions, 'clock' | 'log' | 'env'>;
	readonly dataDir: string;
	/** How to reach the collector. */
	readonly connection: Omit<RemoteWriteClientOptions, 'url'> | null;
	readonly metrics: AgentMetrics;
	readonly cleanup: CleanupStack;
}): Promise<RunningRelay> {
	const { connection, metrics, cleanup } = what;
	const { config, clock, log } = what.options;
	const { relay, collector } = config;
	const secured: { readonly read: () => ListenerTls | null; readonly renewTls: (tls: ListenerTls) => void }[] = [];
	const prepareTls = () => {
		const renewed = secured.map(({ read, renewTls }) => ({ tls: read(), renewTls }));
		return () => {
			for (const { tls, renewTls } of renewed) if (tls !== null) renewTls(tls);
		};
	};
	if (relay === undefined) return { address: '', prepareTls };
	if (relay.callbacks !== undefined) {
		const files = relay.callbacks.tls;
		const read = () => readTls(files, 'relay.callbacks.tls');
		// Not loaded by a dynamic import: the bundler would then wrap every module that it shares with the rest, 3 MB in each agent.
		const { renewTls } = await startCallbacks(
			{
				config: relay.callbacks,
				tls: read(),
				dataDir: what.dataDir,
				env: what.options.env,
				registry: metrics.registry,
				count: (kind, result) => metrics.relayed.inc({ what: kind, result }),
				clock,
				log,
			},
			cleanup,
		);
		secured.push({ read, renewTls });
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
	if (relay.listen === undefined || collector === undefined || connection === null) return { address: '', prepareTls };
	const read = () => readTls(relay.tls, 'relay.tls');
	const server = await startRelayServer({
		listen: relay.listen,
		tls: read(),
		collector: collector.url,
		...(connection.ca === undefined ? {} : { ca: connection.ca }),
		timeoutMs: connection.timeoutMs,
		onPassed: (result) => metrics.relayed.inc({ what: 'request', result }),
		log,
	});
	cleanup.add('relay', () => server.close());
	secured.push({ read, renewTls: server.renewTls });
	return { address: server.address, prepareTls };
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
	if (files === undefined) return null;
	const found = { cert: readPem(files.cert_file, key), key: readPem(files.key_file, key) };
	try {
		createSecureContext(found);
	} catch (error) {
		throw new AppError(
			'FN_AGENT_RELAY_TLS',
			`${files.cert_file} and ${files.key_file} are not a certificate and its key, in PEM (${errorText(error)}); check ${key}`,
			{ cause: error },
		);
	}
	return found;
}

function readPem(file: string, key: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new AppError('FN_AGENT_RELAY_TLS', `${file} cannot be read (${systemErrorCode(error)}); check ${key}`, { cause: error });
	}
}
