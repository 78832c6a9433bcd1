import { alertFacts, headline, tag } from '../../templates/facts.ts';
import { phrases, spokenDuration } from '../../templates/phrases.ts';
import { formatShanghaiShort } from '../../templates/shanghai-time.ts';
import { fitPieces, type Piece, shorten, smsCapacity, unitLength } from '../../templates/shorten.ts';
import type { Notification } from '../notification.ts';
import type { Language } from '../notifier.ts';

export interface SmsOptions {
	readonly language: Language;
	readonly possibleDuplicate: boolean;
	/** `【…】` in front, `''` when the platform adds it. */
	readonly signature: string;
	/** Units that the platform adds and that must be left free. */
	readonly reserve: number;
	readonly maxParts: number;
}

/** Most urgent first, because a text is read on a locked screen: how bad, what, where, since when, what to do, number and clock. */
export function smsText(notification: Notification, options: SmsOptions): string {
	const { language } = options;
	const words = phrases(language);
	const [first] = notification.alerts;
	const flapping = notification.alerts.some((alert) => alert.flapping === true) ? ` ${words.flapping}` : '';
	const marks = `${flapping}${options.possibleDuplicate ? ` ${words.possibleDuplicate}` : ''}`;
	const pieces: Piece[] = [
		{ text: options.signature, sacrifice: 0 },
		{ text: `[${tag(notification, language)}${marks}]`, sacrifice: 0 },
	];
	const total = notification.firingCount + notification.resolvedCount;
	if (first !== undefined) {
		const facts = alertFacts(first, language, '');
		if (total > 1) {
			const names = [...new Set(notification.alerts.map((alert) => alertFacts(alert, language, '').what))];
			const places = [...new Set(notification.alerts.map((alert) => alertFacts(alert, language, '').where))].filter(
				(place) => place !== '',
			);
			pieces.push({ text: headline(notification, language), sacrifice: 0 });
			pieces.push({ text: `${words.colon}${names.join(words.comma)}`, sacrifice: 3 });
			if (places.length > 0) pieces.push({ text: `${words.separator}${places.join(words.comma)}`, sacrifice: 4 });
		} else {
			pieces.push({ text: facts.what, sacrifice: 1 });
			// Most summaries name their object already; a unit spent twice is one that the action lacks.
			const where = facts.where !== '' && !facts.what.includes(first.labels['instance'] ?? '\0') ? `${words.separator}${facts.where}` : '';
			if (where !== '') pieces.push({ text: where, sacrifice: 2 });
		}
		if (total === 1 && first.endsAtMs !== null) {
			const lasted = `${words.lasted}${language === 'en' ? ' ' : ''}${spokenDuration(first.endsAtMs - first.startsAtMs, language)}`;
			pieces.push({ text: `${words.separator}${lasted}`, sacrifice: 0 });
		} else if (total === 1) {
			pieces.push({ text: `${words.separator}${formatShanghaiShort(first.startsAtMs)}${language === 'en' ? '' : '起'}`, sacrifice: 0 });
			if (facts.action !== '')
				pieces.push({ text: `${words.separator}${words.action}${words.colon}${facts.action.replace(/[。.]$/, '')}`, sacrifice: 5 });
		}
	}
	pieces.push({
		text: `${words.separator}${words.number}${notification.number} ${formatShanghaiShort(notification.createdAtMs).slice(6)}`,
		sacrifice: 0,
	});
	const limit = smsCapacity(options.maxParts) - options.reserve;
	const text = fitPieces(pieces, limit, unitLength);
	return shorten(text, limit, unitLength);
}
