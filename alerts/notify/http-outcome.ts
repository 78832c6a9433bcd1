import { AppError, errorText, systemErrorCode } from '../../core/errors.ts';
import type { HttpResponse } from '../../core/http-client.ts';
import type { SendResult } from './notifier.ts';

/** Errors of a connection that never carried a request, so that the message certainly did not arrive. */
const NEVER_SENT = new Set([
	'ECONNREFUSED',
	'ENOTFOUND',
	'EAI_AGAIN',
	'EHOSTUNREACH',
	'ENETUNREACH',
	'CERT_HAS_EXPIRED',
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'ERR_TLS_CERT_ALTNAME_INVALID',
	'ERR_PROXY_TUNNEL',
]);

/** An exchange that gave no answer. */
export type FailedExchange = Exclude<SendResult, { readonly kind: 'sent' }>;

/** There is nothing to log in with, so that nothing was sent. */
export class NoCredentials extends AppError {
	readonly result: FailedExchange;

	constructor(result: FailedExchange) {
		super('FN_ALERTS_NO_CREDENTIALS', result.reason, { retryable: result.kind === 'retry' });
		this.result = result;
	}
}

/** What a failed exchange means for the message. Anything but a refused connection may have been taken by the other side. */
export function failedExchange(error: unknown, redact: (text: string) => string): FailedExchange {
	if (error instanceof NoCredentials) return error.result;
	const cause = error instanceof AppError ? error.cause : error;
	const system = systemErrorCode(cause);
	const code = system !== '' ? system : error instanceof AppError ? error.code : 'error';
	return { kind: 'retry', code, reason: redact(errorText(error)), possiblySent: !NEVER_SENT.has(system) };
}

/** `Retry-After` in seconds or as an HTTP date (RFC 9110 §10.2.3), at most an hour; `undefined` when there is none. */
export function retryAfterMs(response: HttpResponse, nowMs: number): number | undefined {
	const value = response.headers['retry-after'];
	if (typeof value !== 'string') return undefined;
	const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - nowMs;
	return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), 3_600_000);
}

/** Judges by status alone, for channels whose bodies say nothing: 408, 425, 429 and 5xx can pass, other failures cannot. */
export function statusOutcome(response: HttpResponse, nowMs: number, reason: string): SendResult {
	const code = String(response.status);
	if (response.status >= 200 && response.status < 300) return { kind: 'sent', code };
	if (response.status >= 500 || response.status === 408 || response.status === 425 || response.status === 429) {
		const afterMs = retryAfterMs(response, nowMs);
		return { kind: 'retry', code, reason, possiblySent: false, ...(afterMs === undefined ? {} : { afterMs }) };
	}
	const { location } = response.headers;
	if (response.status < 300 || response.status > 399 || typeof location !== 'string' || !URL.canParse(location))
		return { kind: 'refused', code, reason };
	// Its path may be a secret.
	const elsewhere = `it sends on to ${new URL(location).origin}, where no message follows; give the final address`;
	return { kind: 'refused', code, reason: reason === '' ? elsewhere : `${elsewhere}: ${reason}` };
}

/** The beginning of an answer for history and log. */
export function excerpt(body: Uint8Array): string {
	const text = Buffer.from(body).toString('utf8').replace(/\s+/g, ' ').trim();
	return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
