import type { Clock } from '../../core/clock.ts';
import { AppError, errorText } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import type { Logger } from '../../core/log.ts';
import type { PersonalDelivery, PersonalRequest } from '../delivery/personal.ts';
import type { AckLinks } from '../incident/ack-link.ts';
import type { Incident, PersonalMessage } from '../incident/incident.ts';
import type { CalledPerson, IncidentEventBody } from '../incident/incident-event.ts';
import { type Incidents, PRODUCT } from '../incident/incidents.ts';
import { TurnLoop } from '../turn-loop.ts';
import { isExhausted } from './chain.ts';
import type { EscalationMetrics } from './metrics.ts';
import type { Person } from './targets.ts';

export interface EscalationOptions {
	readonly incidents: Incidents;
	readonly delivery: PersonalDelivery;
	readonly links: AckLinks;
	readonly resolve: (targets: readonly string[]) => readonly Person[];
	readonly person: (id: string) => Person | null;
	/** `一级 剩 1:37 下次通报 10:15` of the fault that an incident belongs to, or `''`. */
	readonly clockOf: (incident: Incident) => string;
	/** What hides all of these alerts (`silence`, `maintenance`, `inhibition`); `''` when one of them is not hidden. */
	readonly hidden: (fingerprints: readonly string[]) => string;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: EscalationMetrics;
}

const RETRY_MS = 1000;

/**
 * Calls people, one step after the other, until somebody takes the incident. A call is in the incident's history before
 * delivery hears of it, and delivery knows it by its id: whoever is killed in between asks again, and it is sent once.
 */
export class Escalation {
	readonly #options: EscalationOptions;
	readonly #turns: TurnLoop;

