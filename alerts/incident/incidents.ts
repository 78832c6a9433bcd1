import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import { type Chain, chooseChain, type EscalationPolicy } from '../escalation/chain.ts';
import type { OnCallPhrases } from '../on-call-phrases.ts';
import type { RoundMessage } from '../round.ts';
import type { SerialQueue } from '../serial-queue.ts';
import type { Turn } from '../stages/plan-turn.ts';
import { applyIncident, type Incident, withoutPending } from './incident.ts';
import type { AcknowledgeWay, CalledPerson, IncidentEvent, IncidentEventBody, IncidentSource, NoticeKind } from './incident-event.ts';
import type { IncidentChange, IncidentQuery, IncidentStore } from './incident-store.ts';
import { describeTurns } from './title.ts';

/** What the product does by itself is done by this actor. */
export const PRODUCT = 'fournines';

export interface IncidentsOptions {
	readonly store: IncidentStore;
	/** Shared with the dispatcher: a round and an acknowledgement must not see half of each other. */
	readonly serial: SerialQueue;
	readonly clock: Clock;
	readonly policies: () => readonly EscalationPolicy[];
	readonly phrases: () => OnCallPhrases;
	/** Called when something changed that escalation must look at. */
	readonly onChange: () => void;
	/** Called after an acknowledgement is durable. */
	readonly onAcknowledged: (incident: Incident) => void;
	/** Whoever was called hears that it is over, or that somebody has it. */
	readonly tell: (incident: Incident, except: string | null) => readonly CalledPerson[];
}

export interface Acknowledgement {
	/** Person, or account of somebody who is none of them, who has it from now on. */
	readonly person: string;
	readonly name: string;
	/** Who says so; differs from `person` when the duty desk speaks for them. */
	readonly by: string;
	readonly way: AcknowledgeWay;
	/** Event of the call whose link was used. */
	readonly call?: number;
	/** The reply or press that did it; the same one is not taken a second time. */
	readonly reply?: string;
}

/** Incidents that are not over, in memory; every change is durable before it counts. */
export class Incidents {
	readonly #options: IncidentsOptions;
	readonly #active = new Map<string, Incident>();
	readonly #byAlert = new Map<string, string>();
	#number = 0;

	constructor(options: IncidentsOptions) {
		this.#options = options;
	}

