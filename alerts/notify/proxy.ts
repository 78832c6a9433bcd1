import { type AgentOptions, Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { BlockList, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Static, Type } from 'typebox';
import { AppError } from '../../core/errors.ts';
import { type Secret, type SecretRef, SecretRefSchema } from '../../core/secret.ts';

/** Keys with Prometheus's names (prometheus.io/docs/alerting/latest/configuration/#http_config). */
export const proxyProperties = {
	/** `http://proxy:3128`; without it the way out is direct. One with a password belongs into a file or the environment. */
	proxy_url: Type.Optional(Type.Union([Type.String({ pattern: '^https?://' }), SecretRefSchema])),
	/** Hosts that are reached directly, separated by commas: see `isDirect`. */
	no_proxy: Type.Optional(Type.String()),
	/** HTTPS_PROXY, HTTP_PROXY and NO_PROXY of the process, as curl and Go read them. */
	proxy_from_environment: Type.Optional(Type.Boolean()),
	/** Sent to the proxy with CONNECT, which is to say for addresses with https. */
	proxy_connect_header: Type.Optional(Type.Record(Type.String(), Type.Array(Type.Union([Type.String(), SecretRefSchema])))),
};
const ProxyConfigSchema = Type.Object(proxyProperties);
export type ProxyConfig = Static<typeof ProxyConfigSchema>;

type Report = (path: readonly (string | number)[], message: string) => void;

/** What the schema cannot say. */
export function checkProxy(config: ProxyConfig, report: Report): void {
	const { proxy_url: proxy, no_proxy: direct, proxy_from_environment: environment, proxy_connect_header: headers } = config;
	if (direct !== undefined && proxy === undefined) report(['no_proxy'], 'needs proxy_url beside it');
	if (environment === true && proxy !== undefined) report(['proxy_from_environment'], 'give it or proxy_url, not both');
	if (headers !== undefined && proxy === undefined && environment !== true)
		report(['proxy_connect_header'], 'needs proxy_url or proxy_from_environment beside it');
	if (typeof proxy === 'string' && URL.canParse(proxy) && new URL(proxy).password !== '')
		report(
			['proxy_url'],
			'holds a password: put the whole address into a file or the environment, and write { file: PATH } or { env: NAME }',
		);
	for (const [name, values] of Object.entries(headers ?? {})) {
		if (/authorization|token|secret|key|cookie/i.test(name) && values.some((value) => typeof value === 'string'))
			report(
				['proxy_connect_header', name],
				'is a secret: put it into a file or the environment, and write [{ file: PATH }] or [{ env: NAME }]',
			);
	}
}

export interface Agents {
	readonly plain: HttpAgent;
	readonly secure: HttpsAgent;
}

/** Which connections a request uses; `tls` is for the service, not for the proxy. Throws `FN_ALERTS_PROXY` and `FN_SECRET_UNREADABLE`. */
export function proxyAgents(config: ProxyConfig, tls: object, secret: (ref: SecretRef) => Secret): (url: URL) => Agents {
	const direct: Agents = { plain: new HttpAgent(), secure: new HttpsAgent(tls) };
	const { http, https, exceptions } = proxiesOf(config, secret);
	if (http === null && https === null) return () => direct;
	const headers = Object.fromEntries(
		Object.entries(config.proxy_connect_header ?? {}).map(([name, values]) => [
			name,
			values.map((value) => (typeof value === 'string' ? value : secret(value).reveal())),
		]),
	);
	const plain = http === null ? direct.plain : new HttpAgent(through(http));
	const secure = https === null ? direct.secure : new TunnelAgent(https, headers, tls);
	const isException = isDirect(exceptions);
	return (url) => (isException(url) ? direct : { plain, secure });
}

interface Proxies {
	readonly http: URL | null;
	readonly https: URL | null;
	/** `null`: not even the machine itself is reached directly. */
	readonly exceptions: string | null;
}

function proxiesOf(config: ProxyConfig, secret: (ref: SecretRef) => Secret): Proxies {
	const { proxy_url: written, no_proxy: exceptions = null } = config;
	if (written !== undefined) {
		const proxy = proxyAddress(typeof written === 'string' ? written : secret(written).reveal(), 'proxy_url');
		return { http: proxy, https: proxy, exceptions };
	}
	if (config.proxy_from_environment !== true) return { http: null, https: null, exceptions };
	// As secrets, because an address may hold the password of the proxy.
	const variable = (name: string) => inEnvironment(name, secret) ?? inEnvironment(name.toLowerCase(), secret);
	const proxy = (name: string) => {
		const address = variable(name);
		return address === null ? null : proxyAddress(address, name);
	};
	return { http: proxy('HTTP_PROXY'), https: proxy('HTTPS_PROXY'), exceptions: variable('NO_PROXY') ?? '' };
}

function inEnvironment(name: string, secret: (ref: SecretRef) => Secret): string | null {
	try {
		return secret({ env: name }).reveal();
	} catch (error) {
		if (error instanceof AppError && error.code === 'FN_SECRET_UNREADABLE') return null;
		throw error;
	}
}

/** `proxy:3128` is one for http, as everywhere. */
function proxyAddress(text: string, name: string): URL {
	const address = /^[a-z0-9+.-]+:\/\//i.test(text) ? text : `http://${text}`;
	const url = URL.canParse(address) ? new URL(address) : null;
	if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
	throw new AppError('FN_ALERTS_PROXY', `${name} is no address of a proxy that is understood; write http://HOST:PORT`);
}

const through = (proxy: URL): AgentOptions => ({ proxyEnv: { HTTP_PROXY: proxy.href, HTTPS_PROXY: proxy.href } });

/**
 * Go's rules (golang.org/x/net/http/httpproxy): `example.cn` stands for itself and everything below, `.example.cn` for what is below, `*` for all,
 * addresses and networks (`10.0.0.0/8`) for themselves, each with `:port` for that port only. The machine itself is always reached directly.
 */
export function isDirect(exceptions: string | null): (url: URL) => boolean {
	if (exceptions === null) return () => false;
	const entries = exceptions.split(',').flatMap((entry) => exceptionOf(entry.trim().toLowerCase()) ?? []);
	return (url) => {
		const host = url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
		const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
		return host === 'localhost' || LOOPBACK(host) || entries.some((entry) => entry(host, port));
	};
}

type Exception = (host: string, port: string) => boolean;

const LOOPBACK = network('127.0.0.0', 8, '::1');

function network(address: string, bits: number, also?: string): (host: string) => boolean {
	const list = new BlockList();
	list.addSubnet(address, bits, isIP(address) === 6 ? 'ipv6' : 'ipv4');
	if (also !== undefined) list.addAddress(also, 'ipv6');
	return (host) => {
		const version = isIP(host);
		return version !== 0 && list.check(host, version === 6 ? 'ipv6' : 'ipv4');
	};
}

function exceptionOf(entry: string): Exception | null {
	if (entry === '') return null;
	if (entry === '*') return () => true;
	const [, range = '', bits = ''] = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry) ?? [];
	if (isIP(range) !== 0 && Number(bits) <= (isIP(range) === 6 ? 128 : 32)) return network(range, Number(bits));
	const [, name = entry, only = ''] = isIP(entry) === 6 ? [] : (/^\[?(.*?)\]?(?::(\d+))?$/.exec(entry) ?? []);
	const suffix = name.startsWith('*.') ? name.slice(1) : name;
	const matches = suffix.startsWith('.')
		? (host: string) => host.endsWith(suffix)
		: (host: string) => host === suffix || (isIP(suffix) === 0 && host.endsWith(`.${suffix}`));
	return (host, port) => (only === '' || only === port) && matches(host);
}

