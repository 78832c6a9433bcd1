import { type DigestedIncident, incidentListUrl, type Notification, type NotifiedAlert } from '../notify/notification.ts';
import { alertFacts, headline, tag } from './facts.ts';
import type { Language } from './language.ts';
import { type Phrases, phrases, spokenDuration } from './phrases.ts';
import { formatShanghai, formatShanghaiShort } from './shanghai-time.ts';

export interface MessageOptions {
	readonly language: Language;
	readonly externalUrl: string;
	readonly possibleDuplicate: boolean;
}

/** Alerts that a message spells out; the rest is one line each, and what does not fit is counted. */
const SPELLED_OUT = 3;
const LISTED = 12;
/** Incidents of a digest that can be taken by it; the rest is counted, and a link leads to the list. */
const TAKES = 12;

/** One alert as templates see it. Documented in docs/alert-texts.md. */
export interface AlertData {
	readonly Firing: boolean;
	/** Told in full; the others get one line. */
	readonly SpelledOut: boolean;
	/** Position in the list, from 0. */
	readonly Rank: number;
	/** The severity, or that it is over; in words. */
	readonly State: string;
	readonly Summary: string;
	readonly Where: string;
	readonly Severity: string;
	readonly Detail: string;
	readonly Action: string;
	readonly RunbookURL: string;
	readonly Since: string;
	readonly SinceShort: string;
	/** How long it fires, or fired. */
	readonly Lasted: string;
	readonly Ended: string;
	readonly Consequences: readonly string[];
	/** Consequences beyond those that are named. */
	readonly MoreConsequences: number;
	readonly Labels: ReadonlyMap<string, string>;
	readonly Annotations: ReadonlyMap<string, string>;
}

/** One of several incidents of a digest. */
export interface TakeData {
	/** What is replied to take it; `''` where nothing is to be taken. */
	readonly Code: string;
	readonly What: string;
	readonly AckURL: string;
	/** Code, what and clock in one. */
	readonly Label: string;
}

/** What templates see: the field names of Alertmanager's data where it has them, and what messages are made of here. */
export interface MessageData {
	readonly Status: 'firing' | 'resolved';
	readonly Receiver: string;
	readonly GroupLabels: ReadonlyMap<string, string>;
	readonly ExternalURL: string;
	readonly Number: number;
	readonly Time: string;
	readonly TimeShort: string;
	readonly Reason: Notification['reason'];
	readonly FiringCount: number;
	readonly ResolvedCount: number;
	/** One alert and no more. */
	readonly Single: boolean;
	/** The worst severity that fires, or that all is over. */
	readonly Tag: string;
	/** Repeat, flapping, possible duplicate, digest; in words. */
	readonly Marks: readonly string[];
	readonly PossibleDuplicate: boolean;
	readonly Headline: string;
	readonly Alerts: readonly AlertData[];
	/** Alerts that `Alerts` leaves out. */
	readonly More: number;
	readonly Names: string;
	readonly Places: string;
	/** Of the incident; all `''` without one. */
	readonly Clock: string;
	readonly Code: string;
	readonly AckURL: string;
	readonly Text: string;
	/** Of a digest of several incidents: each of them; empty otherwise. */
	readonly Takes: readonly TakeData[];
	/** Incidents that `Takes` leaves out. */
	readonly MoreTakes: number;
	/** Any of the codes, to show how it is done; `''` when there is none. */
	readonly OneCode: string;
	/** Of a digest: where all incidents are listed. */
	readonly ListURL: string;
}

export interface DataLimits {
	readonly listed?: number;
	readonly spelledOut?: number;
	readonly takes?: number;
}

