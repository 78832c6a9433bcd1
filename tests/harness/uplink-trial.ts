import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { uncompressSync } from 'snappy';
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from '../../agent/node-flags.ts';
import { decodeBatch } from '../../agent/uplink/record-codec.ts';
import { formatLabels, labelValue } from '../../core/labels.ts';
import { freePort, type RunningProcess, startProcess } from './process.ts';

const TRIAL_JOB = 'trial';

/** What a receiver does with the next requests. `drop` takes the samples and breaks the connection before it answers. */
export type ReceiverMood = 'up' | 'drop' | 429 | 500 | 503;

/** A receiver of remote write 2 that remembers what it has seen of the series `ticks_total`, and can be away. */
export interface TrialReceiver {
	readonly url: string;
	mood: ReceiverMood;
	/** Times at which each value arrived, whether it was acknowledged or not. */
	readonly arrived: ReadonlyMap<number, ReadonlySet<number>>;
	/** The newest value of every series of the agent itself, by its name and reason. */
	readonly own: ReadonlyMap<string, number>;
	/** Every series that was seen, those of each scrape and those of the agent itself. */
	readonly series: ReadonlySet<string>;
	/** Times of scrapes that a slow machine made the agent give up: it says `up` 0 then, and the value is rightly missing. */
	readonly failed: ReadonlySet<number>;
	comeBack(): Promise<void>;
	goAway(): Promise<void>;
}

/** An exporter whose one counter goes up at each scrape, so that every scrape can be told from every other. */
export interface TickingExporter {
	readonly url: string;
	readonly served: () => number;
	stop(): Promise<void>;
}

export async function startTickingExporter(): Promise<TickingExporter> {
	let ticks = 0;
	const server = await listen((_request, response) => {
		ticks++;
		response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(`# TYPE ticks_total counter\nticks_total ${ticks}\n`);
	}, 0);
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
		served: () => ticks,
		stop: () => close(server),
	};
}

export async function startTrialReceiver(): Promise<TrialReceiver> {
	const port = await freePort();
	const arrived = new Map<number, Set<number>>();
	const own = new Map<string, number>();
	const series = new Set<string>();
	const failed = new Set<number>();
	let server: Server | null = null;
	const receiver: TrialReceiver = {
		url: `http://127.0.0.1:${port}/api/v1/write`,
		mood: 'up',
		arrived,
		own,
		series,
		failed,
		comeBack: async () => {
			server ??= await listen(take, port);
		},
		goAway: async () => {
			const open = server;
			server = null;
			if (open !== null) await close(open);
		},
	};
	function take(request: IncomingMessage, response: ServerResponse): void {
		const chunks: Buffer[] = [];
		request.on('data', (chunk: Buffer) => chunks.push(chunk));
		request.on('end', () => {
			const { mood } = receiver;
			if (typeof mood === 'number') {
				response.writeHead(mood, { 'retry-after': '0' }).end('not now');
				return;
			}
			// Held against the reference implementation of snappy first; the decoder of the agent takes the block itself.
			const block = Buffer.concat(chunks);
			if (uncompressSync(block).length === 0) throw new Error('an empty request');
			for (const { labels, samples } of decodeBatch(block)) {
				const name = labelValue(labels, '__name__');
				series.add(formatLabels(labels));
				for (const { timestampMs, value, stale } of samples) {
					if (stale === true) continue;
					if (name === 'up' && value === 0) failed.add(timestampMs);
					if (name === 'ticks_total') arrived.set(value, (arrived.get(value) ?? new Set()).add(timestampMs));
					else if (name.startsWith('fournines_agent_')) own.set(`${name} ${labelValue(labels, 'reason')}`.trim(), value);
				}
			}
			if (mood === 'drop') request.socket.destroy();
			else response.writeHead(204, { 'x-prometheus-remote-write-samples-written': '1' }).end();
		});
	}
	await receiver.comeBack();
	return receiver;
}

export interface TrialAgentOptions {
	readonly bundle: string;
	readonly configFile: string;
	readonly dataDir: string;
	readonly exporter: TickingExporter;
	readonly receiver: TrialReceiver;
	readonly intervalMs: number;
	/** Further labels of the scraped series. */
	readonly labels?: Readonly<Record<string, string>>;
	/** YAML of further keys. */
	readonly more?: string;
}

/** Starts the bundled agent, which scrapes the exporter every `intervalMs` and sends to the receiver. */
export function startTrialAgent(options: TrialAgentOptions): RunningProcess {
	const { receiver, exporter, intervalMs, labels = {} } = options;
	const scrape = JSON.stringify({ url: exporter.url, job: TRIAL_JOB, timeout: `${intervalMs}ms`, labels });
	const inputs = `inputs: { host: { enabled: false }, scrape: [${scrape}] }`;
	const collector = `collector: { url: "${receiver.url.replace('/api/v1/write', '')}", timeout: 2s }`;
	writeFileSync(
		options.configFile,
		`listen: ""\ninterval: ${intervalMs}ms\nhost: { name: trial }\n${collector}\n${inputs}\n${options.more ?? ''}\n`,
	);
	const args = [...AGENT_NODE_FLAGS, options.bundle, '--config', options.configFile, '--data', options.dataDir];
	return startProcess(process.execPath, args, { env: AGENT_ENVIRONMENT });
}

function listen(handler: (request: IncomingMessage, response: ServerResponse) => void, port: number): Promise<Server> {
	return new Promise((resolve, reject) => {
		const server = createServer(handler);
		server.on('error', reject);
		server.listen(port, '127.0.0.1', () => resolve(server));
	});
}

function close(server: Server): Promise<void> {
	return new Promise((resolve) => {
		server.close(() => resolve());
		server.closeAllConnections();
	});
}
