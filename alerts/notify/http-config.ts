import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { SecureVersion } from 'node:tls';
import { type Static, Type } from 'typebox';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import type { httpExchange } from '../../core/http-client.ts';
import { type Secret, type SecretRef, SecretRefSchema } from '../../core/secret.ts';

const File = Type.String({ minLength: 1 });
const TlsVersion = Type.Union((['TLS10', 'TLS11', 'TLS12', 'TLS13'] as const).map((version) => Type.Literal(version)));

/** TLS with Alertmanager's names. */
export const TlsConfigSchema = Type.Object(
	{
		/** PEM, or a file of it. */
		ca: Type.Optional(Type.String({ minLength: 1 })),
		ca_file: Type.Optional(File),
		/** What we show to a service that asks for it. */
		cert: Type.Optional(Type.String({ minLength: 1 })),
		cert_file: Type.Optional(File),
		key: Type.Optional(SecretRefSchema),
		key_file: Type.Optional(File),
		/** The name in the service's certificate, where it is not that of the address. */
		server_name: Type.Optional(Type.String({ minLength: 1 })),
		min_version: Type.Optional(TlsVersion),
		max_version: Type.Optional(TlsVersion),
		/** Only false: see `checkTls`. */
		insecure_skip_verify: Type.Optional(Type.Boolean()),
	},
	{ additionalProperties: false, default: {} },
);
export type TlsConfig = Static<typeof TlsConfigSchema>;

/** The way out of one channel, with Alertmanager's names: a government network has one proxy for the internet and none for its own platform. */
export const HttpConfigSchema = Type.Object(
	{
		/** `http://proxy:3128`; without it the channel goes out directly. */
		proxy_url: Type.Optional(Type.String({ pattern: '^https?://' })),
		/** Hosts that are reached directly, separated by commas. */
		no_proxy: Type.Optional(Type.String()),
		tls_config: TlsConfigSchema,
		basic_auth: Type.Optional(
			Type.Object(
				{
					username: Type.Optional(Type.String({ minLength: 1 })),
					username_file: Type.Optional(File),
					password: Type.Optional(SecretRefSchema),
					password_file: Type.Optional(File),
				},
				{ additionalProperties: false },
			),
		),
		authorization: Type.Optional(
			Type.Object(
				{
					type: Type.String({ default: 'Bearer', minLength: 1 }),
					credentials: Type.Optional(SecretRefSchema),
					credentials_file: Type.Optional(File),
				},
				{ additionalProperties: false },
			),
		),
		/** Older names of `authorization`. */
		bearer_token: Type.Optional(SecretRefSchema),
		bearer_token_file: Type.Optional(File),
		/** Only false: see `checkHttpConfig`. */
		follow_redirects: Type.Optional(Type.Boolean()),
		/** Every service that speaks HTTP/2 speaks HTTP/1.1 as well, which is what is spoken. */
		enable_http2: Type.Optional(Type.Boolean()),
	},
	{ additionalProperties: false },
);
export type HttpConfig = Static<typeof HttpConfigSchema>;

type Report = (path: readonly (string | number)[], message: string) => void;

/** What the schema cannot say. */
export function checkHttpConfig(config: HttpConfig, report: Report): void {
	const { basic_auth: basic, authorization, bearer_token: bearer, bearer_token_file: bearerFile } = config;
	const ways = [basic, authorization, bearer, bearerFile].filter((way) => way !== undefined);
	if (ways.length > 1) report([], 'at most one of "basic_auth", "authorization", "bearer_token" and "bearer_token_file" can be given');
	if (basic !== undefined) {
		exactlyOne(basic, ['username', 'username_file'], (message) => report(['basic_auth'], message));
		exactlyOne(basic, ['password', 'password_file'], (message) => report(['basic_auth'], message));
	}
	if (authorization !== undefined) {
		exactlyOne(authorization, ['credentials', 'credentials_file'], (message) => report(['authorization'], message));
		if (authorization.type.toLowerCase() === 'basic') report(['authorization', 'type'], 'write basic_auth instead');
	}
	if (config.no_proxy !== undefined && config.proxy_url === undefined) report(['no_proxy'], 'needs proxy_url beside it');
	if (config.follow_redirects === true)
		report(['follow_redirects'], 'a redirect is never followed, so that no message goes where nobody sent it; give the final address');
	checkTls(config.tls_config, (path, message) => report(['tls_config', ...path], message));
}

