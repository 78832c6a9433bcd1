import type { Secret, SecretRef } from '../../core/secret.ts';
import { AccessToken, type TokenAnswer } from './access-token.ts';
import { jsonObject, judgeBody } from './body-code.ts';
import { JSON_HEADERS, type Judge, type Redact, redactor, type ServiceRequest, serviceCall, trimmed } from './channel-frame.ts';
import type { LineContext } from './channel-line.ts';
import type { SendResult } from './notifier.ts';

/** Codes of WeChat and WeChat Work: busy, and frequency. Every other one is final. */
export const WECHAT_CODES = {
	code: ['errcode'],
	text: ['errmsg'],
	success: [0],
	retryAfterMs: { '-1': 5000, '45009': 60_000, '45033': 5000, '45011': 5000 },
} as const;

/** A token has ended, was taken back, or is no token: asked for anew once. */
const TOKEN_ENDED = ['40001', '40014', '42001', '42007'];

interface AccountConfig {
	readonly base_url: string;
	readonly secret: SecretRef;
	readonly timeout: string;
}

/** An application or account at WeChat's interfaces. */
export interface WechatAccount {
	/** Posts to `/cgi-bin/message/<path>` with a token that lives, asked for once more when the service no longer knows it. */
	post(path: string, body: object, judge: Judge, signal: AbortSignal): Promise<SendResult>;
}

/** `tokenRequest` is how the account's secret is exchanged for a token. */
export function openWechatAccount(
	config: AccountConfig,
	context: LineContext,
	tokenRequest: (base: string, secret: Secret) => ServiceRequest,
): WechatAccount {
	const secret = context.secret(config.secret);
	const redact = redactor([secret]);
	const base = trimmed(config.base_url);
	const token = tokenOf(context, { timeout: config.timeout, redact, request: () => tokenRequest(base, secret) });
	return {
		post: (path, body, judge, signal) =>
			token.use(
				signal,
				(access) => {
					// The token is part of the address, and must not be seen in what an error says.
					const clean = (text: string) => redact(text).replaceAll(access, '[redacted]');
					const call = serviceCall(context, { timeout: config.timeout, redact: clean, judge });
					const url = `${base}/cgi-bin/message/${path}?access_token=${encodeURIComponent(access)}`;
					return call({ url, headers: JSON_HEADERS, body: JSON.stringify(body) }, signal);
				},
				TOKEN_ENDED,
			),
	};
}

function tokenOf(
	context: LineContext,
	options: { readonly timeout: string; readonly redact: Redact; readonly request: () => ServiceRequest },
): AccessToken {
	return new AccessToken(async (signal): Promise<TokenAnswer> => {
		let found: TokenAnswer | null = null;
		const call = serviceCall(context, {
			...options,
			judge: (response, world): SendResult => {
				const body = jsonObject(response.body);
				const { access_token: token, expires_in: life } = body;
				if (typeof token === 'string' && token !== '') {
					found = { kind: 'token', token, lifeMs: (typeof life === 'number' ? life : 7200) * 1000 };
					return { kind: 'sent', code: '0' };
				}
				return judgeBody(response, WECHAT_CODES, world);
			},
		});
		const result = await call(options.request(), signal);
		if (found !== null) return found;
		return result.kind === 'sent'
			? { kind: 'retry', code: 'no-token', reason: 'the answer holds no token', possiblySent: false }
			: possiblyNot(result);
	}, context.clock);
}

/** Nothing was sent while the token was asked for. */
function possiblyNot(result: Exclude<SendResult, { kind: 'sent' }>): Exclude<SendResult, { kind: 'sent' }> {
	return result.kind === 'retry' ? { ...result, possiblySent: false } : result;
}
