import type { Notification, NotifiedAlert } from '../notify/notification.ts';
import type { Language } from '../notify/notifier.ts';
import { alertFacts, headline, tag } from './facts.ts';
import { phrases, spokenDuration } from './phrases.ts';
import { formatShanghai } from './shanghai-time.ts';
import { byteLength, fitPieces, type Piece } from './shorten.ts';

export interface MessageOptions {
	readonly language: Language;
	readonly externalUrl: string;
	readonly possibleDuplicate: boolean;
}

/** Alerts that a message spells out; the rest is one line each, and what does not fit is counted. */
const SPELLED_OUT = 3;
const LISTED = 12;

/** How a channel marks up what a message says. */
export interface Markup {
	/** In UTF-8 bytes. */
	readonly limit: number;
	/** Alerts that are listed, and of them spelled out; 12 and 3 when absent. */
	readonly listed?: number;
	readonly spelledOut?: number;
	readonly title: (head: string, rest: string) => string;
	readonly line: (name: string, value: string) => string;
	readonly link: (name: string, url: string) => string;
	readonly escape: (text: string) => string;
}

/** No mark-up at all. */
export const PLAIN: Omit<Markup, 'limit'> = {
	title: (head, rest) => `${head}${rest}\n`,
	line: (name, value) => `${name}${value}\n`,
	link: (name, url) => `${name} ${url}\n`,
	escape: (text) => text,
};

/** The message of any channel that reads lines: what, where, since when, how bad, what to do; cut from the least important end. */
export function messageText(notification: Notification, options: MessageOptions, markup: Markup): string {
	const words = phrases(options.language);
	const marks = [
		...(notification.reason === 'repeat' ? [words.repeat] : []),
		...(notification.alerts.some((alert) => alert.flapping === true) ? [words.flapping] : []),
		...(options.possibleDuplicate ? [words.possibleDuplicate] : []),
		...(notification.merged > 1 ? [words.merged(notification.merged)] : []),
	];
	const head = `${words.open}${[tag(notification, options.language), ...marks].join(' · ')}${words.close}`;
	const pieces: Piece[] = [{ text: markup.title(head, markup.escape(headline(notification, options.language))), sacrifice: 0 }];
	const listed = notification.alerts.slice(0, markup.listed ?? LISTED);
	// What several alerts advise in the same words is said once.
	const said = new Set<string>();
	const single = notification.firingCount + notification.resolvedCount === 1;
	for (const [i, alert] of listed.entries()) {
		if (i < (markup.spelledOut ?? SPELLED_OUT)) pieces.push(...spelledOut(alert, { notification, options, markup, titled: single, said }));
		else pieces.push({ text: markup.line('', oneLine(alert, options, markup)), sacrifice: 10 + i, whole: true });
	}
	const more = notification.firingCount + notification.resolvedCount - listed.length;
	if (more > 0) pieces.push({ text: `${words.more(more)}\n`, sacrifice: 0 });
	pieces.push({ text: `${words.number} ${notification.number} · ${formatShanghai(notification.createdAtMs)}`, sacrifice: 0 });
	return fitPieces(pieces, markup.limit, byteLength);
}

function spelledOut(
	alert: NotifiedAlert,
	context: {
		readonly notification: Notification;
		readonly options: MessageOptions;
		readonly markup: Markup;
		readonly titled: boolean;
		readonly said: Set<string>;
	},
): Piece[] {
	const { options, markup, notification, said } = context;
	const words = phrases(options.language);
	const facts = alertFacts(alert, options.language, options.externalUrl);
	const text = markup.escape;
	const line = (name: string, value: string, sacrifice: number): Piece[] =>
		value === '' ? [] : [{ text: markup.line(name === '' ? '' : `${name}${words.colon}`, value), sacrifice }];
	const once = (value: string): string => {
		if (said.has(value)) return '';
		said.add(value);
		return value;
	};
	const resolved = alert.endsAtMs !== null;
	const title = context.titled ? '' : `${words.open}${resolved ? words.resolved : facts.severity}${words.close}${text(facts.what)}`;
	const since = formatShanghai(alert.startsAtMs);
	if (alert.endsAtMs !== null) {
		const lasted = spokenDuration(alert.endsAtMs - alert.startsAtMs, options.language);
		return [
			...line('', title, 1),
			...line(words.where, text(facts.where), 1),
			...line(words.since, since, 2),
			...line(words.ended, `${formatShanghai(alert.endsAtMs)}${words.comma}${words.lasted} ${lasted}`, 1),
		];
	}
	return [
		...line('', title, 1),
		...line(words.where, text(facts.where), 1),
		...line(
			words.since,
			`${since}${words.comma}${words.ongoing(spokenDuration(notification.createdAtMs - alert.startsAtMs, options.language))}`,
			1,
		),
		...line(words.level, facts.severity, 2),
		...line(words.action, text(once(facts.action)), 3),
		...line(words.detail, text(once(facts.detail)), 5),
		...(once(facts.runbookUrl) === '' ? [] : [{ text: markup.link(words.runbook, facts.runbookUrl), sacrifice: 4, whole: true }]),
	];
}

function oneLine(alert: NotifiedAlert, options: MessageOptions, markup: Markup): string {
	const words = phrases(options.language);
	const facts = alertFacts(alert, options.language, options.externalUrl);
	const state =
		alert.endsAtMs === null
			? facts.severity
			: `${words.resolved} ${words.lasted} ${spokenDuration(alert.endsAtMs - alert.startsAtMs, options.language)}`;
	return `${words.open}${state}${words.close}${markup.escape(`${facts.what} ${facts.where}`)}`;
}
