import type { Clock } from '../../core/clock.ts';
import type { HttpRequest, HttpResponse, httpExchange } from '../../core/http-client.ts';
import type { Secret, SecretRef } from '../../core/secret.ts';
import type { HttpConfig } from './http-config.ts';
import { NoCredentials } from './http-outcome.ts';
import { openOAuth2 } from './oauth2.ts';
import { type ProxyConfig, proxyAgents } from './proxy.ts';
import { secretOf, tlsOptions } from './tls.ts';

type Http = typeof httpExchange;

interface WayOutWorld {
	readonly secret: (ref: SecretRef) => Secret;
	readonly clock: Clock;
}

/** The client that a channel uses. Throws `FN_ALERTS_CA_UNREADABLE`, `FN_ALERTS_PROXY` and `FN_SECRET_UNREADABLE`. */
export function channelHttp(http: Http, config: HttpConfig | undefined, world: WayOutWorld): Http {
	if (config === undefined) return following(http);
	const routed = routedBy(http, config, world.secret);
	const headed = withHeaders(config.follow_redirects === false ? routed : following(routed), config.http_headers, world.secret);
	if (config.oauth2 !== undefined)
		return withToken(headed, openOAuth2(config.oauth2, { ...world, http: routedBy(http, config.oauth2, world.secret) }));
	const authorization = authorizationOf(config, world.secret);
	return authorization === null ? headed : withAuthorization(headed, authorization);
}

function routedBy(http: Http, config: ProxyConfig & Pick<HttpConfig, 'tls_config'>, secret: (ref: SecretRef) => Secret): Http {
	const agents = proxyAgents(config, tlsOptions(config.tls_config, secret), secret);
	return (url, request) => {
		if (!URL.canParse(url)) return http(url, request);
		const target = new URL(url);
		return http(url, { ...request, agent: agents(target)[target.protocol === 'https:' ? 'secure' : 'plain'] });
	};
}

const MOST_HOPS = 5;
/** Those that repeat method and body. After the others the message would be left behind, and its loss look like success. */
const REPEATING = [307, 308];

/** Goes where a service sends on to, as long as that is the service itself: what was meant for one host is given to no other. */
function following(http: Http): Http {
	return async (url, request) => {
		for (let target = url, hop = 0; ; hop++) {
			const response = await http(target, request);
			const { location } = response.headers;
			if (!REPEATING.includes(response.status) || typeof location !== 'string' || !URL.canParse(location, target)) return response;
			const next = new URL(location, target);
			if (hop === MOST_HOPS || !staysWith(new URL(target), next)) return response;
			target = next.href;
		}
	};
}

/** The same origin, or the same host where it speaks TLS. */
function staysWith(from: URL, to: URL): boolean {
	const secured = from.protocol === 'http:' && to.protocol === 'https:' && from.port === '' && to.port === '';
	return to.origin === from.origin || (secured && to.hostname === from.hostname);
}

function withHeaders(http: Http, config: HttpConfig['http_headers'], secret: (ref: SecretRef) => Secret): Http {
	const further = Object.entries(config).map(([name, { values = [], secrets = [], files = [] }]) => {
		const held = [...secrets, ...files.map((file) => ({ file }))].map(secret);
		return [name.toLowerCase(), () => [...values, ...held.map((one) => one.reveal())].join(', ')] as const;
	});
	if (further.length === 0) return http;
	return (url, request) =>
		http(url, { ...request, headers: { ...Object.fromEntries(further.map(([name, value]) => [name, value()])), ...request.headers } });
}

/** A channel that signs its requests in this header knows better. */
function isSigned({ headers = {} }: HttpRequest): boolean {
	return Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
}

function withAuthorization(http: Http, value: () => string): Http {
	return async (url, request) => {
		if (isSigned(request)) return http(url, request);
		const authorization = value();
		return withoutSecret(await http(url, { ...request, headers: { ...request.headers, authorization } }), authorization);
	};
}

/** A token that the service does not take any more is asked for anew once. */
function withToken(http: Http, tokens: ReturnType<typeof openOAuth2>): Http {
	return async (url, request) => {
		if (isSigned(request)) return http(url, request);
		for (let round = 0; ; round++) {
			const answer = await tokens.get(request.signal ?? AbortSignal.timeout(request.timeoutMs));
			if (answer.kind !== 'token') throw new NoCredentials(answer);
			const headers = { ...request.headers, authorization: answer.token };
			const response = withoutSecret(await http(url, { ...request, headers }), answer.token);
			if (response.status !== 401) return response;
			tokens.drop(answer.token);
			if (round > 0) return response;
		}
	};
}

/** Shorter ones would be found in everything. */
const SHORTEST_SECRET = 8;

/** Pages for developers repeat what they were sent, and what a service says is kept on record. */
function withoutSecret(response: HttpResponse, authorization: string): HttpResponse {
	const secret = authorization.slice(authorization.indexOf(' ') + 1);
	if (secret.length < SHORTEST_SECRET || !response.body.includes(secret)) return response;
	const bytes = (text: string) => Buffer.from(text).toString('latin1');
	return { ...response, body: Buffer.from(response.body.toString('latin1').replaceAll(bytes(secret), '[redacted]'), 'latin1') };
}

function authorizationOf(config: HttpConfig, secret: (ref: SecretRef) => Secret): (() => string) | null {
	const { basic_auth: basic, authorization } = config;
	if (basic !== undefined) {
		const name = basic.username_file === undefined ? (basic.username ?? '') : secret({ file: basic.username_file }).reveal();
		const passwordRef = secretOf(basic.password, basic.password_file);
		const password = passwordRef === undefined ? null : secret(passwordRef);
		return () => `Basic ${Buffer.from(`${name}:${password?.reveal() ?? ''}`).toString('base64')}`;
	}
	const ref =
		secretOf(authorization?.credentials, authorization?.credentials_file) ?? secretOf(config.bearer_token, config.bearer_token_file);
	if (ref === undefined) return null;
	const credentials = secret(ref);
	return () => `${authorization?.type ?? 'Bearer'} ${credentials.reveal()}`;
}
