import type { IncidentMark, Notification } from '../notify/notification.ts';

/** One way to reach a person. */
export interface Address {
	/** Name of an entry of `alerts.channels`. */
	readonly channel: string;
	/** What that channel sends to: a telephone number, a user id, an openid, a mail address. */
	readonly to: string;
}

/** What one person is to hear, and by which ways in which order. */
export interface PersonalRequest {
	/** UUID. Repeating a request with the same id changes nothing, so whoever was killed may ask again. */
	readonly id: string;
	readonly person: { readonly id: string; readonly name: string };
	/** At least one. A permanent refusal or a missing receipt goes to the next one at once. */
	readonly addresses: readonly Address[];
	readonly message: Pick<Notification, 'groupKey' | 'groupLabels' | 'reason' | 'alerts' | 'firingCount' | 'resolvedCount'>;
	/** What the message belongs to; `null` for a drill or a notice of its own. */
	readonly incident: IncidentMark | null;
}

/**
 * `queued`: it is in the outbox. `sent`: the channel took it. `refused`, `expired`: it did not, for good. `delivered`, `undelivered`, `read`: its receipt.
 * `missing`: no receipt within the channel's time. `next`: the next address has its turn. `exhausted`: there is none left.
 */
export type DeliveryEventKind =
	| 'queued'
	| 'sent'
	| 'refused'
	| 'expired'
	| 'delivered'
	| 'undelivered'
	| 'missing'
	| 'read'
	| 'next'
	| 'exhausted';

/** What became of a personal message. Told after it is durable; `NotificationHistory.deliveries` has all of it after a restart. */
export interface DeliveryEvent {
	readonly kind: DeliveryEventKind;
	readonly atMs: number;
	/** `PersonalRequest.id`, the same for all addresses. */
	readonly requestId: string;
	readonly personId: string;
	readonly incidentId: string | null;
	readonly address: Address;
	/** Number that stands in the text. */
	readonly number: number;
	/** The channel's own code. */
	readonly code: string;
}

/** What came back from a person. */
export interface InboundReply {
	/** Unique for the channel; the same reply that arrives twice carries the same id and is passed on once while the process lives. */
	readonly id: string;
	/** Name of an entry of `alerts.channels`; `from` is the address there, verified by the channel's own signature or connection. */
	readonly from: Address;
	/** Type of the channel: `cmpp`, `wechat_app`, … */
	readonly way: string;
	/** What was written, trimmed; or that the button of an incident's card was pressed. */
	readonly said: { readonly kind: 'text'; readonly text: string } | { readonly kind: 'acknowledge'; readonly incidentId: string };
	readonly atMs: number;
}

/** `text` is said back where the channel can (a card's button shows it); `''` for nothing. Throws when it is not recorded; the sender repeats. */
export type ReplyPort = (reply: InboundReply) => Promise<{ readonly text: string }>;

export interface PersonalDelivery {
	/** Resolves once it is in the outbox. Throws `FN_ALERTS_CHANNEL_UNKNOWN` when no address has a channel. */
	notify(request: PersonalRequest): Promise<void>;
	/** One listener; its errors are logged and cost nothing else. */
	onEvent(listener: (event: DeliveryEvent) => void | Promise<void>): void;
	/** Without one, replies are answered with 503 so that whoever sent them keeps them. */
	onReply(port: ReplyPort): void;
	/** Names of `alerts.channels`. */
	channels(): readonly string[];
}
