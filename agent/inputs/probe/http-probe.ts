import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import type { Secret } from '../../../core/secret.ts';
import type { Answer } from './answer-conditions.ts';
import { startTls, type TlsOutcome, type TlsSettings } from './connection.ts';
import type { Deadline } from './deadline.ts';
import { ProbeFailure, toFailure } from './failure.ts';
import { type ResolvedAddress, type ResolveOptions, resolveHost } from './resolve.ts';
import { connectTcp } from './tcp-connect.ts';

export const PHASES = ['resolve', 'connect', 'tls', 'processing', 'transfer'] as const;
export type Phase = (typeof PHASES)[number];

export interface HttpProbeRequest {
	readonly method: string;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string | null;
	/** Headers that carry secrets, names in lower case; never sent to another origin than the first. */
	readonly secretHeaders: Readonly<Record<string, string>>;
	/** How many redirects are followed; 0 takes the first answer as it is. */
	readonly redirects: number;
	readonly proxy: { readonly url: string; readonly username: string | null; readonly password: () => Secret | null } | null;
	readonly maxBodyBytes: number;
	readonly tls: TlsSettings;
	readonly resolve: ResolveOptions;
}

/** What was measured up to the point where the probe ended, well or not. */
export interface HttpMeasurement {
	readonly phases: Record<Phase, number>;
	address: ResolvedAddress | null;
	lookupSeconds: number;
	status: number;
	redirects: number;
	contentLength: number;
	bodyBytes: number;
	/** `1.1`; 0 where no answer came. */
	version: number;
	ssl: boolean;
	tls: TlsOutcome | null;
	lastModified: number | null;
}

export function emptyMeasurement(): HttpMeasurement {
	return {
		phases: { resolve: 0, connect: 0, tls: 0, processing: 0, transfer: 0 },
		address: null,
		lookupSeconds: 0,
		status: 0,
		redirects: 0,
		contentLength: 0,
		bodyBytes: 0,
		version: 0,
		ssl: false,
		tls: null,
		lastModified: null,
	};
}

const HEADER_BYTES = 64 * 1024;

/**
 * One HTTP exchange with the time of each phase, on sockets of our own, so that a new connection is measured every time.
 * `measured` is filled in as far as it goes; throws a `ProbeFailure`.
 */
export async function httpProbe(
	url: string,
	request: HttpProbeRequest,
	measured: HttpMeasurement,
	options: { readonly deadline: Deadline; readonly monotonic: () => number },
): Promise<Answer> {
	let target = new URL(url);
	const firstOrigin = target.origin;
	let { method, body } = request;
	for (;;) {
		const headers = target.origin === firstOrigin ? { ...request.headers, ...request.secretHeaders } : request.headers;
		const response = await exchange(target, { ...request, method, body, headers }, measured, options);
		const location = response.headers['location'];
		const redirected = [301, 302, 303, 307, 308].includes(response.status) && typeof location === 'string';
		if (!redirected) return response;
		if (request.redirects === 0) {
			// Counted although it is not followed, as blackbox_exporter does.
			measured.redirects = 1;
			return response;
		}
		if (measured.redirects >= request.redirects)
			throw new ProbeFailure('redirect', `more than ${request.redirects} redirects; the last one leads to ${place(location, target)}`);
		measured.redirects++;
		target = nextTarget(location, target);
		if (response.status === 303 || (response.status < 303 && method === 'POST')) {
			method = method === 'HEAD' ? 'HEAD' : 'GET';
			body = null;
		}
		// A body that is passed on to somebody else may hold what only the first was meant to know.
		if (body !== null && target.origin !== firstOrigin)
			throw new ProbeFailure('redirect', `the redirect would send the body to ${target.origin}`);
	}
}

function nextTarget(location: string, from: URL): URL {
	let target: URL;
	try {
		target = new URL(location, from);
	} catch {
		throw new ProbeFailure('redirect', 'the redirect leads to something that is not an address');
	}
	if (target.protocol !== 'http:' && target.protocol !== 'https:')
		throw new ProbeFailure('redirect', `the redirect leads to the scheme ${target.protocol}, which is not followed`);
	return target;
}

/** Queries carry tokens; where a redirect leads is said without. */
function place(location: string, from: URL): string {
	const { origin, pathname } = nextTarget(location, from);
	return origin + pathname;
}

