import { byteLength, shorten } from '../../templates/shorten.ts';
import { PLAIN } from '../../templates/texts.ts';
import { marked } from '../authored.ts';
import { authoredText, notifierFrame, textOf } from '../channel-frame.ts';
import type { ChannelLine, LineContext } from '../channel-line.ts';
import type { Notification } from '../notification.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import type { WechatAccount } from '../wechat-account.ts';
import { DUPLICATE_CHECK_S, isDropped, judgeSend, openAppAccount, TEXT_LIMIT_BYTES } from '../wechat-app/account.ts';
import { AGENT_ID, type WechatConfig } from './config.ts';

/** Of one place whose `corp_id` is a template; each has a token of its own. */
const MOST_ACCOUNTS = 50;
type Line = (notification: Notification) => Promise<string>;
const RECIPIENTS = ['to_user', 'to_party', 'to_tag'] as const;

/** Alertmanager's `wechat_configs` on the same interface as `wechat_app`: text or markdown, to members, departments and tags. */
export function openWechat(config: WechatConfig, context: LineContext): ChannelLine {
	const accounts = new Map<string, WechatAccount>();
	const accountOf = (corpId: string): WechatAccount => {
		const known = accounts.get(corpId) ?? openAppAccount({ ...config, corp_id: corpId }, context);
		accounts.delete(corpId);
		accounts.set(corpId, known);
		const [oldest] = accounts.keys();
		if (accounts.size > MOST_ACCOUNTS && oldest !== undefined) accounts.delete(oldest);
		return known;
	};
	const create = (place: NotifierContext, user: string | null): Notifier => {
		const { language, message_type: type } = config;
		const shipped = textOf(place, { type: 'wechat', style: 'message', language, markup: PLAIN });
		const message = config.message ?? (place.alertmanager.redefined ? '{{ template "wechat.default.message" . }}' : undefined);
		const authored = authoredText(place, message, { name: 'message', language });
		const line = (key: string, template: string) => {
			const write = template.includes('{{')
				? authoredText(place, template, { name: key, language, mayBeEmpty: true })
				: async () => template;
			return async (notification: Notification) => (await write(notification, false))?.trim() ?? '';
		};
		const [toUser, toParty, toTag] = RECIPIENTS.map((key) => line(key, config[key] ?? `{{ template "wechat.default.${key}" . }}`)) as [
			Line,
			Line,
			Line,
		];
		const [corpId, agentId] = [line('corp_id', config.corp_id), line('agent_id', config.agent_id)];
		const addressed = async (notification: Notification) =>
			user === null
				? { touser: await toUser(notification), toparty: await toParty(notification), totag: await toTag(notification) }
				: { touser: user, toparty: '', totag: '' };
		return {
			...notifierFrame('wechat', config, place, [config.corp_id, config.agent_id, user ?? RECIPIENTS.map((key) => config[key]).join('|')]),
			compose: async (notification, { possibleDuplicate }) => {
				const size = { limit: TEXT_LIMIT_BYTES, measure: byteLength };
				const mayRepeat = possibleDuplicate && !isDropped(notification, context.clock.now());
				const own = await authored(notification, mayRepeat, size);
				const text =
					own === null
						? await shipped(notification, mayRepeat, size)
						: shorten(marked(own, mayRepeat, language ?? context.language), size.limit, size.measure);
				const to = await addressed(notification);
				const [corp, agent] = [await corpId(notification), await agentId(notification)];
				if (corp === '' || !AGENT_ID.test(agent)) return { text, send: async () => NO_ACCOUNT };
				const body = {
					...to,
					msgtype: type,
					agentid: Number(agent),
					[type]: { content: text },
					safe: 0,
					enable_duplicate_check: 1,
					duplicate_check_interval: DUPLICATE_CHECK_S,
				};
				const users = to.touser.split('|').filter((one) => one !== '');
				if (users.length === 0 && to.toparty === '' && to.totag === '') return { text, send: async () => NOBODY };
				return { text, send: (signal) => accountOf(corp).post('send', body, judgeSend(users, ''), signal) };
			},
		};
	};
	return { type: 'wechat', notifiers: (place, to) => [create({ ...context, ...place }, to)] };
}

const NOBODY: SendResult = {
	kind: 'refused',
	code: 'no-recipient',
	reason: 'to_user, to_party and to_tag are all empty for this message; give one of them',
};

const NO_ACCOUNT: SendResult = {
	kind: 'refused',
	code: 'no-account',
	reason: 'corp_id is empty for this message, or agent_id is no number; correct their templates',
};
