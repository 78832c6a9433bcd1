import { createHash, createHmac } from 'node:crypto';
import iconv from 'iconv-lite';
import type { Static } from 'typebox';
import type { Secret } from '../../../core/secret.ts';
import type { SmsGatewayConfigSchema } from './config.ts';
import { fillPlaceholders } from './placeholders.ts';

export type SmsGatewayConfig = Static<typeof SmsGatewayConfigSchema>;

export interface GatewayRequest {
	readonly url: string;
	readonly headers: Readonly<Record<string, string>>;
	/** `undefined` with GET. */
	readonly body: Buffer | undefined;
}

/** Builds the request that the configuration describes. Pure: time and id are among `values`. */
export function gatewayRequest(
	config: SmsGatewayConfig,
	input: { readonly url: string; readonly values: Readonly<Record<string, string>>; readonly secrets: ReadonlyMap<string, Secret> },
): GatewayRequest {
	const values: Record<string, string> = { ...input.values };
	for (const [name, secret] of input.secrets) values[`secret.${name}`] = secret.reveal();
	if (config.digest !== undefined) values['digest'] = digestOf(config, values, input.secrets);
	const fill = (text: string) => fillPlaceholders(text, values);
	const headers = Object.fromEntries(Object.entries(config.headers).map(([name, value]) => [name.toLowerCase(), fill(value)]));
	const charset = config.charset === 'gbk' ? 'GBK' : 'UTF-8';
	if (config.form !== undefined) {
		const pairs = Object.entries(config.form).map(
			([name, value]) => `${percent(name, config.charset)}=${percent(fill(value), config.charset)}`,
		);
		const form = pairs.join('&');
		if (config.method === 'GET') return { url: `${input.url}${input.url.includes('?') ? '&' : '?'}${form}`, headers, body: undefined };
		return {
			url: input.url,
			headers: { 'content-type': `application/x-www-form-urlencoded; charset=${charset}`, ...headers },
			body: encoded(form),
		};
	}
	if (config.json !== undefined) {
		const body = Object.fromEntries(
			Object.entries(config.json).map(([name, value]) => [name, typeof value === 'string' ? fill(value) : value]),
		);
		return {
			url: input.url,
			headers: { 'content-type': `application/json; charset=${charset}`, ...headers },
			body: encoded(JSON.stringify(body)),
		};
	}
	return {
		url: input.url,
		headers: { 'content-type': `text/plain; charset=${charset}`, ...headers },
		body: encoded(fill(config.text ?? '')),
	};

	function encoded(text: string): Buffer {
		const bytes = iconv.encode(text, config.charset);
		return config.base64 ? Buffer.from(bytes.toString('base64')) : bytes;
	}
}

function digestOf(config: SmsGatewayConfig, values: Readonly<Record<string, string>>, secrets: ReadonlyMap<string, Secret>): string {
	const { digest } = config;
	if (digest === undefined) return '';
	const input = iconv.encode(fillPlaceholders(digest.input, values), config.charset);
	const algorithm = digest.algorithm.replace(/^hmac-/, '');
	const hash = digest.algorithm.startsWith('hmac-')
		? createHmac(algorithm, secrets.get(digest.key ?? '')?.reveal() ?? '').update(input)
		: createHash(algorithm).update(input);
	if (digest.encoding === 'base64') return hash.digest('base64');
	const hex = hash.digest('hex');
	return digest.encoding === 'HEX' ? hex.toUpperCase() : hex;
}

/** Percent-encoding over the bytes of `charset`: encodeURIComponent knows only UTF-8. */
function percent(text: string, charset: string): string {
	let out = '';
	for (const byte of iconv.encode(text, charset)) {
		const character = String.fromCharCode(byte);
		out += /[A-Za-z0-9\-_.~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
	}
	return out;
}