async function exchange(
	target: URL,
	request: HttpProbeRequest,
	measured: HttpMeasurement,
	{ deadline, monotonic }: { readonly deadline: Deadline; readonly monotonic: () => number },
): Promise<Answer> {
	const secure = target.protocol === 'https:';
	const host = target.hostname.replace(/^\[|\]$/g, '');
	const port = target.port === '' ? (secure ? 443 : 80) : Number(target.port);
	const proxy = request.proxy === null ? null : new URL(request.proxy.url);
	const started = monotonic();
	const seconds = (since: number) => (monotonic() - since) / 1000;
	const address =
		proxy === null
			? await resolveHost(host, request.resolve, deadline)
			: await resolveHost(proxy.hostname.replace(/^\[|\]$/g, ''), request.resolve, deadline);
	if (measured.address === null) measured.lookupSeconds = seconds(started);
	measured.address = address;
	measured.phases.resolve += seconds(started);
	const connecting = monotonic();
	const connectPort = proxy === null ? port : proxy.port === '' ? 80 : Number(proxy.port);
	let socket: Socket = await connectTcp(address, connectPort, deadline);
	try {
		if (proxy !== null && secure)
			socket = await tunnel(socket, `${host.includes(':') ? `[${host}]` : host}:${port}`, proxyAuthorization(request), deadline);
		measured.phases.connect += seconds(connecting);
		if (secure) {
			measured.ssl = true;
			const shaking = monotonic();
			socket = await startTls(socket, host, request.tls, {
				deadline,
				address,
				port: connectPort,
				learned: (outcome) => {
					measured.tls = outcome;
				},
			});
			measured.phases.tls += seconds(shaking);
		} else measured.ssl = false;
		const headers: Record<string, string> = { host: target.host, connection: 'close', ...request.headers };
		const plainProxy = proxy !== null && !secure;
		const credentials = plainProxy ? proxyAuthorization(request) : null;
		if (credentials !== null) headers['proxy-authorization'] = credentials;
		if (request.body !== null) headers['content-length'] = String(Buffer.byteLength(request.body));
		const path = plainProxy ? target.href : target.pathname + target.search;
		return await converse(socket, { path, headers, url: target.href }, request, measured, { deadline, monotonic });
	} finally {
		socket.destroy();
	}
}

function proxyAuthorization(request: HttpProbeRequest): string | null {
	if (request.proxy === null || request.proxy.username === null) return null;
	const password = request.proxy.password()?.reveal() ?? '';
	return `Basic ${Buffer.from(`${request.proxy.username}:${password}`).toString('base64')}`;
}

function tunnel(socket: Socket, authority: string, authorization: string | null, deadline: Deadline): Promise<Socket> {
	deadline.phase('the CONNECT of the proxy');
	return deadline.race<Socket>(
		(resolve, reject) => {
			const request = httpRequest({
				method: 'CONNECT',
				path: authority,
				headers: { host: authority, ...(authorization === null ? {} : { 'proxy-authorization': authorization }) },
				createConnection: () => socket,
				maxHeaderSize: HEADER_BYTES,
			});
			request.on('connect', (response, connected) => {
				if (response.statusCode === 200) resolve(connected);
				else reject(new ProbeFailure('proxy', `the proxy answered ${response.statusCode ?? 0} to CONNECT`));
			});
			request.on('response', (response) => reject(new ProbeFailure('proxy', `the proxy answered ${response.statusCode ?? 0} to CONNECT`)));
			request.on('error', (error) => reject(new ProbeFailure('proxy', 'the proxy broke off', error)));
			request.end();
		},
		() => socket.destroy(),
	);
}

async function converse(
	socket: Socket,
	call: { readonly path: string; readonly headers: Readonly<Record<string, string>>; readonly url: string },
	request: HttpProbeRequest,
	measured: HttpMeasurement,
	{ deadline, monotonic }: { readonly deadline: Deadline; readonly monotonic: () => number },
): Promise<Answer> {
	deadline.phase('waiting for the answer');
	const asked = monotonic();
	let answered = asked;
	const { response, raw } = await deadline.race<{ response: IncomingMessage; raw: Buffer }>(
		(resolve, reject) => {
			const outgoing = httpRequest({
				method: request.method,
				path: call.path,
				headers: call.headers,
				setHost: false,
				createConnection: () => socket,
				maxHeaderSize: HEADER_BYTES,
			});
			outgoing.on('error', (error) => reject(toFailure(error, 'broken_off')));
			outgoing.on('response', (incoming) => {
				answered = monotonic();
				measured.phases.processing += (answered - asked) / 1000;
				measured.status = incoming.statusCode ?? 0;
				measured.version = Number(incoming.httpVersion);
				const length = incoming.headers['content-length'];
				measured.contentLength = length === undefined ? -1 : Number(length);
				const modified = Date.parse(incoming.headers['last-modified'] ?? '');
				measured.lastModified = Number.isNaN(modified) ? null : modified / 1000;
				deadline.phase('reading the body');
				const chunks: Buffer[] = [];
				let size = 0;
				incoming.on('data', (chunk: Buffer) => {
					size += chunk.length;
					if (size > request.maxBodyBytes) {
						socket.destroy();
						reject(new ProbeFailure('size', `the body has more than ${request.maxBodyBytes} bytes`));
					} else chunks.push(chunk);
				});
				incoming.on('end', () => resolve({ response: incoming, raw: Buffer.concat(chunks) }));
				incoming.on('error', (error) => reject(toFailure(error, 'broken_off')));
				incoming.on('close', () => reject(new ProbeFailure('broken_off', 'the answer broke off')));
			});
			outgoing.end(request.body ?? undefined);
		},
		() => socket.destroy(),
	);
	measured.phases.transfer += (monotonic() - answered) / 1000;
	const body = await decoded(raw, response.headers['content-encoding'], request.maxBodyBytes);
	measured.bodyBytes = body.length;
	return { status: response.statusCode ?? 0, headers: response.headers, body, url: call.url };
}

/** We ask for no encoding, but some servers compress without being asked, and then no text would be found. */
async function decoded(raw: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
	const unpack = { gzip: promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) }[encoding ?? ''];
	if (unpack === undefined || raw.length === 0) return raw;
	try {
		return (await unpack(raw, { maxOutputLength: maxBytes })) as Buffer;
	} catch (error) {
		throw new ProbeFailure('size', `the body is not sound ${encoding}, or unpacks to more than ${maxBytes} bytes`, error);
	}
}