export function checkTls(config: TlsConfig, report: Report): void {
	if (config.insecure_skip_verify === true)
		report(
			['insecure_skip_verify'],
			'whoever stands in between could read and answer; give the certificate’s authority as ca_file, and server_name where the name differs',
		);
	for (const [inline, file] of [
		['ca', 'ca_file'],
		['cert', 'cert_file'],
		['key', 'key_file'],
	] as const)
		if (config[inline] !== undefined && config[file] !== undefined) report([file], `give "${inline}" or "${file}", not both`);
	const certificate = config.cert ?? config.cert_file;
	if ((certificate === undefined) !== ((config.key ?? config.key_file) === undefined))
		report([], 'a certificate and its key belong together: give cert_file and key_file, or neither');
}

function exactlyOne<K extends string>(
	config: Readonly<Partial<Record<K, unknown>>>,
	keys: readonly [K, K],
	report: (message: string) => void,
): void {
	if (keys.filter((key) => config[key] !== undefined).length !== 1) report(`needs exactly one of the keys "${keys[0]}" and "${keys[1]}"`);
}

/** A secret by either of the ways in which Alertmanager and we name it; `undefined` when neither is given. */
export function secretOf(inline: SecretRef | undefined, file: string | undefined): SecretRef | undefined {
	return inline ?? (file === undefined ? undefined : { file });
}

/** The client that a channel uses. Throws `FN_ALERTS_CA_UNREADABLE` and `FN_SECRET_UNREADABLE`. */
export function channelHttp(
	http: typeof httpExchange,
	config: HttpConfig | undefined,
	secret: (ref: SecretRef) => Secret,
): typeof httpExchange {
	if (config === undefined) return http;
	const { proxy_url: proxy, no_proxy: direct = '' } = config;
	const proxyEnv = proxy === undefined ? undefined : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: direct };
	const plain = new Agent({ ...(proxyEnv === undefined ? {} : { proxyEnv }) });
	const secure = new HttpsAgent({ ...(proxyEnv === undefined ? {} : { proxyEnv }), ...tlsOptions(config.tls_config, secret) });
	const authorization = authorizationOf(config, secret);
	return (url, request) => {
		const { headers = {} } = request;
		// A channel that signs its requests in this header knows better.
		const own = authorization === null || Object.keys(headers).some((name) => name.toLowerCase() === 'authorization');
		return http(url, {
			...request,
			headers: own ? headers : { ...headers, authorization: authorization() },
			agent: url.startsWith('https:') ? secure : plain,
		});
	};
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

interface TlsOptions {
	readonly ca?: string;
	readonly cert?: string;
	readonly key?: string;
	readonly servername?: string;
	readonly minVersion?: SecureVersion;
	readonly maxVersion?: SecureVersion;
}

/** For `node:tls`. Throws `FN_ALERTS_CA_UNREADABLE` and `FN_SECRET_UNREADABLE`. */
export function tlsOptions(config: TlsConfig, secret: (ref: SecretRef) => Secret): TlsOptions {
	const ca = config.ca ?? readPem(config.ca_file, 'ca_file');
	const cert = config.cert ?? readPem(config.cert_file, 'cert_file');
	const key = secretOf(config.key, config.key_file);
	return {
		...(ca === undefined ? {} : { ca }),
		...(cert === undefined ? {} : { cert }),
		...(key === undefined ? {} : { key: secret(key).reveal() }),
		...(config.server_name === undefined ? {} : { servername: config.server_name }),
		...(config.min_version === undefined ? {} : { minVersion: nodeVersion(config.min_version) }),
		...(config.max_version === undefined ? {} : { maxVersion: nodeVersion(config.max_version) }),
	};
}

function nodeVersion(version: NonNullable<TlsConfig['min_version']>): SecureVersion {
	return ({ TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const)[version];
}

function readPem(file: string | undefined, key: string): string | undefined {
	if (file === undefined) return undefined;
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new AppError(
			'FN_ALERTS_CA_UNREADABLE',
			`the file ${file} cannot be read (${systemErrorCode(error)}); correct tls_config.${key}`,
			{ cause: error },
		);
	}
}
