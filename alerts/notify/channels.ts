import { AppError } from '../../core/errors.ts';
import type { AlertsConfig } from '../config.ts';
import { templatesOf } from '../template-config.ts';
import { readTemplateFiles } from '../templates/alertmanager/template-files.ts';
import { createAlertmanagerTexts } from '../templates/alertmanager/texts.ts';
import { createTexts } from '../templates/texts.ts';
import type { CallbackAnswer, CallbackRequest, ChannelLine, LineContext, Place } from './channel-line.ts';
import type { HttpConfig } from './http-config.ts';
import { CHANNEL_KINDS } from './kinds.ts';
import { incidentsOf } from './notification.ts';
import type { ComposedMessage, Inbound, Notifier, NotifierContext } from './notifier.ts';
import { redactNotification } from './redact.ts';
import { channelHttp } from './way-out.ts';

/** What channels need of the world, before they have names. */
export interface ChannelWorld extends Pick<NotifierContext, 'clock' | 'log' | 'http' | 'secret' | 'externalUrl'> {
	readonly inbound: Inbound;
	/** Where relative names of template files start; the current folder when absent. */
	readonly configFolder?: string;
	/** Told of templates that fail when they are used. */
	readonly onTemplateError: (channel: string, reason: string) => void;
}

/** All ways out of one configuration. */
export interface Channels {
	/** Places by receiver. */
	readonly receivers: ReadonlyMap<string, readonly Notifier[]>;
	/** Names of `alerts.channels`. */
	readonly names: readonly string[];
	/** The place of a person's address, `<channel>//<address>`; `null` when there is no such channel. */
	personal(channel: string, to: string): Notifier | null;
	/** Hands a provider's request to its channel. Throws `FN_ALERTS_CALLBACK_UNKNOWN` and `FN_ALERTS_CALLBACK_REFUSED`. */
	callback(name: string, request: CallbackRequest): Promise<CallbackAnswer>;
	/** Begins to listen where providers speak by themselves. */
	start(): void;
	/** Ends connections. */
	close(): Promise<void>;
}

export const PERSONAL_SEPARATOR = '//';

interface NamedLine {
	readonly line: ChannelLine;
	readonly trust: Trust;
}

type Trust = 'internal' | 'external';

/** Opens every channel. Throws `FN_SECRET_UNREADABLE`, `FN_ALERTS_CA_UNREADABLE`, `FN_ALERTS_PROXY`, `FN_ALERTS_TEMPLATE_FILE` and `FN_TEMPLATE_PARSE`. */
export function openChannels(config: AlertsConfig, world: ChannelWorld): Channels {
	const { own, patterns } = templatesOf(config);
	const texts = createTexts(own, world.onTemplateError);
	const alertmanager = createAlertmanagerTexts(readTemplateFiles(patterns, world.configFolder ?? '.'), {
		now: () => world.clock.now(),
		onError: world.onTemplateError,
	});
	const lines: ChannelLine[] = [];
	const open = (type: string, entry: ChannelEntry, name: string): NamedLine => {
		const kind = CHANNEL_KINDS.find((known) => known.type === type);
		if (kind === undefined) throw new RangeError(`the schema let a channel of the type ${type} pass`);
		const context: LineContext = {
			...world,
			texts,
			alertmanager,
			language: config.language,
			line: name,
			http: channelHttp(world.http, entry.http_config ?? config.global.http_config, world),
			// The collector's own address is one of the network's.
			externalUrl: entry.trust === 'external' ? '' : world.externalUrl,
		};
		const line = kind.open((kind.withDefaults?.(entry as never, config.global) ?? entry) as never, context);
		lines.push(line);
		return { line, trust: entry.trust };
	};
	const named = new Map<string, NamedLine>();
	for (const channel of config.channels) {
		const [type, entry] = channelOf(channel);
		named.set(channel.name, open(type, entry, channel.name));
	}
	const placesOn = ({ line, trust }: NamedLine, place: Place, to: string | null) =>
		line.notifiers(place, to).map((notifier) => guarded(notifier, trust));
	const receivers = new Map<string, readonly Notifier[]>();
	for (const receiver of config.receivers) {
		const own = CHANNEL_KINDS.flatMap(({ type }) =>
			entriesOf(receiver, type).flatMap((entry, i) =>
				placesOn(
					open(type, entry, `${receiver.name}/${type}/${i}`),
					{ receiver: receiver.name, channel: `${receiver.name}/${type}/${i}` },
					null,
				),
			),
		);
		const shared = receiver.channel_configs.flatMap(({ channel, to, send_resolved }) => {
			const line = named.get(channel);
			if (line === undefined) return [];
			return (to.length === 0 ? [null] : to).flatMap((address) =>
				placesOn(line, { receiver: receiver.name, channel: `${receiver.name}/${channel}/${address ?? ''}` }, address).map((notifier) =>
					send_resolved === undefined ? notifier : { ...notifier, sendResolved: send_resolved },
				),
			);
		});
		receivers.set(receiver.name, [...own, ...shared]);
	}
	return {
		receivers,
		names: [...named.keys()],
		personal: (channel, to) => {
			const line = named.get(channel);
			if (line === undefined) return null;
			return placesOn(line, { receiver: '', channel: `${channel}${PERSONAL_SEPARATOR}${to}` }, to)[0] ?? null;
		},
		callback: async (name, request) => {
			const line = named.get(name)?.line;
			if (line?.callback === undefined) {
				throw new AppError('FN_ALERTS_CALLBACK_UNKNOWN', `no channel "${name.slice(0, 100)}" takes callbacks; see alerts.channels`, {
					status: 404,
				});
			}
			return line.callback(request);
		},
		start: () => {
			for (const line of lines) line.start?.();
		},
		close: async () => {
			await Promise.all(lines.map((line) => line.close?.()));
		},
	};
}

interface ChannelEntry {
	readonly trust: Trust;
	readonly http_config?: HttpConfig;
}

/** Type and configuration of an entry of `alerts.channels`, which has exactly one key beside its name. */
export function channelOf(channel: Readonly<Record<string, unknown>>): readonly [string, ChannelEntry] {
	const [type = '', entry] = Object.entries(channel).find(([key, value]) => key !== 'name' && value !== undefined) ?? [];
	return [type, entry as ChannelEntry];
}

function entriesOf(receiver: Readonly<Record<string, unknown>>, type: string): readonly ChannelEntry[] {
	return (receiver[`${type}_configs`] ?? []) as readonly ChannelEntry[];
}

/** What leaves passes here: redacted for a channel that is not trusted, and kept in the history without the link's token. */
function guarded(notifier: Notifier, trust: Trust): Notifier {
	return {
		...notifier,
		compose: async (notification, options): Promise<ComposedMessage> => {
			const message = await notifier.compose(trust === 'external' ? redactNotification(notification) : notification, options);
			const links = incidentsOf(notification).flatMap(({ ackUrl }) => (ackUrl === '' ? [] : [ackUrl]));
			return { ...message, text: links.reduce((text, link) => text.replaceAll(link, '[…]'), message.text) };
		},
	};
}
