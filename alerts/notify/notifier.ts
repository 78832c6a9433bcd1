import type { Clock } from '../../core/clock.ts';
import type { httpExchange } from '../../core/http-client.ts';
import type { Secret, SecretRef } from '../../core/secret.ts';
import type { Notification } from './notification.ts';

/** What became of one attempt. `code` is the channel's own (an errcode, an HTTP status), `reason` its own words without secrets. */
export type SendResult =
	| { readonly kind: 'sent'; readonly code: string }
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

/** One place that messages go to. Built from one entry of a receiver's configuration. */
export interface Notifier {
	/** `<receiver>/<type>/<index>`: names the place in outbox and history. */
	readonly channel: string;
	readonly receiver: string;
	readonly type: string;
	readonly sendResolved: boolean;
	/** Messages to the same `rateKey` share one limit, because the limit belongs to the robot and not to the receiver. */
	readonly rateKey: string;
	/** `null`: no limit. */
	readonly ratePerMinute: number | null;
	/** Whether several groups may be told in one message when the rate limit is near. */
	readonly digests: boolean;
	compose(notification: Notification, options: { readonly possibleDuplicate: boolean }): ComposedMessage;
}

/** What channels need of the world. */
export interface NotifierContext {
	readonly clock: Clock;
	readonly http: typeof httpExchange;
	readonly secret: (ref: SecretRef) => Secret;
	readonly externalUrl: string;
	readonly language: Language;
	readonly channel: string;
	readonly receiver: string;
}

export type Language = 'zh-CN' | 'en';

/** Default and bound of one exchange with a channel. */
export const DEFAULT_TIMEOUT = '10s';
