import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import type { HttpResponse, httpExchange } from '../../core/http-client.ts';
import { Secret, type SecretRef } from '../../core/secret.ts';
import { AccessToken, type TokenAnswer } from './access-token.ts';
import { jsonObject } from './body-code.ts';
import { redactor } from './channel-frame.ts';
import type { OAuth2Config } from './http-config.ts';
import { excerpt, failedExchange, statusOutcome } from './http-outcome.ts';
import { DEFAULT_TIMEOUT } from './notifier.ts';
import { secretOf } from './tls.ts';

/** How the client names itself (RFC 6749 §2.3.1): in the header, or as parameters. Which one a service takes is found out, as Go's client does. */
type Style = 'header' | 'parameters';

/**
 * Tokens by client credentials (RFC 6749 §4.4), as values of `Authorization`. The question is written as golang.org/x/oauth2
 * writes it, so that a service which an Alertmanager talks to sees no difference.
 */
export function openOAuth2(
	config: OAuth2Config,
	world: { readonly http: typeof httpExchange; readonly secret: (ref: SecretRef) => Secret; readonly clock: Clock },
): AccessToken {
	const secretRef = secretOf(config.client_secret, config.client_secret_file);
	const secret = secretRef === undefined ? null : world.secret(secretRef);
	const further = Object.entries(config.endpoint_params).map(
		([name, value]) => [name, typeof value === 'string' ? null : world.secret(value), value] as const,
	);
	const held = [...(secret === null ? [] : [secret]), ...further.flatMap(([, one]) => one ?? [])];
	// What a service repeats is often the question as it was sent.
	const redact = redactor([
		...held,
		...held.map((one) => new Secret(formEncoded(one.reveal()))),
		new Secret(basicOf(config.client_id, secret)),
	]);
	const ask = (style: Style, signal: AbortSignal) => {
		const own = secret?.reveal() ?? '';
		const parameters: readonly (readonly [string, string])[] = [
			['grant_type', 'client_credentials'],
			...(config.scopes.length === 0 ? [] : [['scope', config.scopes.join(' ')] as const]),
			...further.map(([name, one, value]) => [name, one?.reveal() ?? String(value)] as const),
			...(style === 'header' ? [] : ([['client_id', config.client_id], ...(own === '' ? [] : [['client_secret', own] as const])] as const)),
		];
		return world.http(config.token_url, {
			method: 'POST',
			headers: {
				'content-type': 'application/x-www-form-urlencoded',
				...(style === 'header' ? { authorization: `Basic ${basicOf(config.client_id, secret)}` } : {}),
			},
			body: parameters
				.map(([name, value]) => `${formEncoded(name)}=${formEncoded(value)}`)
				.sort()
				.join('&'),
			timeoutMs: parseDuration(DEFAULT_TIMEOUT),
			maxBodyBytes: 256 * 1024,
			signal,
		});
	};
	let known: Style | null = null;
	return new AccessToken(async (signal) => {
		try {
			const style = known ?? 'header';
			const first = await ask(style, signal);
			const read = readToken(first);
			if (read !== null) {
				known = style;
				return read;
			}
			if (known !== null || !isRefusal(first)) return noToken(first, world.clock.now(), redact);
			const second = await ask('parameters', signal);
			const otherwise = readToken(second);
			if (otherwise !== null) known = 'parameters';
			return otherwise ?? noToken(second, world.clock.now(), redact);
		} catch (error) {
			const failed = failedExchange(error, redact);
			return failed.kind === 'retry' ? { ...failed, possiblySent: false } : failed;
		}
	}, world.clock);
}

function basicOf(id: string, secret: Secret | null): string {
	return Buffer.from(`${formEncoded(id)}:${formEncoded(secret?.reveal() ?? '')}`).toString('base64');
}

function isRefusal(response: HttpResponse): boolean {
	return statusOutcome(response, 0, '').kind === 'refused';
}

function noToken(response: HttpResponse, nowMs: number, redact: (text: string) => string): Exclude<TokenAnswer, { kind: 'token' }> {
	const said = redact(excerpt(response.body));
	const outcome = statusOutcome(response, nowMs, `no token from token_url, which answered ${response.status}: ${said}`);
	if (outcome.kind !== 'sent') return { ...outcome, code: `token-${outcome.code}` };
	return { kind: 'retry', code: 'no-token', reason: `the answer of token_url holds no token: ${said}`, possiblySent: false };
}

/** RFC 6749 §5.1; some services answer as a form instead, and give the time as text. A token without a time is kept until it is refused. */
function readToken(response: HttpResponse): TokenAnswer | null {
	if (response.status < 200 || response.status > 299) return null;
	const type = String(response.headers['content-type'] ?? '');
	const body = /^(application\/x-www-form-urlencoded|text\/plain)\b/.test(type)
		? Object.fromEntries(new URLSearchParams(response.body.toString('utf8')))
		: jsonObject(response.body);
	const { access_token: token, token_type: said, expires_in: life } = body;
	if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) return null;
	const seconds = Number(life);
	return {
		kind: 'token',
		token: `${scheme(said)} ${token}`,
		lifeMs: life === undefined || !(seconds > 0) ? Number.POSITIVE_INFINITY : seconds * 1000,
	};
}

/** The word is case-insensitive, and some services compare it all the same. */
function scheme(said: unknown): string {
	return typeof said !== 'string' || !/^[\w-]+$/.test(said) || said.toLowerCase() === 'bearer' ? 'Bearer' : said;
}

/** application/x-www-form-urlencoded as Go's url.QueryEscape writes it. */
function formEncoded(text: string): string {
	return encodeURIComponent(text)
		.replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
		.replaceAll('%20', '+');
}