	/** Takes up where the last process ended. */
	async load(): Promise<void> {
		this.#number = await this.#options.store.lastNumber();
		for (const incident of await this.#options.store.active()) this.#keep(incident);
	}

	/** Those that are not over, and those that still owe somebody a message. */
	active(): readonly Incident[] {
		return [...this.#active.values()];
	}

	/** Throws `FN_INCIDENT_UNKNOWN`. By id, or by the number that people say. */
	async get(ref: string): Promise<Incident> {
		const known = this.#active.get(ref);
		if (known !== undefined) return known;
		const { store } = this.#options;
		const found = /^[1-9]\d{0,9}$/.test(ref) ? await store.byNumber(Number(ref)) : await store.get(ref);
		if (found === null) throw new AppError('FN_INCIDENT_UNKNOWN', `there is no incident "${ref.slice(0, 64)}"`, { status: 404 });
		return this.#active.get(found.id) ?? found;
	}

	/** Newest first. */
	list(query: IncidentQuery): Promise<readonly Incident[]> {
		return this.#options.store.list(query);
	}

	/** Its whole history, oldest first. */
	events(id: string): Promise<readonly IncidentEvent[]> {
		return this.#options.store.events(id);
	}

	/**
	 * What a round of dispatch means for incidents. Changes nothing yet: the dispatcher makes it durable together with the
	 * messages, and then calls `applied`.
	 */
	planRound(turns: readonly Turn[], messages: readonly RoundMessage[], nowMs: number): readonly IncidentChange[] {
		// Most rounds tell nobody anything; they must not cost a copy of all alerts.
		if (messages.length === 0 && turns.every(({ leaving }) => leaving.length === 0)) return [];
		const drafts = new Drafts(this.#active, nowMs, () => ++this.#number);
		const byAlert = new Map(this.#byAlert);
		for (const message of messages) this.#planMessage(message, drafts, byAlert);
		for (const turn of turns) {
			const over = Map.groupBy(turn.leaving, (fingerprint) => byAlert.get(fingerprint) ?? '');
			for (const [id, alerts] of over) if (id !== '') drafts.add(id, { kind: 'alerts-resolved', alerts });
		}
		for (const incident of drafts.touched()) {
			if (incident.state === 'resolved' || incident.firing.length > 0 || incident.source.kind !== 'alerts') continue;
			drafts.add(incident.id, { kind: 'resolved', way: 'alerts', reason: '', people: this.#options.tell(incident, null) });
		}
		return drafts.changes();
	}

	#planMessage({ turns, entries }: RoundMessage, drafts: Drafts, byAlert: Map<string, string>): void {
		const told = describeTurns(turns);
		if (told === null) return;
		const known = told.firing.filter((fingerprint) => byAlert.has(fingerprint));
		const fresh = told.firing.filter((fingerprint) => !byAlert.has(fingerprint));
		const groups = new Set(turns.map((turn) => turn.group.identity.id));
		let id = known.map((fingerprint) => byAlert.get(fingerprint) ?? '')[0];
		id ??= drafts.find((incident) => incident.state !== 'resolved' && incident.groups.some((group) => groups.has(group)))?.id;
		if (fresh.length > 0 && told.reason === 'fired') {
			if (id === undefined) {
				const chain = chooseChain(this.#options.policies(), { severity: told.severity, labels: told.labels, faultLevel: null });
				// Neither a channel nor a policy: it is recorded and shown, and nobody is meant to hear of it.
				if (chain === null && entries.length === 0) return;
				const { title, severity, labels, startsAtMs } = told;
				id = drafts.open({ source: { kind: 'alerts' }, title, severity, labels, startsAtMs, chain });
			}
			for (const turn of turns) {
				const own = (turn.tell?.alerts ?? []).filter(({ status, fingerprint }) => status === 'firing' && !byAlert.has(fingerprint));
				if (own.length === 0) continue;
				drafts.add(id, {
					kind: 'joined',
					group: turn.group.identity.id,
					alerts: own.map(({ fingerprint }) => fingerprint),
					shown: own.slice(0, MOST_SHOWN),
				});
				for (const { fingerprint } of own) byAlert.set(fingerprint, id);
			}
		}
		// A recovery is told where the firing was: to the incident that its alerts belong to.
		id ??= told.resolved.map((fingerprint) => byAlert.get(fingerprint)).find((one) => one !== undefined);
		if (id === undefined || entries.length === 0) return;
		const receiver = entries[0]?.notification.receiver ?? '';
		drafts.add(id, { kind: 'told', receiver, reason: told.reason, notifications: entries.map((entry) => entry.notification.id) });
	}

	/** What `planRound` planned is durable now. */
	applied(changes: readonly IncidentChange[]): void {
		for (const { incident } of changes) this.#keep(incident);
		if (changes.length > 0) this.#options.onChange();
	}

	/** Throws `FN_INCIDENT_UNKNOWN` and `FN_INCIDENT_STEP`. `already`: the same person had it; the time until it becomes nobody's begins anew. */
	acknowledge(
		ref: string,
		{ person, name, by, way, call, reply }: Acknowledgement,
	): Promise<{ readonly incident: Incident; readonly already: boolean }> {
		return this.#options.serial.runAlways(async () => {
			const before = await this.get(ref);
			const already = before.state === 'acknowledged' && before.owner === person;
			const bodies: IncidentEventBody[] = [
				{ kind: 'acknowledged', way, person, call: call ?? null, ...(reply === undefined ? {} : { reply }) },
			];
			const people = already ? [] : this.#options.tell(before, person);
			if (people.length > 0)
				bodies.push({ kind: 'taken-told', people, text: this.#options.phrases().taken(before.number, name, before.title) });
			const incident = await this.#write(before, by, bodies);
			this.#options.onAcknowledged(incident);
			return { incident, already };
		});
	}

	handOver(ref: string, to: { readonly id: string; readonly name: string }, by: string): Promise<Incident> {
		return this.#change(ref, by, () => [{ kind: 'handed-over', to: to.id, name: to.name }]);
	}

	note(ref: string, text: string, by: string): Promise<Incident> {
		return this.#change(ref, by, () => [{ kind: 'note', text }]);
	}

	/** Nobody has it any more; the chain begins anew. */
	release(ref: string, by: string, reason: 'time' | 'hand'): Promise<Incident> {
		return this.#change(ref, by, () => [{ kind: 'released', reason }]);
	}

	/** Over although alerts may still fire: somebody says why. */
	resolve(ref: string, by: string, reason: string, way: 'hand' | 'time' = 'hand'): Promise<Incident> {
		return this.#change(ref, by, (incident) => [{ kind: 'resolved', way, reason, people: this.#options.tell(incident, null) }]);
	}

	/** A rehearsal is over by itself; nobody has to hear of it. */
	endDrill(id: string): Promise<Incident> {
		return this.#change(id, PRODUCT, () => [{ kind: 'resolved', way: 'time', reason: '', people: [] }]);
	}

	notice(
		ref: string,
		notice: { readonly notice: NoticeKind; readonly told: readonly string[]; readonly channel: string; readonly text: string },
		by: string,
	) {
		return this.#change(ref, by, () => [{ kind: 'notice', ...notice }]);
	}

	/** An incident that no alert opened. */
	open(request: {
		readonly source: IncidentSource;
		readonly title: string;
		readonly severity: string;
		readonly labels: Readonly<Record<string, string>>;
		readonly startsAtMs: number;
		readonly chain: Chain | null;
	}): Promise<Incident> {
		return this.#options.serial.runAlways(async () => {
			const drafts = new Drafts(this.#active, this.#options.clock.now(), () => ++this.#number);
			const id = drafts.open(request);
			const changes = drafts.changes();
			await this.#options.store.write(changes);
			this.applied(changes);
			return this.get(id);
		});
	}

	/**
	 * For escalation: `decide` sees the incident as it is when its turn has come and answers what happens; nothing when it no
	 * longer applies. Durable when it resolves.
	 */
	update(id: string, by: string, decide: (incident: Incident) => readonly IncidentEventBody[]): Promise<Incident | null> {
		return this.#options.serial.runAlways(async () => {
			const incident = this.#active.get(id);
			if (incident === undefined) return null;
			const bodies = decide(incident);
			return bodies.length === 0 ? incident : this.#write(incident, by, bodies);
		});
	}

	/** Delivery has taken the message. */
	handedOver(id: string, requestId: string): Promise<void> {
		return this.#options.serial.runAlways(async () => {
			const known = this.#active.get(id);
			if (known === undefined) return;
			const incident = withoutPending(known, requestId);
			await this.#options.store.write([{ incident, events: [] }]);
			this.#keep(incident);
		});
	}

	/** A line of history of an incident that may be over. */
	append(id: string, by: string, body: IncidentEventBody): Promise<Incident> {
		return this.#change(id, by, () => [body]);
	}

	#change(ref: string, by: string, bodies: (incident: Incident) => readonly IncidentEventBody[]): Promise<Incident> {
		return this.#options.serial.runAlways(async () => {
			const incident = await this.get(ref);
			return this.#write(incident, by, bodies(incident));
		});
	}

	async #write(incident: Incident, actor: string, bodies: readonly IncidentEventBody[]): Promise<Incident> {
		const change = extend(incident, bodies, { actor, atMs: this.#options.clock.now() });
		await this.#options.store.write([change]);
		this.applied([change]);
		return change.incident;
	}

	#keep(incident: Incident): void {
		const before = this.#active.get(incident.id);
		for (const fingerprint of before?.firing ?? []) this.#byAlert.delete(fingerprint);
		if (incident.state === 'resolved' && incident.pending.length === 0) {
			this.#active.delete(incident.id);
			return;
		}
		this.#active.set(incident.id, incident);
		if (incident.state !== 'resolved') for (const fingerprint of incident.firing) this.#byAlert.set(fingerprint, incident.id);
	}
}

