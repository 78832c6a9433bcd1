import { type Channels, openChannels } from '../../alerts/notify/channels.ts';
import type { IncidentMark, Notification } from '../../alerts/notify/notification.ts';
import type { Inbound, Notifier, Receipt, RecentMessage, SendResult } from '../../alerts/notify/notifier.ts';
import { type Clock, systemClock } from '../../core/clock.ts';
import { httpExchange } from '../../core/http-client.ts';
import { silentLogger } from '../../core/log.ts';
import { resolveSecret } from '../../core/secret.ts';
import { alertsConfig } from './alerting.ts';
import { type FakeServer, startFakeServer } from './fake-server.ts';

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
	options: {
		/** Where relative names of template files start. */
		readonly folder?: string;
		readonly secrets?: Readonly<Record<string, string>>;
		readonly clock?: Clock;
		readonly answer?: string;
		readonly recent?: readonly RecentMessage[];
	} = {},
): OpenedChannels {
	const receipts: (Receipt & { readonly line: string })[] = [];
	const replies: Parameters<Inbound['reply']>[0][] = [];
	const templateErrors: string[] = [];
	const channels = openChannels(alertsConfig(config, options.folder), {
		clock: options.clock ?? systemClock,
		log: silentLogger,
		http: httpExchange,
		secret: (ref) => resolveSecret(ref, options.secrets ?? {}),
		externalUrl: 'http://c:9999',
		...(options.folder === undefined ? {} : { configFolder: options.folder }),
		inbound: {
			receipts: async (line, came) => {
				receipts.push(...came.map((receipt) => ({ ...receipt, line })));
			},
			recent: async () => options.recent ?? [],
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

const EXAMPLE_SECRETS = { K: 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C' };
const key = '{ env: K }';
/** The keys that a channel of each type needs at least. */
export const CHANNEL_EXAMPLES: Readonly<Record<string, string>> = {
	wechat_robot: `key: ${key}`,
	wechat_app: `corp_id: c, agent_id: 1, secret: ${key}, to_user: [a], callback: { token: ${key}, aes_key: ${key} }`,
	wechat: `corp_id: c, agent_id: 1, api_secret: ${key}, to_user: a`,
	wechat_official: `app_id: a, secret: ${key}, template_id: t, openids: [oABCDEFGHIJK]`,
	sms_gateway: `url: 'http://s', form: { c: '{content}' }, phones: ['13800000000']`,
	aliyun_sms: `access_key_id: ${key}, access_key_secret: ${key}, sign_name: s, template_code: t, phones: ['13800000000']`,
	tencent_sms: `secret_id: ${key}, secret_key: ${key}, sdk_app_id: a, sign_name: s, template_id: t, phones: ['+8613800000000']`,
	mas_sms: `base_url: 'http://m', ec_name: e, ap_id: a, secret_key: ${key}, sign: s, phones: ['13800000000']`,
	cmpp: `host: h, source_addr: '901234', secret: ${key}, src_id: '1', phones: ['13800000000']`,
	aliyun_voice: `access_key_id: ${key}, access_key_secret: ${key}, tts_code: t, phones: ['13800000000']`,
	tencent_voice: `secret_id: ${key}, secret_key: ${key}, voice_sdk_app_id: a, template_id: t, phones: ['+8613800000000']`,
	zwdingtalk: `base_url: 'http://z', app_key: ${key}, app_secret: ${key}, tenant_id: '1', receiver_ids: [a]`,
	dingtalk: `access_token: ${key}`,
	feishu: `hook: ${key}`,
	email: `to: a@example.cn, from: b@example.cn, smarthost: 'h:25'`,
	webhook: `url: 'http://w'`,
	folder: `path: /tmp`,
};

/** A place of this type, with further keys. */
export function exampleNotifier(type: string, trust: 'internal' | 'external', more = ''): Notifier {
	const example = CHANNEL_EXAMPLES[type] ?? '';
	const own = more.includes('base_url') ? example.replace(/base_url: '[^']*', /, '') : example;
	const entry = `{ ${own}, trust: ${trust} ${more} }`;
	const { channels } = openTestChannels(`receivers: [{ name: default, ${type}_configs: [${entry}] }]`, { secrets: EXAMPLE_SECRETS });
	const [notifier] = channels.receivers.get('default') ?? [];
	if (notifier === undefined) throw new Error(`no channel of the type ${type}`);
	return notifier;
}

/** The collector's callback address, without the collector. */
export function callbackAddress(opened: () => OpenedChannels, name: string): Promise<FakeServer> {
	return startFakeServer({
		handle: async (request, exchange) => {
			const { method, headers, body } = request;
			try {
				const query = Object.fromEntries(request.url.searchParams);
				const answer = await opened().channels.callback(name, { method, query, headers, body });
				exchange.answer(answer.status, answer.body);
			} catch (error) {
				exchange.answer((error as { status?: number }).status ?? 500, String(error));
			}
		},
	});
}