/** Bound of the question for a tunnel; the exchange behind it has its own. */
const CONNECT_TIMEOUT_MS = 30_000;

type Connected = (error: Error | null, stream: Duplex) => void;

/** TLS through a tunnel of a proxy (RFC 9110 §9.3.6), which Node's own agent asks for without headers of ours. */
class TunnelAgent extends HttpsAgent {
	readonly #proxy: URL;
	readonly #headers: Readonly<Record<string, readonly string[]>>;

	constructor(proxy: URL, headers: Readonly<Record<string, readonly string[]>>, options: object) {
		super(options);
		this.#proxy = proxy;
		this.#headers = headers;
	}

	override createConnection(options: Parameters<HttpsAgent['createConnection']>[0], callback?: Connected): Duplex | null | undefined {
		const done: Connected = callback ?? (() => {});
		const failed = done as (error: Error) => void;
		const { host, port } = options as { readonly host?: string; readonly port?: string | number };
		const target = `${isIP(host ?? '') === 6 ? `[${host}]` : host}:${port}`;
		const { username, password } = this.#proxy;
		const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
		const ask = (this.#proxy.protocol === 'https:' ? httpsRequest : httpRequest)({
			host: this.#proxy.hostname.replace(/^\[|\]$/g, ''),
			port: this.#proxy.port === '' ? (this.#proxy.protocol === 'https:' ? 443 : 80) : this.#proxy.port,
			method: 'CONNECT',
			path: target,
			headers: { host: target, ...(username === '' ? {} : { 'proxy-authorization': `Basic ${credentials}` }), ...mutable(this.#headers) },
			agent: false,
			timeout: CONNECT_TIMEOUT_MS,
		});
		const fail = (reason: string) => {
			ask.destroy();
			failed(Object.assign(new Error(`the proxy opened no tunnel: ${reason}`), { code: 'ERR_PROXY_TUNNEL' }));
		};
		ask.on('timeout', () => fail(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`));
		ask.on('error', failed);
		ask.on('response', (response) => fail(`it answered ${response.statusCode}`));
		ask.on('connect', (response, socket) => {
			if (response.statusCode !== 200) {
				socket.destroy();
				fail(`it answered ${response.statusCode}`);
				return;
			}
			socket.setTimeout(0);
			const secured = super.createConnection({ ...options, socket } as never);
			if (secured !== null && secured !== undefined) done(null, secured);
		});
		ask.end();
		return undefined;
	}
}

function mutable(headers: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
	return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]]));
}