const MOST_SHOWN = 5;

function extend(
	incident: Incident,
	bodies: readonly IncidentEventBody[],
	{ actor, atMs }: { readonly actor: string; readonly atMs: number },
): IncidentChange {
	const events: IncidentEvent[] = [];
	let next = incident;
	for (const body of bodies) {
		const event = { seq: next.seq + 1, atMs, actor, body };
		next = applyIncident(next.id, next, event);
		events.push(event);
	}
	return { incident: next, events };
}

/** Changes that are being planned, on top of what is in force. */
class Drafts {
	readonly #base: ReadonlyMap<string, Incident>;
	readonly #atMs: number;
	readonly #nextNumber: () => number;
	readonly #changes = new Map<string, IncidentChange>();

	constructor(base: ReadonlyMap<string, Incident>, atMs: number, nextNumber: () => number) {
		this.#base = base;
		this.#atMs = atMs;
		this.#nextNumber = nextNumber;
	}

	open(request: Omit<Extract<IncidentEventBody, { kind: 'opened' }>, 'kind' | 'number'>): string {
		const id = uuidv7(this.#atMs);
		const event = { seq: 1, atMs: this.#atMs, actor: PRODUCT, body: { kind: 'opened' as const, number: this.#nextNumber(), ...request } };
		this.#changes.set(id, { incident: applyIncident(id, null, event), events: [event] });
		return id;
	}

	/** Of an incident that is over only what may still happen to it is taken. */
	add(id: string, body: IncidentEventBody): void {
		const incident = this.#changes.get(id)?.incident ?? this.#base.get(id);
		if (incident === undefined || (incident.state === 'resolved' && body.kind !== 'told')) return;
		const { incident: next, events } = extend(incident, [body], { actor: PRODUCT, atMs: this.#atMs });
		this.#changes.set(id, { incident: next, events: [...(this.#changes.get(id)?.events ?? []), ...events] });
	}

	find(wanted: (incident: Incident) => boolean): Incident | undefined {
		for (const { incident } of this.#changes.values()) if (wanted(incident)) return incident;
		for (const [id, incident] of this.#base) if (!this.#changes.has(id) && wanted(incident)) return incident;
		return undefined;
	}

	touched(): readonly Incident[] {
		return [...this.#changes.values()].map(({ incident }) => incident);
	}

	changes(): readonly IncidentChange[] {
		return [...this.#changes.values()];
	}
}
