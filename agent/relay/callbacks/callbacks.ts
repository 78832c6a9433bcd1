import { join } from 'node:path';
import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../../../core/clock.ts';
import { parseDuration } from '../../../core/duration.ts';
import { errorText } from '../../../core/errors.ts';
import type { CleanupStack } from '../../../core/lifecycle.ts';
import type { Logger } from '../../../core/log.ts';
import { Repetition } from '../../../core/repetition.ts';
import { resolveSecret } from '../../../core/secret.ts';
import { type ListenerTls, listen } from '../listener.ts';
import { AddressLimit } from './address-limit.ts';
import { CallbackDesk } from './callback-desk.ts';
import { collectorSide } from './collector-side.ts';
import type { CallbacksConfig } from './config.ts';
import { publicSide } from './public-side.ts';
import { RequestFolder } from './request-folder.ts';

export interface CallbacksOptions {
	readonly config: CallbacksConfig;
	readonly tls: ListenerTls | null;
	readonly dataDir: string;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly registry: Registry;
	/** Counts requests by what became of them. */
	readonly count: (what: 'callback' | 'poll', result: string) => void;
	readonly clock: Clock;
	readonly log: Logger;
}

export interface RunningCallbacks {
	/** `host:port` of both sides as they really are. */
	readonly internet: string;
	readonly collector: string;
	/** New connections to both get this certificate. */
	renewTls(tls: ListenerTls): void;
}

const EXPIRE_EVERY_MS = 60_000;

/** Starts the relay for the internet zone. Throws `FN_AGENT_RELAY_LISTEN`, `FN_AGENT_RELAY_FOLDER` and `FN_SECRET_UNREADABLE`. */
export async function startCallbacks(options: CallbacksOptions, cleanup: CleanupStack): Promise<RunningCallbacks> {
	const { config, tls, env, clock, log, count } = options;
	const token = () => resolveSecret(config.token, env);
	token();
	const desk = new CallbackDesk({
		folder: new RequestFolder(join(options.dataDir, 'callbacks')),
		clock,
		log,
		holdMs: parseDuration(config.hold),
		maxPending: config.max_pending,
		maxBytes: config.max_bytes,
		maxAgeMs: parseDuration(config.max_age),
		count: (result) => count('callback', result),
	});
	await desk.load();
	new Gauge({
		name: 'fournines_agent_relay_pending_count',
		help: 'Requests from the internet that the collector has not dealt with.',
		registers: [options.registry],
		collect() {
			this.set(desk.pending);
		},
	});
	const expiry = new Repetition({
		clock,
		everyMs: () => EXPIRE_EVERY_MS,
		run: () => desk.expire(),
		onFailure: (error) => log.error({ error: errorText(error) }, 'old requests cannot be given up'),
	});
	expiry.start();
	cleanup.add('expiry of callbacks', () => expiry.stop());
	const inner = await listen(collectorSide({ desk, token, polled: (result) => count('poll', result), log }), {
		key: 'relay.callbacks.collector_listen',
		listen: config.collector_listen,
		tls,
		maxConnections: 64,
	});
	cleanup.add('relay to the collector', () => inner.close());
	const limit = new AddressLimit(config.max_per_minute);
	const outer = await listen(publicSide({ config, desk, limit, refuse: (result) => count('callback', result), clock, log }), {
		key: 'relay.callbacks.listen',
		listen: config.listen,
		tls,
		maxConnections: 512,
	});
	cleanup.add('relay of callbacks', () => outer.close());
	// Closed before the listeners, which wait for what they have under way.
	cleanup.add('callbacks', async () => desk.close());
	const addresses = { internet: outer.address, collector: inner.address };
	log.info({ ...addresses, kept: desk.pending }, 'callbacks are taken for the collector');
	const renewTls = (renewed: ListenerTls) => {
		for (const side of [inner, outer]) side.renewTls(renewed);
	};
	return { ...addresses, renewTls };
}
