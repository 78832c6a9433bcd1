import { createHash, randomUUID } from 'node:crypto';
import type { SecretRef } from '../../../core/secret.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { type Judge, redactor, serviceCall } from '../channel-frame.ts';
import type { FailedExchange } from '../http-outcome.ts';
import type { NotifierContext } from '../notifier.ts';
import { aliyunAuthorization, canonicalQuery } from './signature.ts';

/** Keys of everything at Aliyun. */
export const aliyunProperties = { access_key_id: SecretRefSchema, access_key_secret: SecretRefSchema };

/** Of both services, dysmsapi and dyvmsapi. */
const VERSION = '2017-05-25';

interface AliyunConfig {
	readonly base_url: string;
	readonly access_key_id: SecretRef;
	readonly access_key_secret: SecretRef;
	readonly timeout: string;
}

const EMPTY_SHA256 = createHash('sha256').update('').digest('hex');

/** One call of an Aliyun RPC-style API with signature V3, all parameters in the query. */
export function aliyunCall<T>(
	config: AliyunConfig,
	context: Pick<NotifierContext, 'http' | 'clock' | 'secret'>,
	api: { readonly action: string; readonly judge: Judge<T> },
): (query: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<T | FailedExchange> {
	const id = context.secret(config.access_key_id);
	const secret = context.secret(config.access_key_secret);
	const call = serviceCall(context, { timeout: config.timeout, redact: redactor([id, secret]), judge: api.judge });
	return (query, signal) => {
		const url = new URL(config.base_url);
		const headers = {
			host: url.host,
			'x-acs-action': api.action,
			'x-acs-version': VERSION,
			'x-acs-date': new Date(context.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z'),
			'x-acs-signature-nonce': randomUUID(),
			'x-acs-content-sha256': EMPTY_SHA256,
		};
		const authorization = aliyunAuthorization(
			{ method: 'POST', path: '/', query, headers, payloadSha256: EMPTY_SHA256 },
			{ id: id.reveal(), secret: secret.reveal() },
		);
		return call(
			{ url: `${url.origin}/?${canonicalQuery(query)}`, headers: { ...headers, authorization, accept: 'application/json' } },
			signal,
		);
	};
}
