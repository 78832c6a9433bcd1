import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { type Static, Type } from 'typebox';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import type { httpExchange } from '../../core/http-client.ts';

/** The way out of one channel, with Alertmanager's names: a government network has one proxy for the internet and none for its own platform. */
export const HttpConfigSchema = Type.Object(
	{
		/** `http://proxy:3128`; without it the channel goes out directly. */
		proxy_url: Type.Optional(Type.String({ pattern: '^https?://' })),
		tls_config: Type.Object({ ca_file: Type.Optional(Type.String({ minLength: 1 })) }, { additionalProperties: false, default: {} }),
	},
	{ additionalProperties: false },
);
export type HttpConfig = Static<typeof HttpConfigSchema>;

/** The client that a channel uses. Throws `FN_ALERTS_CA_UNREADABLE`. */
export function channelHttp(http: typeof httpExchange, config: HttpConfig | undefined): typeof httpExchange {
	if (config === undefined) return http;
	const { proxy_url: proxy } = config;
	const file = config.tls_config.ca_file;
	const ca = file === undefined ? undefined : readCa(file);
	const proxyEnv = proxy === undefined ? undefined : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: '' };
	const plain = new Agent({ ...(proxyEnv === undefined ? {} : { proxyEnv }) });
	const secure = new HttpsAgent({ ...(proxyEnv === undefined ? {} : { proxyEnv }), ...(ca === undefined ? {} : { ca }) });
	return (url, request) => http(url, { ...request, agent: url.startsWith('https:') ? secure : plain });
}

/** Throws `FN_ALERTS_CA_UNREADABLE`. */
export function readCa(file: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		throw new AppError(
			'FN_ALERTS_CA_UNREADABLE',
			`the CA file ${file} cannot be read (${systemErrorCode(error)}); correct tls_config.ca_file`,
			{
				cause: error,
			},
		);
	}
}
