import type { DeliveryEvent } from '../delivery/personal.ts';
import type { AlertEvent, NotificationRecord } from '../ports.ts';
import type { Incident } from './incident.ts';
import type { IncidentEvent } from './incident-event.ts';

/** One line of what happened, from the first sample to the end. */
export interface Line {
	readonly atMs: number;
	readonly kind: string;
	readonly actor: string;
	readonly detail: Readonly<Record<string, string | number>>;
}

export interface TimelineSources {
	readonly incident: Incident;
	readonly events: readonly IncidentEvent[];
	/** Of its personal messages. */
	readonly deliveries: readonly DeliveryEvent[];
	/** The group's own messages. */
	readonly notifications: readonly NotificationRecord[];
	/** Of some of its alerts. */
	readonly alertEvents: readonly AlertEvent[];
	readonly nameOf: (personId: string) => string;
}

const PRODUCT = 'fournines';
const ALERT_LINES: readonly string[] = ['fired', 'refired', 'resolved', 'expired', 'suppressed', 'unsuppressed'];

/** Everything that is known of an incident, in one order: sample → fired → queued → sent → receipt → read → acknowledged → over. */
export function timeline(sources: TimelineSources): readonly Line[] {
	const { incident, events, deliveries, notifications, alertEvents, nameOf } = sources;
	const lines: Line[] = [{ atMs: incident.startsAtMs, kind: 'sample', actor: PRODUCT, detail: {} }];
	for (const { atMs, kind, detail } of alertEvents) {
		if (ALERT_LINES.includes(kind)) lines.push({ atMs, kind: `alert-${kind}`, actor: PRODUCT, detail: detail === '' ? {} : { detail } });
	}
	for (const event of events) {
		const line = eventLine(event, nameOf);
		if (line !== null) lines.push(line);
	}
	for (const { kind, atMs, personId, address, number, code } of deliveries) {
		const detail = { person: nameOf(personId), channel: address.channel, to: masked(address.to), number, code };
		lines.push({ atMs, kind: `message-${kind}`, actor: PRODUCT, detail });
	}
	for (const { number, receiver, channel, createdAtMs, attempts } of notifications) {
		lines.push({ atMs: createdAtMs, kind: 'message-queued', actor: PRODUCT, detail: { person: receiver, channel, number } });
		for (const { endedAtMs, outcome, code } of attempts) {
			if (endedAtMs === null) continue;
			lines.push({ atMs: endedAtMs, kind: `message-${outcome}`, actor: PRODUCT, detail: { person: receiver, channel, number, code } });
		}
	}
	return lines
		.map((line, order) => ({ line, order }))
		.sort((a, b) => a.line.atMs - b.line.atMs || a.order - b.order)
		.map(({ line }) => line);
}

function eventLine({ atMs, actor, body }: IncidentEvent, nameOf: (id: string) => string): Line | null {
	const line = (detail: Line['detail']): Line => ({ atMs, kind: body.kind, actor: nameOf(actor), detail });
	switch (body.kind) {
		case 'opened':
			return line({ policy: body.chain?.policy ?? '' });
		case 'joined':
			return line({ count: body.alerts.length });
		case 'alerts-resolved':
			return line({ count: body.alerts.length });
		// Each message has its own lines.
		case 'told':
		case 'delivery':
			return null;
		case 'called':
			return line({ people: [...new Set(body.people.map(({ name }) => name))].join('、'), round: body.round + 1, step: body.step + 1 });
		case 'nobody':
			return line({ to: body.to.join('、'), round: body.round + 1, step: body.step + 1 });
		case 'exhausted':
		case 'resumed':
			return line({});
		case 'held':
			return line({ reason: body.reason });
		case 'acknowledged':
			return line({ way: body.way, person: nameOf(body.person) });
		case 'taken-told':
			return line({ people: [...new Set(body.people.map(({ name }) => name))].join('、') });
		case 'released':
			return line({ reason: body.reason });
		case 'handed-over':
			return line({ person: body.name });
		case 'note':
			return line({ text: body.text });
		case 'reply':
			return line({ person: nameOf(body.person), way: body.way, text: body.text });
		case 'fault':
			return line({ number: body.number, level: body.level, policy: body.chain?.policy ?? '' });
		case 'progress-due':
			return line({ clock: body.clock, people: [...new Set(body.people.map(({ name }) => name))].join('、') });
		case 'notice':
			return line({ notice: body.notice, told: body.told.join('、'), channel: body.channel, text: body.text });
		case 'resolved':
			return line({ way: body.way, reason: body.reason });
	}
}

/** The end of a number says whose it is to those who know it. */
function masked(to: string): string {
	return to.length <= 4 ? to : `…${to.slice(-4)}`;
}
