import type { DeliveryEvent, InboundReply } from '../delivery/personal.ts';
import type { Duty } from '../duty.ts';
import { type Person, personAt } from '../escalation/targets.ts';
import type { Incident } from './incident.ts';
import { type Incidents, PRODUCT } from './incidents.ts';
import { readReply } from './reply.ts';

/** Of a provider's clock and ours. */
const CLOCKS_DIFFER_MS = 300_000;

/** Everything else stands in the record of deliveries; this one moves the chain. */
export async function recordExhausted(
	incidents: Incidents,
	{ kind, incidentId, requestId, personId, address, number, code }: DeliveryEvent,
): Promise<void> {
	if (kind !== 'exhausted' || incidentId === null || incidentId === '') return;
	const body = { kind: 'delivery', what: kind, requestId, person: personId, channel: address.channel, number, code } as const;
	await incidents.append(incidentId, PRODUCT, body);
}

/** Takes an incident for whoever answers, and says back what became of it. Who is nobody here gets no answer. */
export async function takeReply(
	reply: InboundReply,
	{ incidents, duty }: { readonly incidents: Incidents; readonly duty: Duty },
): Promise<{ readonly text: string }> {
	const person = personAt(duty.plan.directory, reply.from);
	if (person === null) return { text: '' };
	const mine = incidents
		.active()
		// What was written before an incident began was an answer to something else, however late it is read.
		.filter(({ openedAtMs }) => openedAtMs <= reply.atMs + CLOCKS_DIFFER_MS)
		.filter(({ state, calls }) => state !== 'resolved' && calls.some(({ personId }) => personId === person.id));
	const { phrases } = duty.plan;
	const read = readReply(reply.said, mine, phrases);
	// The repetition of a plain answer, which has taken what it meant already.
	if (read.kind === 'unclear') return { text: (await hasTaken(reply, { among: mine, incidents })) ? '' : read.hint };
	const said: string[] = [];
	for (const incident of read.incidents) {
		const text = await takeOne(reply, { incident, person, incidents, duty });
		if (text !== '') said.push(text);
	}
	return { text: said.join('\n') };
}

/** Providers and relays repeat what they are not sure of, also to a process that was started in between. */
function answerId({ from, id }: InboundReply): string {
	return `${from.channel} ${id}`.slice(0, 200);
}

async function hasTaken(
	reply: InboundReply,
	{ among, incidents }: { readonly among: readonly Incident[]; readonly incidents: Incidents },
): Promise<boolean> {
	const id = answerId(reply);
	for (const incident of among) {
		const events = await incidents.events(incident.id);
		if (events.some(({ body }) => body.kind === 'acknowledged' && body.reply === id)) return true;
	}
	return false;
}

async function takeOne(
	reply: InboundReply,
	{
		incident,
		person,
		incidents,
		duty,
	}: { readonly incident: Incident; readonly person: Person; readonly incidents: Incidents; readonly duty: Duty },
): Promise<string> {
	const { phrases } = duty.plan;
	const id = answerId(reply);
	const known = (await incidents.events(incident.id)).filter(({ body }) => 'reply' in body && body.reply === id);
	if (known.some(({ body }) => body.kind === 'acknowledged')) return '';
	const text = reply.said.kind === 'text' ? reply.said.text.slice(0, 500) : '';
	if (text !== '' && known.length === 0)
		await incidents.append(incident.id, person.id, { kind: 'reply', person: person.id, way: reply.way, text, reply: id });
	if (incident.state === 'acknowledged') return phrases.alreadyTaken(incident.number, duty.name(incident.owner));
	const way = reply.said.kind === 'text' ? 'reply' : 'button';
	await incidents.acknowledge(incident.id, { person: person.id, name: person.name, by: person.id, way, reply: id });
	return phrases.confirmed(incident.number, incident.title).slice(0, 200);
}
