import { phrases } from '../../templates/phrases.ts';
import { byteLength, unitLength } from '../../templates/shorten.ts';
import { PLAIN } from '../../templates/texts.ts';
import { textOf } from '../channel-frame.ts';
import type { Notification } from '../notification.ts';
import type { NotifierContext } from '../notifier.ts';

/** Limits of the interface (developer.work.weixin.qq.com, 发送应用消息): bytes of a text, characters of a card. */
const TEXT_LIMIT_BYTES = 2048;
const CARD_TITLE_UNITS = 36;
const CARD_TEXT_UNITS = 160;
/** The service drops the same message within this time, at most four hours. */
export const DUPLICATE_CHECK_S = 1800;

export interface AppMessage {
	readonly text: string;
	readonly message: object;
	/** By which its button comes back; `''` for a text. */
	readonly taskId: string;
}

interface MessageConfig {
	readonly type: string;
	readonly language?: 'zh-CN' | 'en';
	readonly agent_id: number;
	/** Whether buttons can come back. */
	readonly buttons: boolean;
}

/** Key of the button that takes an incident. */
export const ACKNOWLEDGE_KEY = 'acknowledge:';

/** A card with a button for what somebody can take, a text for the rest. */
export function appMessages(
	context: NotifierContext,
	config: MessageConfig,
): (notification: Notification, possibleDuplicate: boolean) => Promise<AppMessage> {
	const place = { type: config.type, language: config.language, markup: PLAIN } as const;
	const write = textOf(context, { ...place, style: 'message' });
	const short = textOf(context, { ...place, style: 'sms' });
	const title = textOf(context, { ...place, style: 'title', part: 'title' });
	const words = phrases(config.language ?? context.language);
	return async (notification, possibleDuplicate) => {
		const { incident } = notification;
		if (!config.buttons || incident === undefined || incident.code === '') {
			const text = await write(notification, possibleDuplicate, { limit: TEXT_LIMIT_BYTES, measure: byteLength });
			return { text, message: { msgtype: 'text', agentid: config.agent_id, text: { content: text } }, taskId: '' };
		}
		const heading = await title(notification, possibleDuplicate, { limit: CARD_TITLE_UNITS, measure: unitLength });
		// What the button does need not be said in words as well.
		const said = { ...notification, incident: { ...incident, code: '', ackUrl: '' } };
		const body = await short(said, possibleDuplicate, { limit: CARD_TEXT_UNITS, measure: unitLength });
		const taskId = `fn_${notification.id}`;
		const link = incident.ackUrl || context.externalUrl;
		return {
			text: `${heading}\n${body}\n[${words.takeButton}]`,
			taskId,
			message: {
				msgtype: 'template_card',
				agentid: config.agent_id,
				template_card: {
					card_type: 'button_interaction',
					main_title: { title: heading },
					sub_title_text: body,
					task_id: taskId,
					button_list: [{ text: words.takeButton, style: 1, key: `${ACKNOWLEDGE_KEY}${incident.id}` }],
					...(link === '' ? {} : { card_action: { type: 1, url: link } }),
				},
			},
		};
	};
}
