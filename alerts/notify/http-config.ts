import { type Static, Type } from 'typebox';
import { SecretRefSchema } from '../../core/secret.ts';
import { checkProxy, proxyProperties } from './proxy.ts';
import { checkTls, TlsConfigSchema } from './tls.ts';

const File = Type.String({ minLength: 1 });

/** RFC 6749 §4.4, client credentials. */
export const OAuth2ConfigSchema = Type.Object(
	{
		client_id: Type.String({ minLength: 1 }),
		client_secret: Type.Optional(SecretRefSchema),
		client_secret_file: Type.Optional(File),
		scopes: Type.Array(Type.String(), { default: [] }),
		token_url: Type.String({ pattern: '^https?://' }),
		/** Further parameters of the question for a token. */
		endpoint_params: Type.Record(Type.String(), Type.Union([Type.String(), SecretRefSchema]), { default: {} }),
		/** The way to the service that gives tokens; the channel's own is not taken for it. */
		tls_config: TlsConfigSchema,
		...proxyProperties,
	},
	{ additionalProperties: false },
);
export type OAuth2Config = Static<typeof OAuth2ConfigSchema>;

const HeaderSchema = Type.Object(
	{
		values: Type.Optional(Type.Array(Type.String())),
		secrets: Type.Optional(Type.Array(SecretRefSchema)),
		files: Type.Optional(Type.Array(File)),
	},
	{ additionalProperties: false },
);

/** The way out of one channel, with Alertmanager's names: a government network has one proxy for the internet and none for its own platform. */
export const HttpConfigSchema = Type.Object(
	{
		...proxyProperties,
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
		oauth2: Type.Optional(OAuth2ConfigSchema),
		/** Sent with every request; those that the channel sets itself win. */
		http_headers: Type.Record(Type.String(), HeaderSchema, { default: {} }),
		/** True unless said otherwise, within the bounds of `following`. */
		follow_redirects: Type.Optional(Type.Boolean()),
		/** Every service that speaks HTTP/2 speaks HTTP/1.1 as well, which is what is spoken. */
		enable_http2: Type.Optional(Type.Boolean()),
	},
	{ additionalProperties: false },
);
export type HttpConfig = Static<typeof HttpConfigSchema>;

type Report = (path: readonly (string | number)[], message: string) => void;

/** Headers that the exchange itself decides on. */
const RESERVED_HEADERS = [
	'authorization',
	'connection',
	'content-encoding',
	'content-length',
	'content-type',
	'host',
	'proxy-authorization',
	'transfer-encoding',
	'user-agent',
];

/** What the schema cannot say. */
export function checkHttpConfig(config: HttpConfig, report: Report): void {
	const { basic_auth: basic, authorization, bearer_token: bearer, bearer_token_file: bearerFile, oauth2 } = config;
	const ways = [basic, authorization, bearer, bearerFile, oauth2].filter((way) => way !== undefined);
	if (ways.length > 1)
		report([], 'at most one of "basic_auth", "authorization", "oauth2", "bearer_token" and "bearer_token_file" can be given');
	if (basic !== undefined) {
		exactlyOne(basic, ['username', 'username_file'], (message) => report(['basic_auth'], message));
		exactlyOne(basic, ['password', 'password_file'], (message) => report(['basic_auth'], message));
	}
	if (authorization !== undefined) {
		exactlyOne(authorization, ['credentials', 'credentials_file'], (message) => report(['authorization'], message));
		if (authorization.type.toLowerCase() === 'basic') report(['authorization', 'type'], 'write basic_auth instead');
	}
	if (oauth2 !== undefined) checkOAuth2(oauth2, (path, message) => report(['oauth2', ...path], message));
	for (const name of Object.keys(config.http_headers)) {
		if (RESERVED_HEADERS.includes(name.toLowerCase()))
			report(
				['http_headers', name],
				'is set by the exchange itself; use basic_auth, authorization or oauth2 to log in, and leave it out here',
			);
	}
	checkProxy(config, report);
	checkTls(config.tls_config, (path, message) => report(['tls_config', ...path], message));
}

function checkOAuth2(config: OAuth2Config, report: Report): void {
	exactlyOne(config, ['client_secret', 'client_secret_file'], (message) => report([], message));
	if ('grant_type' in config.endpoint_params) report(['endpoint_params', 'grant_type'], 'only client_credentials is spoken; leave it out');
	checkProxy(config, report);
	checkTls(config.tls_config, (path, message) => report(['tls_config', ...path], message));
}

function exactlyOne<K extends string>(
	config: Readonly<Partial<Record<K, unknown>>>,
	keys: readonly [K, K],
	report: (message: string) => void,
): void {
	if (keys.filter((key) => config[key] !== undefined).length !== 1) report(`needs exactly one of the keys "${keys[0]}" and "${keys[1]}"`);
}
