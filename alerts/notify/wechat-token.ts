import { AccessToken, type TokenAnswer } from './access-token.ts';
import { jsonObject, judgeBody } from './body-code.ts';
import { type Redact, type ServiceRequest, serviceCall } from './channel-frame.ts';
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
export const TOKEN_ENDED = ['40001', '40014', '42001', '42007'];

/** The token that WeChat's interfaces give out for a secret. */
export function wechatToken(
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
