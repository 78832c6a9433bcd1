import type { HttpResponse } from '../../core/http-client.ts';
import { excerpt, retryAfterMs, statusOutcome } from './http-outcome.ts';
import type { SendResult } from './notifier.ts';

/** What services answer with 200 whatever happens: the code in the body decides. */
export interface BodyCodes {
	/** Keys of code and text, the first that is present counts. */
	readonly code: readonly string[];
	readonly text: readonly string[];
	readonly success: readonly (string | number)[];
	/** Codes after which the same message can pass, and how long to wait. Every other one is final. */
	readonly retryAfterMs: Readonly<Record<string, number>>;
	/** Words of the text that say the same where the code does not; after a minute. */
	readonly retryText?: RegExp;
}

const MINUTE_MS = 60_000;

export function judgeBody(
	response: HttpResponse,
	codes: BodyCodes,
	context: { readonly nowMs: number; readonly redact: (text: string) => string },
): SendResult {
	const answer = context.redact(excerpt(response.body));
	const body = jsonObject(response.body);
	const code = codes.code.map((key) => body[key]).find((value) => value !== undefined);
	if (code === undefined) {
		if (response.status !== 200) return statusOutcome(response, context.nowMs, answer);
		// A proxy's or a portal's page: the service itself always answers with a code.
		return { kind: 'retry', code: 'no-code', reason: answer, possiblySent: true };
	}
	if (codes.success.some((value) => value === code)) return { kind: 'sent', code: String(code) };
	const text = codes.text.map((key) => body[key]).find((value) => typeof value === 'string');
	const reason = context.redact(typeof text === 'string' ? text : answer);
	const waitMs = codes.retryAfterMs[String(code)] ?? (codes.retryText?.test(reason) === true ? MINUTE_MS : undefined);
	if (waitMs === undefined) return { kind: 'refused', code: String(code), reason };
	return { kind: 'retry', code: String(code), reason, possiblySent: false, afterMs: retryAfterMs(response, context.nowMs) ?? waitMs };
}

/** An empty object when the body is none. */
export function jsonObject(body: Uint8Array): Readonly<Record<string, unknown>> {
	try {
		const parsed: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
		return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Record<string, unknown>) : {};
	} catch {
		return {};
	}
}
