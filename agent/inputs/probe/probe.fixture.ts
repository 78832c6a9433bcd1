import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { connect, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { systemClock } from '../../../core/clock.ts';
import { configOrThrow, parseConfig } from '../../../core/config-file.ts';
import { silentLogger } from '../../../core/log.ts';
import { Secret } from '../../../core/secret.ts';
import { values } from '../measured-values.ts';
import { type ProbeConfig, ProbeConfigSchema } from './config.ts';
import { checkFromConfig } from './from-config.ts';
import { createProbeInput } from './input.ts';

/** Servers that one test opens; `close` ends them with every connection. */
export class Servers {
	readonly #closers: (() => Promise<void>)[] = [];

	async tcp(serve: (socket: Socket) => void): Promise<number> {
		return this.#listen(createTcpServer(serve));
	}

	async tls(options: TlsOptions, serve: (socket: Socket) => void): Promise<number> {
		return this.#listen(createTlsServer(options, serve));
	}

	async http(serve: RequestListener): Promise<number> {
		return this.#listen(createHttpServer(serve));
	}

	async #listen(server: Server): Promise<number> {
		const sockets = new Set<Socket>();
		server.on('connection', (socket: Socket) => {
			sockets.add(socket);
			socket.on('error', () => {});
			socket.on('close', () => sockets.delete(socket));
		});
		server.on('tlsClientError', () => {});
		this.#closers.push(
			() =>
				new Promise((resolve) => {
					server.close(() => resolve());
					for (const socket of sockets) socket.destroy();
				}),
		);
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		const address = server.address();
		return typeof address === 'object' && address !== null ? address.port : 0;
	}

	async close(): Promise<void> {
		for (const close of this.#closers.splice(0)) await close();
	}
}

/** An entry of `inputs.probes` as the configuration file would give it, with defaults filled in. */
export function probeConfig(entry: object): ProbeConfig {
	return configOrThrow(parseConfig(JSON.stringify({ id: 'c', timeout: '20s', ...entry }), { file: 'entry', schema: ProbeConfigSchema }));
}

/** Runs the probe once and gives its values. */
export async function probe(entry: object, secrets: Readonly<Record<string, string>> = {}): Promise<Record<string, number>> {
	const config = probeConfig(entry);
	const secret = (ref: { readonly env?: string } | undefined) => () => (ref?.env === undefined ? null : new Secret(secrets[ref.env] ?? ''));
	const input = createProbeInput({
		target: { job: 'probe', check: 'c' },
		intervalMs: 5000,
		timeoutMs: Number.parseFloat(config.timeout) * (config.timeout.endsWith('ms') ? 1 : 1000),
		check: checkFromConfig(config, secret as Parameters<typeof checkFromConfig>[1], 'test'),
		degradedAfterMs: config.degraded_after === undefined ? null : Number.parseFloat(config.degraded_after),
		clock: systemClock,
		log: silentLogger,
	});
	return values(await input.collect(new AbortController().signal, 0));
}

/** The reason that a failed check gives, `null` for one that succeeded. */
export function reasonOf(found: Readonly<Record<string, number>>): string | null {
	const name = Object.keys(found).find((key) => key.startsWith('fournines_check_failure_info'));
	return name === undefined ? null : (/reason="(.*)"/.exec(name)?.[1] ?? '');
}

/** A proxy that really connects. */
export function tunnelProxy(pool: Servers): Promise<number> {
	return pool.tcp((socket) => {
		socket.once('data', (bytes) => {
			const [, host = '', port = ''] = /^CONNECT ([^:]+):([0-9]+) /.exec(bytes.toString('latin1')) ?? [];
			const upstream = connect(Number(port), host, () => {
				socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
				socket.pipe(upstream).pipe(socket);
			});
			upstream.on('error', () => socket.destroy());
		});
	});
}
