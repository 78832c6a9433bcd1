import type { TObject } from 'typebox';
import type { AlertsGlobal } from '../global-config.ts';
import type { AuthoredText } from './authored.ts';
import type { Inbound, Notifier, NotifierContext } from './notifier.ts';

/** An HTTP request from a provider, as it came. */
export interface CallbackRequest {
	readonly method: string;
	readonly query: Readonly<Record<string, string>>;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: Buffer;
	/** When it reached us, where that is not now: a relay has kept it. */
	readonly receivedAtMs?: number;
}

export interface CallbackAnswer {
	readonly status: number;
	readonly type: string;
	readonly body: string;
}

export interface Place {
	readonly channel: string;
	readonly receiver: string;
}

/** One configured way out: an account with a provider, with what its messages share, like a token or a connection. */
export interface ChannelLine {
	readonly type: string;
	/** A place on this line; `to` instead of the recipients in the configuration. */
	notifiers(place: Place, to: string | null): readonly Notifier[];
	/** Checks and takes what the provider sends. Throws `FN_ALERTS_CALLBACK_REFUSED`. Absent where the provider sends nothing. */
	readonly callback?: (request: CallbackRequest) => Promise<CallbackAnswer>;
	/** Begins to listen, where the provider speaks by itself on a connection. */
	readonly start?: () => void;
	/** Ends connections. */
	readonly close?: () => Promise<void>;
}

/** What a line needs of the world. */
export interface LineContext extends Omit<NotifierContext, 'channel' | 'receiver'> {
	readonly inbound: Inbound;
}

/** A type of channel: the word in the configuration, its schema, and what it opens. */
export interface ChannelKind {
	readonly type: string;
	readonly schema: TObject;
	/** The key that names recipients, which an entry of `alerts.channels` leaves out; `null`: such entries have none (a robot). */
	readonly to: string | null;
	/** What is missing although `alerts.global` may hold it, by the key. */
	readonly missing?: (config: never, global: AlertsGlobal) => { readonly key: string; readonly global: string } | null;
	/** With what `alerts.global` says for all of them; nothing may be missing. */
	readonly withDefaults?: (config: never, global: AlertsGlobal) => object;
	/** What the schema cannot say. */
	readonly check?: (config: never, report: (path: readonly (string | number)[], message: string) => void) => void;
	/** Those of its texts that are templates in Alertmanager's language. */
	readonly texts?: (config: never) => readonly AuthoredText[];
	/** `config` has passed `schema`. */
	readonly open: (config: never, context: LineContext) => ChannelLine;
}

/** A line whose messages share nothing but their configuration. */
export function plainLine<C extends object>(
	type: string,
	context: LineContext,
	options: {
		readonly config: C;
		/** Puts a person's address in place of the configured recipients. */
		readonly addressed: (config: C, to: string) => C;
		/** Into configurations whose recipients one request can take. */
		readonly split?: (config: C) => readonly C[];
		readonly create: (config: C, context: NotifierContext) => Notifier;
		readonly callback?: ChannelLine['callback'];
		readonly pull?: Pick<ChannelLine, 'start' | 'close'>;
	},
): ChannelLine {
	const { config, addressed, split = (own: C) => [own], create, callback, pull = {} } = options;
	return {
		type,
		notifiers: (place, to) => placeEach(split(to === null ? config : addressed(config, to)), context, place, create),
		...(callback === undefined ? {} : { callback }),
		...pull,
	};
}

/** One place for each recipient, because each has its own record and its own retries; several are told apart by a number. */
export function placeEach<T>(
	recipients: readonly T[],
	context: LineContext,
	place: Place,
	create: (recipient: T, context: NotifierContext) => Notifier,
): readonly Notifier[] {
	return recipients.map((recipient, i) =>
		create(recipient, { ...context, ...place, channel: recipients.length === 1 ? place.channel : `${place.channel}.${i}` }),
	);
}