	constructor(options: EscalationOptions) {
		const { clock, log, metrics } = options;
		this.#options = options;
		this.#turns = new TurnLoop({
			clock,
			turn: () => this.turn(),
			onError: (error) => {
				metrics.failures.inc({ part: 'escalation' });
				log.error({ error: errorText(error) }, 'incidents could not be looked after; trying again');
			},
			retryMs: RETRY_MS,
		});
	}

	start(): void {
		this.#turns.start();
	}

	stop(): Promise<void> {
		return this.#turns.stop();
	}

	/** Something changed that may be due at once. */
	wake(): void {
		this.#turns.wake();
	}

	/** One look at every incident; answers when the next one is worth taking. */
	async turn(): Promise<number> {
		const { incidents, clock } = this.#options;
		let nextMs = Number.POSITIVE_INFINITY;
		for (const { id } of incidents.active()) {
			const incident = await incidents.update(id, PRODUCT, (now) => this.#due(now));
			if (incident === null) continue;
			const refused = await this.#deliver(incident);
			const dueMs =
				incident.state === 'open' ? incident.position?.dueAtMs : incident.state === 'acknowledged' ? incident.releaseAtMs : null;
			nextMs = Math.min(nextMs, refused ? clock.now() + RETRY_MS : Number.POSITIVE_INFINITY, dueMs ?? Number.POSITIVE_INFINITY);
		}
		return nextMs;
	}

	#due(incident: Incident): readonly IncidentEventBody[] {
		const { clock, metrics } = this.#options;
		const nowMs = clock.now();
		if (incident.state === 'acknowledged' && incident.releaseAtMs !== null && incident.releaseAtMs <= nowMs)
			return [{ kind: 'released', reason: 'time' }];
		const { chain, position } = incident;
		if (incident.state === 'open' && incident.held !== '') return this.#options.hidden(incident.firing) === '' ? [{ kind: 'resumed' }] : [];
		if (incident.state !== 'open' || chain === null || position === null || position.dueAtMs === null || position.dueAtMs > nowMs)
			return [];
		if (isExhausted(chain, position)) return [{ kind: 'exhausted' }];
		const reason = incident.source.kind === 'alerts' ? this.#options.hidden(incident.firing) : '';
		if (reason !== '') return [{ kind: 'held', reason }];
		const to = chain.steps[position.step]?.to ?? [];
		const people = this.#options.resolve(to);
		const { round, step } = position;
		metrics.calls.inc({ outcome: people.length === 0 ? 'nobody' : 'called' }, Math.max(1, people.length));
		if (people.length === 0) return [{ kind: 'nobody', round, step, to }];
		const drill = incident.source.kind === 'drill';
		return [{ kind: 'called', round, step, to, people: people.flatMap((person) => callOf(person, nowMs, drill)) }];
	}

	/** Hands everything that waits to delivery. Answers whether something has to be tried again. */
	async #deliver(incident: Incident): Promise<boolean> {
		const { incidents, delivery, log, metrics } = this.#options;
		for (const message of incident.pending) {
			try {
				const request = this.#request(incident, message);
				if (request === null) await this.#unreachable(incident, message, 'no-address');
				else await delivery.notify(request);
			} catch (error) {
				if (!(error instanceof AppError) || error.retryable || error.status >= 500) {
					metrics.failures.inc({ part: 'delivery' });
					log.error({ incident: incident.number, error: errorText(error) }, 'a call could not be handed to delivery; trying again');
					return true;
				}
				await this.#unreachable(incident, message, error.code);
			}
			await incidents.handedOver(incident.id, message.requestId);
		}
		return false;
	}

	async #unreachable(incident: Incident, { requestId, personId }: PersonalMessage, code: string): Promise<void> {
		const { incidents, log, metrics } = this.#options;
		metrics.calls.inc({ outcome: 'unreachable' });
		log.error({ incident: incident.number, person: personId, code }, 'somebody cannot be reached by any address');
		const body = { kind: 'delivery', what: 'exhausted', requestId, person: personId, channel: '', number: 0, code } as const;
		await incidents.append(incident.id, PRODUCT, body);
	}

	#request(incident: Incident, message: PersonalMessage): PersonalRequest | null {
		const person = this.#options.person(message.personId);
		const addresses = person?.addresses.filter((_, i) => message.address === null || message.address === i) ?? [];
		if (person === null || addresses.length === 0) return null;
		const resolved = message.kind === 'recovery';
		const takes = message.kind === 'call';
		const again = takes && incident.firstCallSeq !== null && incident.firstCallSeq < message.seq;
		const firing = incident.shown.filter(({ status }) => status === 'firing');
		const shown = resolved ? incident.shown : firing.length > 0 ? firing : incident.shown;
		const ended = resolved ? incident.alertCount : 0;
		return {
			id: message.requestId,
			person: { id: person.id, name: person.name },
			addresses,
			message: {
				groupKey: `incident:${incident.number}`,
				groupLabels: incident.labels,
				reason: resolved ? 'resolved' : again ? 'repeat' : 'fired',
				alerts: shown,
				firingCount: resolved ? 0 : Math.max(incident.firing.length, shown.length),
				resolvedCount: ended,
			},
			incident: {
				id: incident.id,
				code: takes ? replyCode(incident.number) : '',
				ackUrl: takes ? this.#options.links.url(incident, person.id, message.seq) : '',
				clock: resolved ? '' : message.clock || this.#options.clockOf(incident),
				text: message.text === '' && shown.length === 0 ? incident.title : message.text,
			},
		};
	}
}

/** What a text message is answered with to take the incident. */
export function replyCode(number: number): string {
	return `A${number}`;
}

/** One message for the person; in a drill one for each of their addresses, because each is to be tried. */
export function callOf(person: Person, nowMs: number, everyAddress = false): readonly CalledPerson[] {
	const call = (address: number | null): CalledPerson => ({ personId: person.id, name: person.name, requestId: uuidv7(nowMs), address });
	return everyAddress ? person.addresses.map((_, i) => call(i)) : [call(null)];
}
