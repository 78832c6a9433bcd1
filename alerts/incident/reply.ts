import type { InboundReply } from '../delivery/personal.ts';
import type { OnCallPhrases } from '../on-call-phrases.ts';
import type { Incident } from './incident.ts';

export type ReadReply =
	| { readonly kind: 'acknowledge'; readonly incidents: readonly Incident[] }
	| { readonly kind: 'unclear'; readonly hint: string };

/** A number that somebody was told to answer with: `A12`, `a 12`, `12`, also inside of a sentence. */
const CODE = /(a?)\s*(?<!\d)(\d{1,9})/gi;
/** What people write who have one thing to answer. */
const YES = /^(收到|确认|已?知悉|已?确认|好的?|是|ok|yes|y|ack|1)[。.!！]*$/i;

/** What somebody's answer means. `mine` are the open incidents that they were called for: nobody takes another one by guessing numbers. */
export function readReply(said: InboundReply['said'], mine: readonly Incident[], phrases: OnCallPhrases): ReadReply {
	if (said.kind === 'acknowledge') {
		const incident = mine.find(({ id }) => id === said.incidentId);
		return incident === undefined ? unclear(phrases.notYours) : { kind: 'acknowledge', incidents: [incident] };
	}
	const text = said.text.trim();
	const named = new Map<number, Incident>();
	let spelled = true;
	for (const [, letter = '', number] of text.normalize('NFKC').matchAll(CODE)) {
		const incident = mine.find((one) => one.number === Number(number));
		if (incident === undefined) continue;
		named.set(incident.number, incident);
		spelled &&= letter !== '';
	}
	const waiting = mine.filter(({ state }) => state === 'open');
	const meant = named.size > 0 ? [...named.values()] : YES.test(text) ? waiting : [];
	// Several only by their full codes, as a digest names them: a wrong guess would silence the chain of another one.
	if (meant.length === 1 || (named.size > 1 && spelled)) return { kind: 'acknowledge', incidents: meant };
	if (mine.length === 0) return unclear(phrases.nothingWaits);
	return unclear(phrases.answerWith(mine.map(({ number }) => `A${number}`)));
}

function unclear(hint: string): ReadReply {
	return { kind: 'unclear', hint };
}
