import type { Clock } from '../../core/clock.ts';
import type { httpExchange } from '../../core/http-client.ts';
import type { Logger } from '../../core/log.ts';
import type { Secret, SecretRef } from '../../core/secret.ts';
import type { AlertmanagerTexts } from '../templates/alertmanager/texts.ts';
import type { Language } from '../templates/language.ts';
import type { Texts } from '../templates/texts.ts';
import type { Notification } from './notification.ts';

/** By what a later receipt names a message: the channel's own id of it, and the recipient where one id stands for several. */
export interface ReceiptKey {
	readonly key: string;
	readonly to: string;
}

/** What became of one attempt. `code` is the channel's own (an errcode, an HTTP status), `reason` its own words without secrets. */
export type SendResult =
	| { readonly kind: 'sent'; readonly code: string; readonly receipts?: readonly ReceiptKey[] }
	| {
			readonly kind: 'retry';
			/** Not before this many milliseconds; the pipeline's back-off otherwise. */
			readonly afterMs?: number;
			readonly code: string;
			readonly reason: string;
			/** The other side may have taken it all the same: a timeout, a broken connection. */
			readonly possiblySent: boolean;
	  }
	| { readonly kind: 'refused'; readonly code: string; readonly reason: string };

export interface ComposedMessage {
	/** What people read, as kept in the history; no secrets. */
	readonly text: string;
	send(signal: AbortSignal): Promise<SendResult>;
}

/** One place that messages go to. */
export interface Notifier {
	/** `<receiver>/<type>/<index>`, or `<channel>//<address>` for a person: names the place in outbox and history. */
	readonly channel: string;
	readonly receiver: string;
	/** Name of the configuration's entry, by which receipts come back. */
	readonly line: string;
	readonly type: string;
	readonly sendResolved: boolean;
	/** Messages to the same `rateKey` share one limit, because the limit belongs to the robot and not to the receiver. */
	readonly rateKey: string;
	/** `null`: no limit. */
	readonly ratePerMinute: number | null;
	/** Whether several groups may be told in one message when the rate limit is near. */
	readonly digests: boolean;
	/** How long a receipt is waited for; `null`: none is. */
	readonly receiptTimeoutMs: number | null;
	compose(notification: Notification, options: { readonly possibleDuplicate: boolean }): Promise<ComposedMessage>;
}

/** A receipt as a channel reports it. */
export interface Receipt extends ReceiptKey {
	readonly state: 'delivered' | 'undelivered' | 'read';
	readonly code: string;
	readonly atMs: number;
}

/** A message of the last hour. */
export interface RecentMessage extends ReceiptKey {
	readonly sentAtMs: number;
	/** Nobody has said yet that it arrived, or that it did not. */
	readonly awaited: boolean;
}

/** Where channels hand over what comes back to them. */
export interface Inbound {
	/** Resolves once it is recorded. `line` is the channel's name in `alerts.channels`. */
	receipts(line: string, receipts: readonly Receipt[]): Promise<void>;
	/** For channels that ask: what the line sent in the last hour, newest first. */
	recent(line: string): Promise<readonly RecentMessage[]>;
	/** Answers what is said back, `''` for nothing. Rejects with `FN_ALERTS_NOBODY_LISTENS` when replies are not taken. */
	reply(reply: {
		readonly id: string;
		readonly from: { readonly channel: string; readonly to: string };
		readonly way: string;
		readonly said: { readonly kind: 'text'; readonly text: string } | { readonly kind: 'acknowledge'; readonly incidentId: string };
		readonly atMs: number;
	}): Promise<string>;
}

/** What channels need of the world. */
export interface NotifierContext {
	readonly clock: Clock;
	readonly log: Logger;
	readonly http: typeof httpExchange;
	readonly secret: (ref: SecretRef) => Secret;
	readonly externalUrl: string;
	readonly language: Language;
	readonly texts: Texts;
	readonly alertmanager: AlertmanagerTexts;
	/** Name in `alerts.channels`, or the place itself for an entry of a receiver. */
	readonly line: string;
	readonly channel: string;
	readonly receiver: string;
}

/** Default and bound of one exchange with a channel. */
export const DEFAULT_TIMEOUT = '10s';
