import iconv from 'iconv-lite';
import { RE2JS } from 're2js';
import { Secret } from '../../../core/secret.ts';
import { compactShanghai } from '../../templates/shanghai-time.ts';
import { type Judge, notifierFrame, redactor, serviceCall } from '../channel-frame.ts';
import { retryAfterMs, statusOutcome } from '../http-outcome.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import { smsTextOf } from '../sms-text.ts';
import { valueAt } from '../value-at.ts';
import { gatewayRequest, type SmsGatewayConfig } from './request.ts';

/** A generic HTTP SMS platform; `config.phones` must not exceed `config.max_phones` (see `splitPhones`). */
export function createSmsGateway(config: SmsGatewayConfig, context: NotifierContext): Notifier {
	const url = typeof config.url === 'string' ? new Secret(config.url) : context.secret(config.url);
	const secrets = new Map(Object.entries(config.secrets).map(([name, ref]) => [name, context.secret(ref)]));
	const call = serviceCall(context, { timeout: config.timeout, redact: redactor([url, ...secrets.values()]), judge: createJudge(config) });
	const text = smsTextOf(context, { type: 'sms_gateway', ...config, reserve: config.signature_reserve });
	return {
		...notifierFrame('sms_gateway', config, context, [url.reveal(), config.phones.join()]),
		compose: async (notification, { possibleDuplicate }) => {
			const content = await text(notification, possibleDuplicate);
			const send = (signal: AbortSignal) => {
				const nowMs = context.clock.now();
				const values = {
					content,
					phones: config.phones.join(config.phone_separator),
					phone: config.phones[0] ?? '',
					id: notification.id,
					number: String(notification.number),
					unix: String(Math.floor(nowMs / 1000)),
					unix_ms: String(nowMs),
					datetime: compactShanghai(nowMs),
				};
				const request = gatewayRequest(config, { url: url.reveal(), secrets, values });
				return call({ url: request.url, method: config.method, headers: request.headers, body: request.body }, signal);
			};
			return { text: content, send };
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

function createJudge(config: SmsGatewayConfig): Judge {
	const { success } = config;
	const pattern = success.matches === undefined ? null : RE2JS.compile(success.matches);
	const refused = new Set(config.refused_codes.map(String));
	return (response, { nowMs, redact }) => {
		const text = iconv.decode(response.body, config.charset).trim();
		const reason = redact(text.length > 300 ? `${text.slice(0, 300)}…` : text);
		if (!success.status.includes(response.status)) {
			const outcome = statusOutcome(response, nowMs, reason);
			// A 2xx that is not the agreed one: somebody else answered, so nobody knows.
			return outcome.kind === 'sent' ? { kind: 'retry', code: outcome.code, reason, possiblySent: true } : outcome;
		}
		const answer = jsonOf(text);
		const found = success.json_path === undefined ? undefined : valueAt(answer, success.json_path);
		const code = found === undefined ? String(response.status) : redact(String(found));
		const byJson = success.equals === undefined || success.equals.some((value) => String(value) === String(found));
		const byText = pattern === null || pattern.matcher(text).find();
		if (byJson && byText) {
			const id = config.message_id_path === undefined ? undefined : valueAt(answer, config.message_id_path);
			return { kind: 'sent', code, ...(id === undefined ? {} : { receipts: config.phones.map((to) => ({ key: String(id), to })) }) };
		}
		if (refused.has(code)) return { kind: 'refused', code, reason };
		const afterMs = retryAfterMs(response, nowMs);
		return { kind: 'retry', code, reason, possiblySent: false, ...(afterMs === undefined ? {} : { afterMs }) };
	};
}

function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return undefined;
	}
}
