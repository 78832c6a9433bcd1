import { createHash } from 'node:crypto';
import iconv from 'iconv-lite';
import { RE2JS } from 're2js';
import { parseDuration } from '../../../core/duration.ts';
import type { HttpResponse } from '../../../core/http-client.ts';
import { Secret } from '../../../core/secret.ts';
import { compactShanghai } from '../../templates/shanghai-time.ts';
import { failedExchange, retryAfterMs, statusOutcome } from '../http-outcome.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import { smsText } from './message.ts';
import { gatewayRequest, type SmsGatewayConfig } from './request.ts';

/** A generic HTTP SMS platform; `config.phones` must not exceed `config.max_phones` (see `splitPhones`). */
export function createSmsGateway(config: SmsGatewayConfig, context: NotifierContext): Notifier {
	const url = typeof config.url === 'string' ? new Secret(config.url) : context.secret(config.url);
	const secrets = new Map(Object.entries(config.secrets).map(([name, ref]) => [name, context.secret(ref)]));
	const timeoutMs = parseDuration(config.timeout);
	const language = config.language ?? context.language;
	const redact = (text: string) =>
		[url, ...secrets.values()].reduce((clean, secret) => clean.replaceAll(secret.reveal(), '[redacted]'), text);
	const judge = createJudge(config);
	const send = async (content: string, message: { id: string; number: number; signal: AbortSignal }): Promise<SendResult> => {
		const nowMs = context.clock.now();
		const request = gatewayRequest(config, {
			url: url.reveal(),
			secrets,
			values: {
				content,
				phones: config.phones.join(config.phone_separator),
				phone: config.phones[0] ?? '',
				id: message.id,
				number: String(message.number),
				unix: String(Math.floor(nowMs / 1000)),
				unix_ms: String(nowMs),
				datetime: compactShanghai(nowMs),
			},
		});
		try {
			const response = await context.http(request.url, {
				method: config.method,
				headers: request.headers,
				...(request.body === undefined ? {} : { body: request.body }),
				timeoutMs,
				signal: message.signal,
				maxBodyBytes: 64 * 1024,
			});
			return judge(response, context.clock.now(), redact);
		} catch (error) {
			return failedExchange(error, redact);
		}
	};
	return {
		channel: context.channel,
		receiver: context.receiver,
		type: 'sms_gateway',
		sendResolved: config.send_resolved,
		rateKey: createHash('sha256').update(`${url.reveal()}\n${config.phones.join()}`).digest('hex'),
		ratePerMinute: config.rate_per_minute,
		digests: true,
		compose: (notification, { possibleDuplicate }) => {
			const text = smsText(notification, {
				language,
				possibleDuplicate,
				signature: config.signature,
				reserve: config.signature_reserve,
				maxParts: config.max_parts,
			});
			return { text, send: (signal) => send(text, { id: notification.id, number: notification.number, signal }) };
		},
	};
}

/** One configuration per request: each part of the recipients then has its own record and its own retries. */
export function splitPhones(config: SmsGatewayConfig): readonly SmsGatewayConfig[] {
	const parts: SmsGatewayConfig[] = [];
	for (let i = 0; i < config.phones.length; i += config.max_phones) {
		parts.push({ ...config, phones: config.phones.slice(i, i + config.max_phones) });
	}
	return parts;
}

function createJudge(config: SmsGatewayConfig): (response: HttpResponse, nowMs: number, redact: (text: string) => string) => SendResult {
	const { success } = config;
	const pattern = success.matches === undefined ? null : RE2JS.compile(success.matches);
	const refused = new Set(config.refused_codes.map(String));
	return (response, nowMs, redact) => {
		const text = iconv.decode(response.body, config.charset).trim();
		const reason = redact(text.length > 300 ? `${text.slice(0, 300)}…` : text);
		if (!success.status.includes(response.status)) {
			const outcome = statusOutcome(response, nowMs, reason);
			// A 2xx that is not the agreed one: somebody else answered, so nobody knows.
			return outcome.kind === 'sent' ? { kind: 'retry', code: outcome.code, reason, possiblySent: true } : outcome;
		}
		const found = success.json_path === undefined ? undefined : jsonAt(text, success.json_path);
		const code = found === undefined ? String(response.status) : redact(String(found));
		const byJson = success.equals === undefined || success.equals.some((value) => String(value) === String(found));
		const byText = pattern === null || pattern.matcher(text).find();
		if (byJson && byText) return { kind: 'sent', code };
		if (refused.has(code)) return { kind: 'refused', code, reason };
		const afterMs = retryAfterMs(response, nowMs);
		return { kind: 'retry', code, reason, possiblySent: false, ...(afterMs === undefined ? {} : { afterMs }) };
	};
}

function jsonAt(text: string, path: string): unknown {
	try {
		let node: unknown = JSON.parse(text);
		for (const key of path.split('.')) {
			node = typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[key] : undefined;
		}
		return node;
	} catch {
		return undefined;
	}
}