export function messageData(notification: Notification, options: MessageOptions, limits: DataLimits = {}): MessageData {
	const { language } = options;
	const words = phrases(language);
	const total = notification.firingCount + notification.resolvedCount;
	const listed = notification.alerts.slice(0, limits.listed ?? LISTED);
	const spelledOut = limits.spelledOut ?? SPELLED_OUT;
	// What several alerts advise in the same words is said once.
	const said = new Set<string>();
	const once = (value: string): string => {
		if (said.has(value)) return '';
		said.add(value);
		return value;
	};
	const { incident, incidents = [] } = notification;
	const takes = incidents.slice(0, limits.takes ?? TAKES).map((one) => takeData(one, language));
	const facts = notification.alerts.map((alert) => alertFacts(alert, language, ''));
	const distinct = (values: readonly string[]) => [...new Set(values)].filter((value) => value !== '').join(words.comma);
	return {
		Status: notification.firingCount > 0 ? 'firing' : 'resolved',
		Receiver: notification.receiver,
		GroupLabels: new Map(Object.entries(notification.groupLabels)),
		ExternalURL: options.externalUrl,
		Number: notification.number,
		Time: formatShanghai(notification.createdAtMs),
		TimeShort: formatShanghaiShort(notification.createdAtMs).slice(6),
		Reason: notification.reason,
		FiringCount: notification.firingCount,
		ResolvedCount: notification.resolvedCount,
		Single: total === 1,
		Tag: tag(notification, language),
		Marks: marksOf(notification, options, words),
		PossibleDuplicate: options.possibleDuplicate,
		Headline: headline(notification, language),
		Alerts: listed.map((alert, i) => alertData(alert, { rank: i, spelledOut: i < spelledOut, notification, options, once })),
		More: Math.max(0, total - listed.length),
		Names: distinct(facts.map((fact) => fact.what)),
		Places: distinct(facts.map((fact) => fact.where)),
		Clock: incident?.clock ?? '',
		Code: incident?.code ?? '',
		AckURL: incident?.ackUrl ?? '',
		Text: incident?.text ?? '',
		Takes: takes,
		MoreTakes: incidents.length - takes.length,
		OneCode: takes.find(({ Code }) => Code !== '')?.Code ?? '',
		ListURL: incidents.length === 0 ? '' : incidentListUrl(options.externalUrl),
	};
}

export function takeData({ code, text, clock, ackUrl, about }: DigestedIncident, language: Language): TakeData {
	const what = (text || (about === null ? '' : alertFacts(about, language, '').what)).replace(/\s+/g, ' ').trim();
	return { Code: code, What: what, AckURL: ackUrl, Label: [code, what, clock].filter((part) => part !== '').join(' ') };
}

function marksOf(notification: Notification, options: MessageOptions, words: Phrases): readonly string[] {
	return [
		...(notification.reason === 'repeat' ? [words.repeat] : []),
		...(notification.alerts.some((alert) => alert.flapping === true) ? [words.flapping] : []),
		...(options.possibleDuplicate ? [words.possibleDuplicate] : []),
		...(notification.merged > 1 ? [words.merged(notification.merged)] : []),
	];
}

function alertData(
	alert: NotifiedAlert,
	context: {
		readonly rank: number;
		readonly spelledOut: boolean;
		readonly notification: Notification;
		readonly options: MessageOptions;
		readonly once: (value: string) => string;
	},
): AlertData {
	const { options, once } = context;
	const facts = alertFacts(alert, options.language, options.externalUrl);
	const firing = alert.endsAtMs === null;
	const told = firing && context.spelledOut;
	const { listed = [], count = 0 } = alert.consequences ?? {};
	const consequence = (one: (typeof listed)[number]) => {
		const { what, where } = alertFacts(one, options.language, '');
		return what.includes(where) ? what : `${what} ${where}`;
	};
	return {
		Firing: firing,
		SpelledOut: context.spelledOut,
		Rank: context.rank,
		State: firing ? facts.severity : phrases(options.language).resolved,
		Summary: facts.what,
		Where: facts.where,
		Severity: facts.severity,
		Detail: told ? once(facts.detail) : facts.detail,
		Action: told ? once(facts.action) : facts.action,
		RunbookURL: told ? once(facts.runbookUrl) : facts.runbookUrl,
		Since: formatShanghai(alert.startsAtMs),
		SinceShort: formatShanghaiShort(alert.startsAtMs),
		Lasted: spokenDuration((alert.endsAtMs ?? context.notification.createdAtMs) - alert.startsAtMs, options.language),
		Ended: alert.endsAtMs === null ? '' : formatShanghai(alert.endsAtMs),
		Consequences: listed.map(consequence),
		MoreConsequences: Math.max(0, count - listed.length),
		Labels: new Map(Object.entries(alert.labels)),
		Annotations: new Map(Object.entries(alert.annotations)),
	};
}
