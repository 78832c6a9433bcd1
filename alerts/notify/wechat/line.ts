import { byteLength, shorten } from '../../templates/shorten.ts';
import { PLAIN } from '../../templates/texts.ts';
import { marked } from '../authored.ts';
import { authoredText, notifierFrame, textOf } from '../channel-frame.ts';
import type { ChannelLine, LineContext } from '../channel-line.ts';
import type { Notification } from '../notification.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import { DUPLICATE_CHECK_S, isDropped, judgeSend, openAppAccount, TEXT_LIMIT_BYTES } from '../wechat-app/account.ts';
import type { WechatConfig } from './config.ts';

const RECIPIENTS = ['to_user', 'to_party', 'to_tag'] as const;

/** Alertmanager's `wechat_configs` on the same interface as `wechat_app`: text or markdown, to members, departments and tags. */
export function openWechat(config: WechatConfig, context: LineContext): ChannelLine {
	const account = openAppAccount(config, context);
	const create = (place: NotifierContext, user: string | null): Notifier => {
		const { language, message_type: type } = config;
		const shipped = textOf(place, { type: 'wechat', style: 'message', language, markup: PLAIN });
		const message = config.message ?? (place.alertmanager.redefined ? '{{ template "wechat.default.message" . }}' : undefined);
		const authored = authoredText(place, message, { name: 'message', language });
		const recipients = RECIPIENTS.map((key) => {
			const template = config[key] ?? `{{ template "wechat.default.${key}" . }}`;
			return template.includes('{{') ? authoredText(place, template, { name: key, language, mayBeEmpty: true }) : async () => template;
		});
		const addressed = async (notification: Notification) => {
			if (user !== null) return { touser: user, toparty: '', totag: '' };
			const [touser, toparty, totag] = await Promise.all(recipients.map(async (write) => (await write(notification, false))?.trim() ?? ''));
			return { touser: touser ?? '', toparty: toparty ?? '', totag: totag ?? '' };
		};
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
				const body = {
					...to,
					msgtype: type,
					agentid: Number(config.agent_id),
					[type]: { content: text },
					safe: 0,
					enable_duplicate_check: 1,
					duplicate_check_interval: DUPLICATE_CHECK_S,
				};
				const users = to.touser.split('|').filter((one) => one !== '');
				if (users.length === 0 && to.toparty === '' && to.totag === '') return { text, send: async () => NOBODY };
				return { text, send: (signal) => account.post('send', body, judgeSend(users, ''), signal) };
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
