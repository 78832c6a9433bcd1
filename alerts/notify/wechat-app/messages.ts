import type { Language } from '../../templates/language.ts';
import { takeData } from '../../templates/message-data.ts';
import { phrases } from '../../templates/phrases.ts';
import { byteLength, shorten, unitLength } from '../../templates/shorten.ts';
import { PLAIN } from '../../templates/texts.ts';
import { textOf } from '../channel-frame.ts';
import { incidentListUrl, type Notification, onlyLink } from '../notification.ts';
import type { NotifierContext } from '../notifier.ts';
import { TEXT_LIMIT_BYTES } from './account.ts';
import { type CardTake, MAX_BUTTONS, takeButtons } from './buttons.ts';

/** Limits of the interface (developer.work.weixin.qq.com, 发送应用消息): characters of a card. */
const CARD_TITLE_UNITS = 36;
const CARD_TEXT_UNITS = 160;

export interface AppMessage {
	readonly text: string;
	readonly message: object;
	/** By which its buttons come back; `''` for a text. */
	readonly taskId: string;
}

interface MessageConfig {
	readonly type: string;
	readonly language?: Language;
	readonly agent_id: number;
	/** Whether buttons can come back. */
	readonly buttons: boolean;
}

/** A card with a button for each incident that can be taken, a text for the rest. */
export function appMessages(
	context: NotifierContext,
	config: MessageConfig,
): (notification: Notification, possibleDuplicate: boolean) => Promise<AppMessage> {
	const place = { type: config.type, language: config.language, markup: PLAIN } as const;
	const write = textOf(context, { ...place, style: 'message' });
	const short = textOf(context, { ...place, style: 'sms' });
	const title = textOf(context, { ...place, style: 'title', part: 'title' });
	const language = config.language ?? context.language;
	const words = phrases(language);
	return async (notification, possibleDuplicate) => {
		const takes = takesOf(notification, language);
		if (!config.buttons || takes.length === 0) {
			const text = await write(notification, possibleDuplicate, { limit: TEXT_LIMIT_BYTES, measure: byteLength });
			return { text, message: { msgtype: 'text', agentid: config.agent_id, text: { content: text } }, taskId: '' };
		}
		const heading = await title(notification, possibleDuplicate, { limit: CARD_TITLE_UNITS, measure: unitLength });
		const { incident } = notification;
		// What the only button does need not be said in words as well; of several, the words say which is which.
		const said = incident === undefined ? notification : { ...notification, incident: { ...incident, code: '', ackUrl: '' } };
		const body = await short(said, possibleDuplicate, { limit: CARD_TEXT_UNITS, measure: unitLength, takes: MAX_BUTTONS });
		const listUrl = incidentListUrl(context.externalUrl);
		// Beyond its buttons the card leads to the list; without one, the text says which codes are left.
		const room = takes.length > MAX_BUTTONS && listUrl !== '' ? MAX_BUTTONS - 1 : MAX_BUTTONS;
		const buttons = [
			...takeButtons(takes.slice(0, room), ({ code }) => buttonName(code, language)),
			...(room < MAX_BUTTONS ? [{ text: words.takeList, type: 1, url: listUrl }] : []),
		];
		const taskId = `fn_${notification.id}`;
		const link = onlyLink(notification, context.externalUrl);
		return {
			text: `${heading}\n${body}\n${takes
				.slice(0, room)
				.map(({ code }) => `[${buttonName(code, language)}]`)
				.join(' ')}`,
			taskId,
			message: {
				msgtype: 'template_card',
				agentid: config.agent_id,
				template_card: {
					...cardOf(heading, body, buttons),
					task_id: taskId,
					...(link === '' ? {} : { card_action: { type: 1, url: link } }),
				},
			},
		};
	};
}

/** What a card becomes when one of its buttons was pressed: what was said, and the buttons that are left. */
export function cardAfter(said: string, left: readonly CardTake[], language: Language): object {
	const body = shorten(left.map(({ label }) => label).join('\n'), CARD_TEXT_UNITS, unitLength);
	const buttons = takeButtons(left, ({ code }) => buttonName(code, language));
	return cardOf(shorten(said.replace(/\s+/g, ' '), CARD_TITLE_UNITS, unitLength), body, buttons);
}

function cardOf(title: string, body: string, buttons: readonly object[]): object {
	return { card_type: 'button_interaction', main_title: { title }, sub_title_text: body, button_list: buttons };
}

function buttonName(code: string, language: Language): string {
	const words = phrases(language);
	return code === '' ? words.takeButton : words.takeCode(code);
}

function takesOf({ incident, incidents = [] }: Notification, language: Language): readonly CardTake[] {
	if (incident !== undefined) return incident.code === '' ? [] : [{ incidentId: incident.id, code: '', label: '' }];
	return incidents
		.filter(({ code }) => code !== '')
		.map((one) => ({ incidentId: one.id, code: one.code, label: takeData(one, language).Label }));
}
