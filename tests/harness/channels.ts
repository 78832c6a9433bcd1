import { type Channels, openChannels } from '../../alerts/notify/channels.ts';
import type { IncidentMark, Notification } from '../../alerts/notify/notification.ts';
import type { Inbound, Notifier, Receipt, SendResult } from '../../alerts/notify/notifier.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { httpExchange } from '../../core/http-client.ts';
import { silentLogger } from '../../core/log.ts';
import { resolveSecret } from '../../core/secret.ts';
import { alertsConfig } from './alerting.ts';

export interface OpenedChannels {
	readonly channels: Channels;
	/** What came back, in order. */
	readonly receipts: (Receipt & { readonly line: string })[];
	readonly replies: Parameters<Inbound['reply']>[0][];
	readonly templateErrors: string[];
}

/** The channels of a configuration, without a pipeline; what comes back is collected, and replies are answered with `answer`. */
export function openTestChannels(
	config: string,
	options: { readonly secrets?: Readonly<Record<string, string>>; readonly clock?: Clock; readonly answer?: string } = {},
): OpenedChannels {
	const receipts: (Receipt & { readonly line: string })[] = [];
	const replies: Parameters<Inbound['reply']>[0][] = [];
	const templateErrors: string[] = [];
	const channels = openChannels(alertsConfig(config), {
		clock: options.clock ?? systemClock,
		log: silentLogger,
		http: httpExchange,
		secret: (ref) => resolveSecret(ref, options.secrets ?? {}),
		externalUrl: 'http://c:9999',
		inbound: {
			receipts: async (line, came) => {
				receipts.push(...came.map((receipt) => ({ ...receipt, line })));
			},
			reply: async (reply) => {
				replies.push(reply);
				return options.answer ?? '';
			},
		},
		onTemplateError: (channel, reason) => templateErrors.push(`${channel}: ${reason}`),
	});
	return { channels, receipts, replies, templateErrors };
}

/** One alert that is told, as the pipeline would hand it to a channel. */
export function exampleNotification(
	change: {
		readonly labels?: Readonly<Record<string, string>>;
		readonly annotations?: Readonly<Record<string, string>>;
		readonly nowMs?: number;
		readonly endsAtMs?: number | null;
		readonly incident?: IncidentMark;
	} = {},
): Notification {
	const { nowMs = Date.now(), endsAtMs = null } = change;
	return {
		id: '01900000-0000-7000-8000-000000000001',
		number: 7,
		receiver: 'default',
		groupKey: '{}:{alertname="A"}',
		groupLabels: { alertname: 'A' },
		createdAtMs: nowMs,
		reason: endsAtMs === null ? 'fired' : 'resolved',
		alerts: [
			{
				fingerprint: 'f',
				status: endsAtMs === null ? 'firing' : 'resolved',
				labels: change.labels ?? { alertname: 'A', severity: 'critical' },
				annotations: change.annotations ?? { summary: 'Nginx 停了' },
				startsAtMs: nowMs - 60_000,
				endsAtMs,
				generatorUrl: '',
			},
		],
		firingCount: endsAtMs === null ? 1 : 0,
		resolvedCount: endsAtMs === null ? 0 : 1,
		merged: 1,
		...(change.incident === undefined ? {} : { incident: change.incident }),
	};
}

export async function sendThrough(notifier: Notifier | null | undefined, notification = exampleNotification()): Promise<SendResult> {
	if (notifier === null || notifier === undefined) throw new Error('there is no such place');
	return (await notifier.compose(notification, { possibleDuplicate: false })).send(AbortSignal.timeout(10_000));
}
