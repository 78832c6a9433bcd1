import type { Language } from '../templates/language.ts';
import { shorten, smsCapacity, unitLength } from '../templates/shorten.ts';
import { PLAIN } from '../templates/texts.ts';
import { textOf } from './channel-frame.ts';
import type { Notification } from './notification.ts';
import type { NotifierContext } from './notifier.ts';

export interface SmsTextConfig {
	readonly type: string;
	readonly language?: Language;
	/** `【…】` in front, `''` when the platform adds it. */
	readonly signature: string;
	/** Units that the platform adds and that must be left free. */
	readonly reserve: number;
	/** Parts a text may be split into: one is 70 characters, more are 67 each. */
	readonly max_parts: number;
}

/** Incidents of a digest whose codes one short message names. */
const SMS_TAKES = 6;

/** The text of a short message, signature included, which never takes more than the parts that are paid for. */
export function smsTextOf(
	context: NotifierContext,
	config: SmsTextConfig,
): (notification: Notification, possibleDuplicate: boolean) => Promise<string> {
	const write = textOf(context, { type: config.type, style: 'sms', language: config.language, markup: PLAIN });
	const whole = smsCapacity(config.max_parts) - config.reserve;
	const limit = Math.max(0, whole - unitLength(config.signature));
	return async (notification, possibleDuplicate) =>
		shorten(
			`${config.signature}${await write(notification, possibleDuplicate, { limit, measure: unitLength, takes: SMS_TAKES })}`,
			whole,
			unitLength,
		);
}
