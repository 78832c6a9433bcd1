import { errorText } from '../../core/errors.ts';
import { parseTemplate, type Template } from '../../core/go-template/template.ts';
import type { Notification } from '../notify/notification.ts';
import { MESSAGE_TEXT, SMS_TEXT, TITLE_TEXT } from './default-texts.ts';
import type { Language } from './language.ts';
import { type DataLimits, type MessageData, messageData } from './message-data.ts';
import { phrases } from './phrases.ts';
import { markPiece, piecesOf } from './pieces.ts';
import { fitPieces, shorten } from './shorten.ts';

/** What a text is for: the message itself, or the one line that a channel shows above it. */
export type TextPart = 'text' | 'title';
/** Which shipped text a channel begins with. */
export type TextStyle = 'message' | 'sms' | 'title';

const SHIPPED: Readonly<Record<TextStyle, string>> = { message: MESSAGE_TEXT, sms: SMS_TEXT, title: TITLE_TEXT };

/** A text of the operator's own, from `alerts.templates`. */
export interface OwnText {
	/** Types (`wechat_robot`) or places (`duty/wechat_robot/0`, names of `alerts.channels`); empty for all. */
	readonly channels: readonly string[];
	readonly languages: readonly Language[];
	readonly part: TextPart;
	readonly template: string;
}

/** How a channel marks up what a message says. */
export interface Markup {
	readonly title: (head: string, rest: string) => string;
	readonly line: (name: string, value: string) => string;
	readonly link: (name: string, url: string) => string;
	readonly escape: (text: string) => string;
}

/** No mark-up at all. */
export const PLAIN: Markup = {
	title: (head, rest) => `${head}${rest}\n`,
	line: (name, value) => `${name}${value}\n`,
	link: (name, url) => `${name} ${url}\n`,
	escape: (text) => text,
};

/** One text of one place. */
export interface TextPlace {
	readonly style: TextStyle;
	readonly part: TextPart;
	readonly type: string;
	readonly channel: string;
	readonly language: Language;
	readonly externalUrl: string;
	readonly markup: Markup;
}

export interface TextSize extends DataLimits {
	/** As counted by `measure`. */
	readonly limit: number;
	readonly measure: (text: string) => number;
}

/** Never rejects: a template of the operator's own that fails is replaced by the shipped one, because a bad text must not cost a message. */
export type TextOf = (notification: Notification, possibleDuplicate: boolean, size: TextSize) => Promise<string>;

/** Every text that leaves, from templates. */
export type Texts = (place: TextPlace) => TextOf;

/** Throws `FN_TEMPLATE_PARSE`. `onError` hears of templates that fail when they are used. */
export function createTexts(own: readonly OwnText[], onError: (channel: string, reason: string) => void): Texts {
	for (const [i, text] of own.entries()) parseOwnText(text.template, i);
	return (place) => {
		const { channel, language, externalUrl } = place;
		const functions = textFunctions(place.markup, language);
		// Most places of a configuration never send: a template is parsed when it is first needed.
		let shipped: Template | null = null;
		let chosen: Template | null | undefined;
		return async (notification, possibleDuplicate, size) => {
			const data = messageData(notification, { language, externalUrl, possibleDuplicate }, size);
			if (chosen === undefined) {
				const index = own.findIndex((text) => holdsFor(text, place));
				chosen = index === -1 ? null : parseOwnText(own[index]?.template ?? '', index, functions);
			}
			if (chosen !== null) {
				try {
					const text = await fitted(chosen, data, size);
					if (text.trim() !== '') return text;
					onError(channel, 'the template gave an empty text');
				} catch (error) {
					onError(channel, errorText(error));
				}
			}
			shipped ??= parseTemplate(SHIPPED[place.style], { name: place.style, functions });
			return fitted(shipped, data, size);
		};
	};
}

/** Throws `FN_TEMPLATE_PARSE`. */
export function parseOwnText(template: string, index: number, functions: TextFunctions = textFunctions(PLAIN, 'zh-CN')): Template {
	return parseTemplate(template, { name: `alerts.templates[${index}]`, functions });
}

function holdsFor(text: OwnText, place: TextPlace): boolean {
	const line = place.channel.split('//')[0] ?? '';
	return (
		text.part === place.part &&
		(text.channels.length === 0 || text.channels.some((name) => name === place.type || name === place.channel || name === line)) &&
		(text.languages.length === 0 || text.languages.includes(place.language))
	);
}

async function fitted(template: Template, data: MessageData, size: TextSize): Promise<string> {
	const pieces = piecesOf(await template.execute(data));
	return shorten(fitPieces(pieces, size.limit, size.measure), size.limit, size.measure);
}

type TextFunctions = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

function textFunctions(markup: Markup, language: Language): TextFunctions {
	const words = phrases(language);
	const text = (value: unknown) => (value === null || value === undefined ? '' : String(value));
	return {
		cut: (rank, value) => markPiece(text(value), Number(rank), false),
		whole: (rank, value) => markPiece(text(value), Number(rank), true),
		word: (name) => {
			const word = Object.hasOwn(words, text(name)) ? (words as unknown as Readonly<Record<string, unknown>>)[text(name)] : undefined;
			if (typeof word !== 'string') throw new Error(`there is no word "${text(name)}"`);
			return word;
		},
		title: (head, rest) => markup.title(text(head), text(rest)),
		line: (name, value) => (text(value) === '' ? '' : markup.line(text(name) === '' ? '' : `${text(name)}${words.colon}`, text(value))),
		link: (name, url) => (text(url) === '' ? '' : markup.link(text(name), text(url))),
		escape: (value) => markup.escape(text(value)),
		join: (separator, ...parts) => parts.flat().map(text).join(text(separator)),
		add: (a, b) => Number(a) + Number(b),
		contains: (whole, part) => text(part) !== '' && text(whole).includes(text(part)),
		trim_stop: (value) => text(value).replace(/[。.]$/, ''),
		ongoing: (lasted) => words.ongoing(text(lasted)),
		more: (count) => words.more(Number(count)),
		take: (code) => words.take(text(code)),
		take_one: (code) => words.takeOne(text(code)),
		affects: (names, more) => words.affects((Array.isArray(names) ? names : []).map(text).join(words.comma), Number(more)),
		truncate: (length, value) => shorten(text(value), Number(length), (part) => part.length),
	};
}
