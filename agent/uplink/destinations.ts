import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import type { CleanupStack } from '../../core/lifecycle.ts';
import type { Logger } from '../../core/log.ts';
import { resolveSecret, type Secret, type SecretRef } from '../../core/secret.ts';
import type { WriteSeries } from '../../protocol/remote-write/write-series.ts';
import { caReader } from '../ca-file.ts';
import type { AgentConfig } from '../config.ts';
import type { AgentMetrics } from '../self-metrics.ts';
import { RecordEncoder } from './record-codec.ts';
import { RemoteWriteClient, type RemoteWriteClientOptions, type SampleSink } from './remote-write-client.ts';
import { Sender } from './sender.ts';
import { Spool } from './spool.ts';
import type { UplinkMetrics } from './uplink-metrics.ts';

export interface UplinkOptions {
	readonly config: AgentConfig;
	/** How to reach the collector; without it only `remote_write` is sent to. */
	readonly collector: Omit<RemoteWriteClientOptions, 'url'> | null;
	/** Called whenever the collector has answered. */
	readonly onReached: () => void;
	/** What takes the collector's place where only files can leave. */
	readonly outbox: SampleSink | null;
	readonly dataDir: string;
	readonly metrics: AgentMetrics;
	readonly userAgent: string;
	/** Where `{ env: … }` secrets are looked up. */
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly clock: Clock;
	readonly log: Logger;
	/** How long stopping may try to send what is left. */
	readonly flushMs: number;
}

/** Everything that samples are sent to, each with a spool and a sender of its own, so that one that is away holds nobody else up. */
export interface Uplink {
	append(batch: readonly WriteSeries[], nowMs: number): void;
	start(): void;
	/** Brings the metrics of the spools up to date. */
	measure(): void;
}

interface Destination {
	readonly spool: Spool;
	readonly sender: Sender;
	readonly metrics: UplinkMetrics;
	readonly maxBytes: number;
}

/** Opens the spools. Throws an `AppError` when a folder, a secret or a CA file cannot be used; what is open is then on the stack. */
export function openUplink(options: UplinkOptions, cleanup: CleanupStack): Uplink {
	const { config, collector, outbox } = options;
	const destinations: Destination[] = [];
	const encoder = new RecordEncoder();
	if (collector !== null && config.collector !== undefined) {
		destinations.push(
			openDestination(options, cleanup, {
				folder: 'spool',
				metrics: options.metrics.uplink,
				client: new RemoteWriteClient({ ...collector, url: endpoint(config.collector.url, '/api/v1/write') }),
				maxBytes: config.spool.max_bytes,
				onReached: options.onReached,
			}),
		);
	}
	if (outbox !== null) {
		const { uplink } = options.metrics;
		destinations.push(
			openDestination(options, cleanup, { folder: 'spool', metrics: uplink, client: outbox, maxBytes: config.spool.max_bytes }),
		);
	}
	for (const entry of config.remote_write) {
		const { name, url, headers, timeout, max_bytes: maxBytes } = entry;
		destinations.push(
			openDestination(options, cleanup, {
				folder: `spool-${name}`,
				metrics: options.metrics.destination(name),
				client: new RemoteWriteClient({
					url,
					headers,
					token: secretReader(entry.token, options.env),
					...(entry.username === undefined ? {} : { username: entry.username }),
					password: secretReader(entry.password, options.env),
					...(entry.ca_file === undefined ? {} : { ca: caReader(entry.ca_file) }),
					timeoutMs: parseDuration(timeout),
					userAgent: options.userAgent,
					now: () => options.clock.now(),
				}),
				maxBytes,
			}),
		);
	}
	return {
		append: (batch, nowMs) => {
			if (batch.length === 0 || destinations.length === 0) return;
			const encoded = encoder.encode(batch, nowMs);
			for (const { spool } of destinations) spool.appendEncoded(encoded, nowMs);
		},
		start: () => {
			for (const { sender } of destinations) sender.start();
		},
		measure: () => {
			for (const { spool, metrics, maxBytes } of destinations) metrics.spool(spool.sizeBytes, spool.pendingBytes, maxBytes);
		},
	};
}

function openDestination(
	options: UplinkOptions,
	cleanup: CleanupStack,
	what: {
		readonly folder: string;
		readonly metrics: UplinkMetrics;
		readonly client: SampleSink;
		readonly maxBytes: number;
		readonly onReached?: () => void;
	},
): Destination {
	const { config, clock, log } = options;
	const { metrics, maxBytes } = what;
	const spool = new Spool({
		folder: join(options.dataDir, what.folder),
		maxBytes,
		maxAgeMs: parseDuration(config.spool.max_age),
		log,
		onDrop: (reason, samples) => metrics.dropped(reason, samples),
	});
	cleanup.add(what.folder, () => spool.close());
	const sender = new Sender({
		spool,
		client: what.client,
		clock,
		log,
		metrics,
		order: config.spool.order,
		...(what.onReached === undefined ? {} : { onReached: what.onReached }),
	});
	cleanup.add(`sender of ${what.folder}`, () => sender.stop(options.flushMs));
	return { spool, sender, metrics, maxBytes };
}

/** Reads a secret at each use, so that its file can be replaced; the first read happens at once, so that a wrong path is an error of the start. */
export function secretReader(ref: SecretRef | undefined, env: Readonly<Record<string, string | undefined>>): () => Secret | null {
	if (ref === undefined) return () => null;
	resolveSecret(ref, env);
	return () => resolveSecret(ref, env);
}

/** `path` under the base address, whatever slashes it ends with. */
export function endpoint(base: string, path: string): string {
	return base.replace(/\/+$/, '') + path;
}
