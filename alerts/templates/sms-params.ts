import { incidentsOf, type Notification } from '../notify/notification.ts';
import { alertFacts, headline, tag } from './facts.ts';
import type { Language } from './language.ts';
import { spokenDuration } from './phrases.ts';
import { formatShanghaiShort } from './shanghai-time.ts';
import { shorten, unitLength } from './shorten.ts';

/** Variables of an approved template hold this many characters. */
const VARIABLE_UNITS = 35;
const CODES_UNITS = 24;

/**
 * Fills the variables of a provider's template. Known are `{severity}` (or 恢复), `{what}`, `{where}`, `{time}`, `{number}`,
 * `{count}`, `{lasted}`, and of an incident `{code}` (of a digest: its codes) and `{clock}`; each variable is cut to 35 characters, and an empty one becomes a dash, because providers refuse it.
 */
export function templateParams(
	params: Readonly<Record<string, string>>,
	notification: Notification,
	language: Language,
): Readonly<Record<string, string>> {
	const [first] = notification.alerts;
	const facts = first === undefined ? null : alertFacts(first, language, '');
	const values: Readonly<Record<string, string>> = {
		severity: tag(notification, language),
		what: headline(notification, language),
		where: facts?.where ?? '',
		time: formatShanghaiShort(first?.startsAtMs ?? notification.createdAtMs),
		number: String(notification.number),
		count: String(notification.firingCount + notification.resolvedCount),
		code: codesOf(notification),
		clock: notification.incident?.clock ?? '',
		lasted: first === undefined ? '' : spokenDuration((first.endsAtMs ?? notification.createdAtMs) - first.startsAtMs, language),
	};
	const fill = (text: string) => text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
	return Object.fromEntries(Object.entries(params).map(([name, text]) => [name, shorten(fill(text), VARIABLE_UNITS, unitLength) || '-']));
}

/** As many codes as fit beside a few words: half of one would take another incident. */
function codesOf(notification: Notification): string {
	let codes = '';
	for (const { code } of incidentsOf(notification)) {
		const more = `${codes} ${code}`.trim();
		if (unitLength(more) <= CODES_UNITS) codes = more;
	}
	return codes;
}

/** The same for templates whose variables have numbers. */
export function templateList(params: readonly string[], notification: Notification, language: Language): readonly string[] {
	const filled = templateParams(Object.fromEntries(params.map((text, i) => [String(i), text])), notification, language);
	return params.map((_, i) => filled[String(i)] ?? '-');
}
