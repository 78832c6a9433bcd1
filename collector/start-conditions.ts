import { readFileSync } from 'node:fs';
import { createSecureContext, Server as TlsServer } from 'node:tls';
import type { FastifyInstance } from 'fastify';
import { AppError, errorText, systemErrorCode } from '../core/errors.ts';
import type { CollectorConfig } from './config.ts';

export interface ListenAddress {
	readonly host: string;
	readonly port: number;
}

/** `host:port`, IPv6 in brackets. Throws `FN_SERVER_LISTEN`. */
export function parseListen(text: string): ListenAddress {
	const match = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
	const port = Number(match?.[3]);
	if (match === null || port > 65_535)
		throw new AppError('FN_SERVER_LISTEN', `"${text}" is not an address to listen on; write for example 127.0.0.1:9999`);
	return { host: match[1] ?? match[2] ?? '', port };
}

export function isLoopback(host: string): boolean {
	return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

/** Under which people reach the collector where the configuration does not say: messages link to it. Nobody can open a wildcard address. */
export function defaultExternalUrl({ host, port }: ListenAddress, scheme: string, machine: string): string {
	const named = host === '0.0.0.0' || host === '::' ? machine : host;
	return `${scheme}://${inUrl(named)}:${port}`;
}

function inUrl(host: string): string {
	return host.includes(':') ? `[${host}]` : host;
}

/** Binds the listener; returns its address as a URL. Throws `FN_SERVER_LISTEN` with the way out. */
export async function listenOn(app: FastifyInstance, { host, port }: ListenAddress, scheme: string): Promise<string> {
	try {
		await app.listen({ host, port });
	} catch (error) {
		const code = systemErrorCode(error);
		const reasons: Readonly<Record<string, string>> = {
			EADDRINUSE: `port ${port} is in use on ${host}; stop the program that has it (ss -ltnp 'sport = :${port}' shows it), or choose another with --listen ${host}:PORT`,
			EACCES: `port ${port} may not be opened by this user; choose one above 1023 with --listen ${host}:PORT`,
			EADDRNOTAVAIL: `${host} is not an address of this machine; listen on one that is, or on 127.0.0.1`,
		};
		throw new AppError('FN_SERVER_LISTEN', reasons[code] ?? `cannot listen on ${host}:${port} (${code})`, { cause: error });
	}
	const bound = app.server.address();
	const actual = typeof bound === 'object' && bound !== null ? bound.port : port;
	return `${scheme}://${inUrl(host)}:${actual}`;
}

export interface ListenerTls {
	/** PEM, with the chain up to the root. */
	readonly cert: string;
	readonly key: string;
}

/** What `server.tls` names, or `null` without it. Throws `FN_SERVER_TLS` for files that cannot be read or are no certificate with its key. */
export function readTls(config: CollectorConfig): ListenerTls | null {
	const { tls } = config.server;
	if (tls === undefined) return null;
	const read = (file: string) => {
		try {
			return readFileSync(file, 'utf8');
		} catch (error) {
			throw new AppError('FN_SERVER_TLS', `the file ${file} for TLS cannot be read (${systemErrorCode(error)})`, { cause: error });
		}
	};
	const found = { cert: read(tls.cert_file), key: read(tls.key_file) };
	try {
		createSecureContext(found);
	} catch (error) {
		throw new AppError(
			'FN_SERVER_TLS',
			`${tls.cert_file} and ${tls.key_file} are not a certificate and its key, in PEM (${errorText(error)})`,
			{
				cause: error,
			},
		);
	}
	return found;
}

/** Reads the files again, so that a renewed certificate needs no restart; new connections have it when what is returned was called. Throws as `readTls`. */
export function prepareTls(app: FastifyInstance, config: CollectorConfig): () => void {
	const tls = readTls(config);
	return () => {
		if (tls !== null && app.server instanceof TlsServer) app.server.setSecureContext(tls);
	};
}
