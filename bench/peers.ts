import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { startCollectorProcess } from '../tests/harness/collector.ts';
import { findCommand, freePort, runCommand, startProcess, waitFor } from '../tests/harness/process.ts';

/** A server that takes remote write and answers the Prometheus API, as a process of its own on a loopback port. */
export interface Peer {
	readonly name: string;
	readonly version: string;
	readonly pid: number;
	/** Snappy-compressed remote write 1; throws for anything but 2xx. */
	write(body: Buffer): Promise<void>;
	/** The whole body of an API answer; throws for anything but 200. `path` begins with `/api/v1/`. */
	get(path: string): Promise<Buffer>;
	stop(): Promise<void>;
}

export interface PeerOptions {
	/** For the whole run; each server has a folder of its own below it. */
	readonly folder: string;
	/** YAML of rule groups that are evaluated; none by default. Servers that have no rule engine leave it out. */
	readonly rules?: string;
}

/** The product itself, run as an operator runs it. */
export async function startFournines({ folder, rules }: PeerOptions): Promise<Peer> {
	const port = await freePort();
	const dataDir = join(folder, 'fournines');
	const configFile = join(folder, 'collector.yml');
	const rulesFile = join(folder, 'fournines-rules.yml');
	writeFileSync(rulesFile, rules ?? 'groups: []\n');
	writeFileSync(configFile, `rules:\n  files: ['${rulesFile}']\n`);
	const collector = await startCollectorProcess({ dataDir, port, configFile, env: { NODE_ENV: 'production' } });
	const token = (name: string) => `Bearer ${readFileSync(join(dataDir, 'keys', name), 'utf8').trim()}`;
	return {
		name: 'fournines',
		version: `Node ${process.version}`,
		pid: collector.pid(),
		...client(collector.url, { write: token('local-agent.token'), read: token('local-read.token') }),
		stop: async () => {
			await collector.stop();
		},
	};
}

/** `null` when it is not installed. */
export async function startPrometheusPeer({ folder, rules }: PeerOptions): Promise<Peer | null> {
	const command = findCommand('prometheus');
	if (command === null) return null;
	const port = await freePort();
	const configFile = join(folder, 'prometheus.yml');
	const rulesFile = join(folder, 'prometheus-rules.yml');
	if (rules !== undefined) writeFileSync(rulesFile, rules);
	writeFileSync(configFile, rules === undefined ? 'global: {}\n' : `global: {evaluation_interval: 15s}\nrule_files: ['${rulesFile}']\n`);
	const running = startProcess(command, [
		`--config.file=${configFile}`,
		`--storage.tsdb.path=${join(folder, 'prometheus')}`,
		`--web.listen-address=127.0.0.1:${port}`,
		'--web.enable-remote-write-receiver',
	]);
	await waitFor('prometheus', () => running.output().includes('Server is ready'));
	return {
		name: 'prometheus',
		version: /version (\S+)/.exec(runCommand(command, ['--version']))?.[1] ?? '',
		pid: running.pid,
		...client(`http://127.0.0.1:${port}`, null),
		stop: async () => {
			await running.stop();
		},
	};
}

/** `null` when it is not installed. It has no rule engine. */
export async function startVictoriaMetrics({ folder }: PeerOptions): Promise<Peer | null> {
	const command = findCommand('victoria-metrics');
	if (command === null) return null;
	const port = await freePort();
	const running = startProcess(command, [
		`-httpListenAddr=127.0.0.1:${port}`,
		`-storageDataPath=${join(folder, 'victoria-metrics')}`,
		'-search.maxPointsPerTimeseries=50000',
	]);
	const url = `http://127.0.0.1:${port}`;
	await waitFor('victoria-metrics', async () => (await fetch(`${url}/health`)).ok);
	const { write, get } = client(url, null);
	return {
		name: 'victoria-metrics',
		version: packageVersion('victoria-metrics'),
		pid: running.pid,
		write,
		// Its cache of answers would be measured instead of its work.
		get: (path) => get(path.includes('?') ? `${path}&nocache=1` : path),
		stop: async () => {
			await running.stop();
		},
	};
}

export async function startPeers(options: PeerOptions): Promise<readonly Peer[]> {
	const peers: Peer[] = [];
	try {
		for (const start of [startFournines, startPrometheusPeer, startVictoriaMetrics]) {
			const peer = await start(options);
			if (peer !== null) peers.push(peer);
		}
		return peers;
	} catch (error) {
		for (const peer of peers) await peer.stop();
		throw error;
	}
}

function client(url: string, tokens: { readonly write: string; readonly read: string } | null): Pick<Peer, 'write' | 'get'> {
	// Enough that no request waits in this process for another one.
	const agent = new Agent({ keepAlive: true, maxSockets: 32 });
	const call = (path: string, headers: Readonly<Record<string, string | number>>, body: Buffer | null) =>
		new Promise<Buffer>((resolve, reject) => {
			const outgoing = request(url + path, { method: body === null ? 'GET' : 'POST', agent, headers }, (response) => {
				const chunks: Buffer[] = [];
				response.on('data', (chunk: Buffer) => chunks.push(chunk));
				response.on('error', reject);
				response.on('end', () => {
					const answer = Buffer.concat(chunks);
					if ((response.statusCode ?? 0) < 300) resolve(answer);
					else reject(new Error(`${url}${path.slice(0, 200)} answered ${response.statusCode}: ${answer.toString('utf8', 0, 300)}`));
				});
			});
			outgoing.setTimeout(180_000, () => outgoing.destroy(new Error(`${url} did not answer within 180 s`)));
			outgoing.on('error', reject);
			outgoing.end(body ?? undefined);
		});
	return {
		get: (path) => call(path, tokens === null ? {} : { authorization: tokens.read }, null),
		write: async (body) => {
			await call(
				'/api/v1/write',
				{
					'content-type': 'application/x-protobuf',
					'content-encoding': 'snappy',
					'content-length': body.length,
					'x-prometheus-remote-write-version': '0.1.0',
					...(tokens === null ? {} : { authorization: tokens.write }),
				},
				body,
			);
		},
	};
}

/** Debian's build does not know its own version; the package does. */
function packageVersion(name: string): string {
	const query = findCommand('dpkg-query');
	return query === null ? 'unknown' : (runCommand(query, ['--show', name]).split(/\s+/)[1] ?? 'unknown');
}

/** User and system time of the process and all its threads, in microseconds. */
export function cpuMicros(pid: number): number {
	const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
	const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
	return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

export function rssMegabytes(pid: number): number {
	return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

export function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
