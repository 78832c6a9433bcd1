import type { Notification, NotifiedAlert } from '../notify/notification.ts';
import type { Language } from './language.ts';
import { phrases } from './phrases.ts';

/** What a message says of one alert, in the reader's language and without any channel's mark-up. */
export interface AlertFacts {
	readonly what: string;
	readonly where: string;
	readonly severity: string;
	readonly detail: string;
	readonly action: string;
	/** Absolute, or `''`. */
	readonly runbookUrl: string;
}

/** The part of an alert that says what it is about. */
export type ToldAlert = Pick<NotifiedAlert, 'fingerprint' | 'labels' | 'annotations'>;

export function alertFacts(alert: ToldAlert, language: Language, externalUrl: string): AlertFacts {
	const severity = alert.labels['severity'] ?? '';
	return {
		what: annotation(alert, 'summary', language) || oneLine(alert.labels['alertname'] ?? '') || alert.fingerprint,
		where: whereOf(alert, language),
		severity: spokenSeverity(severity, language),
		detail: annotation(alert, 'description', language),
		action: annotation(alert, 'action', language),
		runbookUrl: absolute(alert.annotations['runbook_url'] ?? '', externalUrl),
	};
}

/** `3 条告警、1 条恢复`, or what the only alert is about. */
export function headline(notification: Notification, language: Language): string {
	const total = notification.firingCount + notification.resolvedCount;
	const [only] = notification.alerts;
	if (total === 1 && only !== undefined) return alertFacts(only, language, '').what;
	const names = [...new Set(notification.alerts.map((alert) => alert.labels['alertname'] ?? ''))].filter((name) => name !== '');
	const text = phrases(language).count(notification.firingCount, notification.resolvedCount);
	return names.length === 1 ? `${text} ${names[0]}` : text;
}

/** The tag in front: the worst severity that fires, or that all is over. */
export function tag(notification: Notification, language: Language): string {
	const words = phrases(language);
	if (notification.firingCount === 0) return words.resolved;
	const worst = notification.alerts.find((alert) => alert.status === 'firing')?.labels['severity'] ?? '';
	return spokenSeverity(worst, language) || (words.severity['info'] ?? '');
}

/** The label itself where it is none of ours: anybody may call a severity `constructor`. */
function spokenSeverity(severity: string, language: Language): string {
	const { severity: words } = phrases(language);
	return Object.hasOwn(words, severity) ? (words[severity] ?? severity) : severity;
}

function annotation(alert: ToldAlert, name: string, language: Language): string {
	const english = language === 'en' ? (alert.annotations[`${name}_en`] ?? '') : '';
	return oneLine(english || alert.annotations[name] || '');
}

/** Host or instance, what runs there, and the system it belongs to. */
function whereOf(alert: ToldAlert, language: Language): string {
	const { labels } = alert;
	const host = labels['host'] ?? '';
	const instance = labels['instance'] ?? '';
	// `app-1:6888` names the host already.
	const place =
		host === '' || instance === host || instance.startsWith(`${host}:`) ? instance : instance === '' ? host : `${host} ${instance}`;
	const parts = [place, labels['service'] ?? '', labels['check'] ?? ''].filter(
		(part, index, all) => part !== '' && all.indexOf(part) === index,
	);
	const system = labels['system'] ?? '';
	const text = oneLine(parts.join(' '));
	if (system === '') return text;
	return oneLine(text === '' ? `${phrases(language).system} ${system}` : `${text} (${system})`);
}

/** A line break in an annotation would begin a line that looks like ours. */
function oneLine(text: string): string {
	return text.replace(/\s*[\r\n]+\s*/g, ' ').trim();
}

function absolute(url: string, externalUrl: string): string {
	if (url === '' || /^https?:\/\//.test(url)) return url;
	return externalUrl === '' ? '' : `${externalUrl.replace(/\/$/, '')}/${url.replace(/^\//, '')}`;
}
