import { createHash } from 'node:crypto';
import { Type } from 'typebox';
import { DURATION_PATTERN, parseDuration } from '../../core/duration.ts';
import type { HttpRequest, HttpResponse } from '../../core/http-client.ts';
import { type Secret, SecretRefSchema } from '../../core/secret.ts';
import type { AlertmanagerTextOf } from '../templates/alertmanager/texts.ts';
import type { Language } from '../templates/language.ts';
import type { Markup, TextOf, TextPart, TextStyle } from '../templates/texts.ts';
import { HttpConfigSchema } from './http-config.ts';
import { type FailedExchange, failedExchange } from './http-outcome.ts';
import { incidentsOf } from './notification.ts';
import { DEFAULT_TIMEOUT, type Notifier, type NotifierContext, type SendResult } from './notifier.ts';

/** Keys that every channel has. */
export const channelProperties = {
	send_resolved: Type.Boolean({ default: true }),
	/** `external`: what leaves says number, system, level and time only. See `redact.ts`. */
	trust: Type.Union([Type.Literal('internal'), Type.Literal('external')], { default: 'internal' }),
	language: Type.Optional(Type.Union([Type.Literal('zh-CN'), Type.Literal('en')])),
};

/** Keys of channels that are HTTP services. */
export const httpChannelProperties = {
	...channelProperties,
	timeout: Type.String({ default: DEFAULT_TIMEOUT, pattern: DURATION_PATTERN }),
	http_config: Type.Optional(HttpConfigSchema),
};

/** Keys of channels that report whether a message arrived. */
export const receiptProperties = {
	/** A message without a receipt within this time counts as not arrived; absent: receipts are recorded, and none is waited for. */
	receipt_timeout: Type.Optional(Type.String({ pattern: DURATION_PATTERN })),
	/** What the provider's callbacks carry as `?token=`: without it, they are refused. */
	callback_token: Type.Optional(SecretRefSchema),
};

export const baseUrl = (byDefault: string) => Type.String({ default: byDefault, pattern: '^https?://' });
export const phoneNumber = Type.String({ pattern: '^\\+?[0-9]{5,20}$', description: 'a telephone number of 5 to 20 digits' });

interface FramedConfig {
	readonly send_resolved: boolean;
	readonly rate_per_minute?: number;
	readonly receipt_timeout?: string;
}

/** What all notifiers say of themselves; `limitedBy` is what the service counts by: a robot's key, a number. */
export function notifierFrame(
	type: string,
	config: FramedConfig,
	context: NotifierContext,
	limitedBy: readonly string[],
): Omit<Notifier, 'compose'> {
	return {
		channel: context.channel,
		receiver: context.receiver,
		line: context.line,
		type,
		sendResolved: config.send_resolved,
		rateKey: createHash('sha256').update(limitedBy.join('\n')).digest('hex'),
		ratePerMinute: config.rate_per_minute ?? null,
		digests: true,
		receiptTimeoutMs: config.receipt_timeout === undefined ? null : parseDuration(config.receipt_timeout),
	};
}

/** The text of a place in its language. */
export function textOf(
	context: NotifierContext,
	place: {
		readonly type: string;
		readonly style: TextStyle;
		readonly part?: TextPart;
		readonly language: Language | undefined;
		readonly markup: Markup;
	},
): TextOf {
	const { channel, externalUrl } = context;
	return context.texts({ ...place, part: place.part ?? 'text', language: place.language ?? context.language, channel, externalUrl });
}

/**
 * A text that the operator wrote in Alertmanager's language. Never rejects; `null` where there is none, where it fails, and for
 * a message whose text is ready-made: the shipped text is sent then.
 */
export function authoredText(
	context: NotifierContext,
	template: string | undefined,
	place: {
		readonly name: string;
		readonly html?: boolean;
		readonly language: Language | undefined;
		/** Saying nothing is not a mistake of it. */
		readonly mayBeEmpty?: boolean;
	},
): AlertmanagerTextOf {
	if (template === undefined || template.trim() === '') return async () => null;
	const { channel, externalUrl } = context;
	const language = place.language ?? context.language;
	const write = context.alertmanager.text(template, {
		name: place.name,
		html: place.html === true,
		mayBeEmpty: place.mayBeEmpty === true,
		language,
		channel,
		externalUrl,
	});
	return async (notification, possibleDuplicate, size) =>
		place.mayBeEmpty !== true && incidentsOf(notification).some(({ text }) => text !== '')
			? null
			: write(notification, possibleDuplicate, size);
}

export type Redact = (text: string) => string;

/** Removes every secret from what a service or an error says. */
export function redactor(secrets: readonly Secret[]): Redact {
	const values = secrets.map((secret) => secret.reveal()).filter((value) => value !== '');
	return (text) => values.reduce((clean, value) => clean.replaceAll(value, '[redacted]'), text);
}

export interface ServiceRequest {
	readonly url: string;
	/** Default POST. */
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: HttpRequest['body'];
}

export type Judge<T = SendResult> = (response: HttpResponse, world: { readonly nowMs: number; readonly redact: Redact }) => T;

/** One bounded exchange with a service, whose answer `judge` reads; never rejects. */
export function serviceCall<T = SendResult>(
	context: Pick<NotifierContext, 'http' | 'clock'>,
	options: { readonly timeout: string; readonly redact: Redact; readonly judge: Judge<T> },
): (request: ServiceRequest, signal: AbortSignal) => Promise<T | FailedExchange> {
	const timeoutMs = parseDuration(options.timeout);
	return async ({ url, method = 'POST', headers = {}, body }, signal) => {
		try {
			const response = await context.http(url, {
				method,
				headers,
				...(body === undefined ? {} : { body }),
				timeoutMs,
				signal,
				maxBodyBytes: 256 * 1024,
			});
			return options.judge(response, { nowMs: context.clock.now(), redact: options.redact });
		} catch (error) {
			return failedExchange(error, options.redact);
		}
	};
}

export const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' };

/** `base_url` without the slash that people leave at its end. */
export function trimmed(base: string): string {
	return base.replace(/\/+$/, '');
}
