import type { Static } from 'typebox';
import { errorText } from '../../../core/errors.ts';
import { judgeBody } from '../body-code.ts';
import { type Judge, notifierFrame } from '../channel-frame.ts';
import type { ChannelLine, LineContext } from '../channel-line.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import { WECHAT_CODES } from '../wechat-account.ts';
import { DUPLICATE_CHECK_S, isDropped, judgeSend, openAppAccount } from './account.ts';
import { type AppEvent, appCallback } from './callback.ts';
import type { WechatAppConfigSchema } from './config.ts';
import { appMessages, cardAfter } from './messages.ts';

type Config = Static<typeof WechatAppConfigSchema>;

/** Longest follow-up of a button: it is only what the card shows. */
const FOLLOW_UP_MS = 30_000;

/**
 * `POST /cgi-bin/message/send` (developer.work.weixin.qq.com, 发送应用消息). The service drops the same message within half an
 * hour, so a repetition within that time goes out unchanged instead of marked.
 */
export function openWechatApp(config: Config, context: LineContext): ChannelLine {
	const account = openAppAccount(config, context);
	const create = (place: NotifierContext, to: readonly string[]): Notifier => {
		const touser = to.join('|');
		const messages = appMessages(place, { type: 'wechat_app', ...config, buttons: config.cards && config.callback !== undefined });
		return {
			...notifierFrame('wechat_app', config, place, [config.corp_id, String(config.agent_id), touser]),
			compose: async (notification, { possibleDuplicate }) => {
				const dropped = isDropped(notification, context.clock.now());
				const { text, message, taskId } = await messages(notification, possibleDuplicate && !dropped);
				const body = { touser, ...message, enable_duplicate_check: 1, duplicate_check_interval: DUPLICATE_CHECK_S };
				return { text, send: (signal) => account.post('send', body, judgeSend(to, taskId), signal) };
			},
		};
	};
	const say = (event: AppEvent, text: string): Promise<SendResult> => {
		const signal = AbortSignal.timeout(FOLLOW_UP_MS);
		const judge: Judge = (response, world) => judgeBody(response, WECHAT_CODES, world);
		if (event.responseCode === '') {
			return account.post(
				'send',
				{ touser: event.user, msgtype: 'text', agentid: config.agent_id, text: { content: text } },
				judge,
				signal,
			);
		}
		// Once per press and within three days: this is how the others see that it is taken. A card of several keeps what is left.
		const shows =
			event.left.length === 0
				? { atall: 1, button: { replace_name: text } }
				: { userids: [event.user], template_card: cardAfter(text, event.left, config.language ?? context.language) };
		return account.post('update_template_card', { agentid: config.agent_id, response_code: event.responseCode, ...shows }, judge, signal);
	};
	const answer = (event: AppEvent, text: string) => {
		void say(event, text)
			.then((result) => {
				if (result.kind !== 'sent') context.log.warn({ channel: context.line, code: result.code }, 'a card could not be updated');
			})
			.catch((error: unknown) => context.log.warn({ channel: context.line, error: errorText(error) }, 'a card could not be updated'));
	};
	return {
		type: 'wechat_app',
		notifiers: (place, to) => [create({ ...context, ...place }, to === null ? config.to_user : [to])],
		...(config.callback === undefined ? {} : { callback: appCallback(config.callback, { context, corpId: config.corp_id, answer }) }),
	};
}
