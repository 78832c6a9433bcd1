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
	const call = serviceCall<TokenAnswer>(context, { ...options, judge: readToken });
	return new AccessToken(async (signal) => {
		const answer = await call(options.request(), signal);
		// Nothing was sent while the token was asked for.
		return answer.kind === 'retry' ? { ...answer, possiblySent: false } : answer;
	}, context.clock);
}

const readToken: Judge<TokenAnswer> = (response, world) => {
	const { access_token: token, expires_in: life } = jsonObject(response.body);
	if (typeof token === 'string' && token !== '') {
		return { kind: 'token', token, lifeMs: (typeof life === 'number' ? life : 7200) * 1000 };
	}
	const result = judgeBody(response, WECHAT_CODES, world);
	return result.kind === 'sent' ? { kind: 'retry', code: 'no-token', reason: 'the answer holds no token', possiblySent: false } : result;
};
