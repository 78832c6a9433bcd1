import type { Chain } from '../escalation/chain.ts';
import type { NotifiedAlert } from '../notify/notification.ts';

/** What it was opened for. A drill is a rehearsal and counts in no statistic. */
export type IncidentSource =
	| { readonly kind: 'alerts' }
	| { readonly kind: 'fault'; readonly fault: string; readonly number: number }
	| { readonly kind: 'drill' };

/** How somebody acknowledged: in the console, over a link, by a message that they answered, a button, or through somebody else's word. */
export type AcknowledgeWay = 'console' | 'link' | 'reply' | 'button' | 'on-behalf';

export interface CalledPerson {
	readonly personId: string;
	readonly name: string;
	readonly requestId: string;
	readonly address: number | null;
}

export type IncidentEventBody =
	| {
			readonly kind: 'opened';
			readonly number: number;
			readonly source: IncidentSource;
			readonly title: string;
			readonly severity: string;
			readonly labels: Readonly<Record<string, string>>;
			readonly startsAtMs: number;
			readonly chain: Chain | null;
	  }
	/** Alerts of `group` that it is now about as well; `alerts` are all of their fingerprints. */
	| { readonly kind: 'joined'; readonly group: string; readonly alerts: readonly string[]; readonly shown: readonly NotifiedAlert[] }
	| { readonly kind: 'alerts-resolved'; readonly alerts: readonly string[] }
	/** The group's own message, to the receiver of its route. */
	| { readonly kind: 'told'; readonly receiver: string; readonly reason: string; readonly notifications: readonly string[] }
	| {
			readonly kind: 'called';
			readonly round: number;
			readonly step: number;
			readonly to: readonly string[];
			readonly people: readonly CalledPerson[];
	  }
	/** There was nobody to call. */
	| { readonly kind: 'nobody'; readonly round: number; readonly step: number; readonly to: readonly string[] }
	/** Everybody was called, and nobody took it. */
	| { readonly kind: 'exhausted' }
	/** A silence, maintenance or another alert hides all of its alerts: nobody is woken for them. */
	| { readonly kind: 'held'; readonly reason: string }
	| { readonly kind: 'resumed' }
	/** `by` speaks for `person` where the duty desk writes down a telephone call; `call` is the event whose link was used. */
	| {
			readonly kind: 'acknowledged';
			readonly way: AcknowledgeWay;
			readonly person: string;
			readonly call: number | null;
			/** Channel and id of the reply or press that did it; absent for other ways. */
			readonly reply?: string;
	  }
	/** Those who were called as well learn that somebody has it. */
	| { readonly kind: 'taken-told'; readonly people: readonly CalledPerson[]; readonly text: string }
	| { readonly kind: 'released'; readonly reason: 'time' | 'hand' }
	| { readonly kind: 'handed-over'; readonly to: string; readonly name: string }
	| { readonly kind: 'note'; readonly text: string }
	| { readonly kind: 'reply'; readonly person: string; readonly way: string; readonly text: string; readonly reply?: string }
	| {
			readonly kind: 'delivery';
			readonly what: string;
			readonly requestId: string;
			readonly person: string;
			readonly channel: string;
			readonly number: number;
			readonly code: string;
	  }
	| { readonly kind: 'fault'; readonly fault: string; readonly number: number; readonly level: string; readonly chain: Chain | null }
	| {
			readonly kind: 'progress-due';
			readonly fault: string;
			readonly dueMs: number;
			readonly clock: string;
			readonly text: string;
			readonly people: readonly CalledPerson[];
	  }
	/** 首报, 续报, 终报: a text that was given to people outside, and when. */
	| {
			readonly kind: 'notice';
			readonly notice: NoticeKind;
			readonly told: readonly string[];
			readonly channel: string;
			readonly text: string;
	  }
	| {
			readonly kind: 'resolved';
			readonly way: 'alerts' | 'hand' | 'time';
			readonly reason: string;
			readonly people: readonly CalledPerson[];
	  };

export const NOTICE_KINDS = ['first', 'progress', 'final'] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** One line of an incident's history. Never changed, never removed while the incident is kept. */
export interface IncidentEvent {
	/** From 1, without gaps. */
	readonly seq: number;
	readonly atMs: number;
	/** Account, person, or `fournines` for what the product did by itself. */
	readonly actor: string;
	readonly body: IncidentEventBody;
}
