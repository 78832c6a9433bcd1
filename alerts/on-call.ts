import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import { errorText } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import { nextTime, parseSchedule, previousTime } from '../core/schedule.ts';
import type { Secret } from '../core/secret.ts';
import type { DeliveryEvent, PersonalDelivery, ReplyPort } from './delivery/personal.ts';
import { buildDutyPlan, Duty, type DutyOutlook, type DutyPlan } from './duty.ts';
import { isExhausted } from './escalation/chain.ts';
import { callOf, Escalation } from './escalation/escalation.ts';
import { watchFaults } from './escalation/fault-watch.ts';
import { createEscalationMetrics } from './escalation/metrics.ts';
import { clockText, type FaultFacts } from './escalation/progress.ts';
import { AckLinks } from './incident/ack-link.ts';
import { recordExhausted, takeReply } from './incident/inbound.ts';
import type { Incident } from './incident/incident.ts';
import type { IncidentEvent } from './incident/incident-event.ts';
import type { IncidentStore } from './incident/incident-store.ts';
import { Incidents, PRODUCT } from './incident/incidents.ts';
import type { OnCallConfig } from './on-call-config.ts';
import type { NotificationHistory } from './ports.ts';
import { DutyChanges } from './roster/duty-changes.ts';
import type { CalendarDay, DutyDayKind } from './roster/duty-window.ts';
import { type HandoverFacts, Handovers } from './roster/handovers.ts';
import type { OnCallStore } from './roster/on-call-store.ts';
import { tellUnsigned } from './roster/tell-unsigned.ts';
import type { SerialQueue } from './serial-queue.ts';
import type { Language } from './templates/language.ts';

/** What on-call needs of the rest of the product. Everything has a default, so that alerts work without the rest. */
export interface OnCallWorld {
	/** Signs links that acknowledge. */
	readonly ackKey: Secret;
	/** Default: every day is ordinary. */
	readonly dayKind?: (day: CalendarDay) => DutyDayKind;
	/** Declared faults that are not closed. Default: none. */
	readonly faults?: () => Promise<readonly FaultFacts[]>;
	/** Copies an acknowledgement to the faults that the incident is about; asked again until the incident is over, so it must be idempotent. */
	readonly copyAcknowledgement?: (acknowledged: CopiedAcknowledgement) => Promise<void>;
	/** What a hand-over record says. Default: nothing but incidents. */
	readonly handoverFacts?: () => Promise<Omit<HandoverFacts, 'incidents'>>;
}

export interface CopiedAcknowledgement {
	readonly incident: string;
	/** The fault that it was opened for or tied to. */
	readonly fault: string | null;
	/** Of all alerts that ever belonged to it. */
	readonly fingerprints: readonly string[];
	/** Labels of the incident and of the alerts that it shows, by which its services are known. */
	readonly labels: readonly Readonly<Record<string, string>>[];
	/** What lasted at some moment of this was what somebody had taken; `toMs` is `null` while it goes on. */
	readonly fromMs: number;
	readonly toMs: number | null;
	/** Account, or person without one. */
	readonly by: string;
	readonly atMs: number;
}

export interface OnCallOptions extends OnCallWorld {
	readonly config: OnCallConfig;
	/** Of what people are told. */
	readonly language: Language;
	readonly incidentStore: IncidentStore;
	readonly store: OnCallStore;
	readonly serial: SerialQueue;
	readonly delivery: PersonalDelivery;
	/** What became of an incident's messages. */
	readonly deliveries: NotificationHistory['deliveries'];
	/** What hides all of these alerts; `''` when one of them is not hidden. */
	readonly hidden: (fingerprints: readonly string[]) => string;
	/** Under which people open the links of messages; asked for each. */
	readonly ackUrl: () => string;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: Registry;
	/** How long incidents that are over are kept. */
	readonly historyMs: () => number;
}

const TURN_MS = 60_000;
/** A step that is a minute late is late. */
const OVERDUE_MS = 60_000;
/** Duty two weeks ahead changes when somebody changes it, and otherwise slowly. */
const OUTLOOK_MS = 10 * 60_000;
/** A drill whose time passed while the collector was down is made up for within this. */
const DRILL_LATE_MS = 3_600_000;
/** A drill that was longer ago says nothing about today's addresses. */
const DRILL_RECALLED_MS = 35 * 86_400_000;
const PURGE_EVERY_MS = 3_600_000;
/** Alerts of one incident whose faults are looked for; a storm has more, and its faults are those of its first ones. */
const MOST_COPIED = 1000;
/** The fault that an acknowledgement belongs to may be opened when the incident is over already. */
const COPY_AFTER_MS = 15 * 60_000;

/** Who has duty, what is going on, and who is called. */
export interface OnCall {
	readonly incidents: Incidents;
	readonly duty: Duty;
	readonly changes: DutyChanges;
	readonly handovers: Handovers;
	readonly links: AckLinks;
	/** At most ten minutes old. */
	outlook(): DutyOutlook;
	/** What somebody answered to a message. */
	readonly reply: ReplyPort;
	/** Starts a fire drill now. */
	drill(by: string): Promise<Incident>;
	/** When the next drill is due; `null` without a schedule. */
	nextDrillMs(): number | null;
	/** What the minute's look does; the timer calls it. */
	turn(): Promise<void>;
	start(): void;
	stop(): Promise<void>;
	/** Throws when the configuration cannot be built; otherwise it is in force when what is returned was called. */
	prepare(config: OnCallConfig, language: Language): () => void;
}

export async function createOnCall(options: OnCallOptions): Promise<OnCall> {
	const { clock, log, delivery } = options;
	const metrics = createEscalationMetrics(options.metrics);
	const changes = new DutyChanges(options.store, clock);
	await changes.load();
	const handovers = new Handovers(options.store, clock);
	await handovers.load();
	const duty = new Duty(buildDutyPlan(options.config, options.language), {
		changes,
		clock,
		dayKind: options.dayKind ?? (() => 'ordinary'),
	});
	const links = new AckLinks(options.ackKey, options.ackUrl);
	const copy = async (incident: Incident): Promise<void> => {
		try {
			const events = await options.incidentStore.events(incident.id);
			for (const copied of acknowledgementsOf(incident, events, duty)) await options.copyAcknowledgement?.(copied);
		} catch (error) {
			// The next minute asks again.
			metrics.failures.inc({ part: 'faults' });
			log.error({ incident: incident.number, error: errorText(error) }, 'an acknowledgement could not be copied to its fault');
		}
	};
	const incidents: Incidents = new Incidents({
		store: options.incidentStore,
		serial: options.serial,
		clock,
		policies: () => duty.plan.policies,
		phrases: () => duty.plan.phrases,
		onChange: () => escalation.wake(),
		onAcknowledged: (incident) => void copy(incident),
		tell: (incident, except) =>
			incident.calls
				.filter(({ personId }) => personId !== except)
				.flatMap(({ personId }) => duty.person(personId) ?? [])
				.flatMap((person) => callOf(person, clock.now())),
	});
	await incidents.load();
	const escalation = new Escalation({
		incidents,
		delivery,
		links,
		resolve: (targets) => duty.resolve(targets),
		person: (id) => duty.person(id),
		hidden: options.hidden,
		clockOf: ({ fault }) => {
			const known = facts.find(({ id }) => id === fault);
			return known === undefined ? '' : clockText(known, clock.now(), duty.plan.config.zone);
		},
		clock,
		log,
		metrics,
	});
	delivery.onEvent((event) => recordExhausted(incidents, event));
	const reply: ReplyPort = (said) => takeReply(said, { incidents, duty });
	delivery.onReply(reply);

	/** As of the last minute; every message of their incidents carries their clock. */
	let facts: readonly FaultFacts[] = [];
	let outlook = duty.outlook();
	let purgedAtMs = 0;
	/** Late-record messages that delivery has had from this process. */
	const handed = new Set<string>();

	const audit = async (): Promise<void> => {
		const nowMs = clock.now();
		const overdue = await options.incidentStore.overdue(nowMs - OVERDUE_MS);
		for (const { number, dueAtMs } of overdue)
			log.error({ incident: number, lateMs: nowMs - dueAtMs }, "an incident's next step is overdue");
		const active = incidents.active();
		const late = active.filter(
			({ state, releaseAtMs }) => state === 'acknowledged' && releaseAtMs !== null && releaseAtMs < nowMs - OVERDUE_MS,
		);
		metrics.overdue.set(overdue.length + late.length);
		metrics.unanswered.set(active.filter(isUnanswered).length);
		for (const state of ['open', 'acknowledged'] as const)
			metrics.incidents.set({ state }, active.filter((one) => one.state === state).length);
		metrics.audited.set(nowMs / 1000);
	};
	let looked: { readonly plan: DutyPlan; readonly revision: number; readonly atMs: number } | null = null;
	const lookAhead = (): void => {
		const nowMs = clock.now();
		const known = looked !== null && looked.plan === duty.plan && looked.revision === changes.revision && nowMs - looked.atMs < OUTLOOK_MS;
		if (!known) {
			looked = { plan: duty.plan, revision: changes.revision, atMs: nowMs };
			outlook = duty.outlook();
			metrics.gap.reset();
			for (const { name } of duty.plan.staffing) metrics.gap.set({ rule: name }, 0);
			for (const { rule, fromMs, toMs } of outlook.gaps) metrics.gap.inc({ rule }, (toMs - fromMs) / 1000);
		}
		metrics.onDuty.reset();
		for (const roster of duty.rosters) metrics.onDuty.set({ roster: roster.id }, duty.now(roster).people.length);
	};
	const handOvers = async (): Promise<void> => {
		const facts = async (): Promise<HandoverFacts> => ({
			incidents: incidents
				.active()
				.filter(({ state }) => state !== 'resolved')
				.map(({ number, title, state, owner }) => ({ number, title, state, owner: duty.name(owner) })),
			...((await options.handoverFacts?.()) ?? { alerts: [], silences: [], maintenance: [], budgets: [] }),
		});
		for (const roster of duty.rosters) if (roster.handover) await handovers.watch(roster.id, duty.now(roster).people, facts);
		await tellUnsigned({ duty, handovers, delivery, clock, metrics, handed });
	};
	const startDrill = (by: string): Promise<Incident> => {
		const { drill } = duty.plan.config;
		const to = drill?.to ?? duty.rosters.map(({ id }) => `roster:${id}`);
		const lastsMs = parseDuration(drill?.lasts ?? '30m');
		return incidents.open({
			source: { kind: 'drill' },
			title: duty.plan.phrases.drill(by === PRODUCT ? null : by),
			severity: 'info',
			labels: {},
			startsAtMs: clock.now(),
			chain: { policy: 'drill', steps: [{ to, waitMs: lastsMs, times: 1 }], rounds: 1, unacknowledgeAfterMs: 0 },
		});
	};
	let drillKnown = false;
	/** What the last drill before this process left undelivered goes on being told. */
	const recallDrill = async (): Promise<void> => {
		if (drillKnown) return;
		const past = await incidents.list({ state: 'resolved', fromMs: clock.now() - DRILL_RECALLED_MS, limit: 500 });
		const last = past.find(({ source }) => source.kind === 'drill');
		if (last !== undefined) metrics.drillFailures.set(failedAddresses(await incidents.events(last.id), await options.deliveries(last.id)));
		drillKnown = true;
	};
	const drills = async (): Promise<void> => {
		await recallDrill();
		const nowMs = clock.now();
		const lastsMs = parseDuration(duty.plan.config.drill?.lasts ?? '30m');
		for (const { id, source, state, openedAtMs } of incidents.active()) {
			if (source.kind !== 'drill' || state === 'resolved' || nowMs < openedAtMs + lastsMs) continue;
			metrics.drillFailures.set(failedAddresses(await options.incidentStore.events(id), await options.deliveries(id)));
			await incidents.endDrill(id);
		}
		const schedule = drillSchedule(duty);
		const dueMs = schedule === null ? null : previousTime(schedule, nowMs);
		if (dueMs === null || nowMs - dueMs > DRILL_LATE_MS) return;
		const since = await options.incidentStore.list({ fromMs: dueMs, limit: 500 });
		if (!since.some(({ source }) => source.kind === 'drill')) await startDrill(PRODUCT);
	};
	const copyAll = async (): Promise<void> => {
		const recent = await options.incidentStore.list({ fromMs: clock.now() - 86_400_000, limit: 500 });
		const nowMs = clock.now();
		for (const incident of recent) {
			const taken = incident.acknowledgedAtMs !== null;
			if (taken && nowMs - (incident.resolvedAtMs ?? nowMs) < COPY_AFTER_MS) await copy(incident);
		}
	};
	const purge = async (): Promise<void> => {
		const nowMs = clock.now();
		if (nowMs - purgedAtMs < PURGE_EVERY_MS) return;
		purgedAtMs = nowMs;
		await options.incidentStore.purge(nowMs - options.historyMs());
	};
	const faults = async (): Promise<void> => {
		const { policies, config, phrases } = duty.plan;
		const context = {
			incidents,
			policies,
			resolve: (targets: readonly string[]) => duty.resolve(targets),
			person: (id: string) => duty.person(id),
			nowMs: clock.now(),
			zone: config.zone,
			phrases,
		};
		facts = (await options.faults?.()) ?? [];
		await watchFaults(facts, context);
	};
	const parts: readonly (readonly [string, () => Promise<void> | void])[] = [
		['audit', audit],
		['outlook', lookAhead],
		['handover', handOvers],
		['drill', drills],
		['faults', faults],
		['copy', copyAll],
		['purge', purge],
	];
	const turn = async (): Promise<void> => {
		for (const [part, work] of parts) {
			try {
				await work();
			} catch (error) {
				// One that fails must not keep the others from their minute.
				metrics.failures.inc({ part });
				log.error({ part, error: errorText(error) }, 'a look at on-call failed; the next minute tries again');
			}
		}
	};
	const stopping = new AbortController();
	let running: Promise<void> = Promise.resolve();
	const run = async (): Promise<void> => {
		while (!stopping.signal.aborted) {
			await turn();
			await clock.sleep(TURN_MS, stopping.signal);
		}
	};
	return {
		incidents,
		duty,
		changes,
		handovers,
		links,
		reply,
		outlook: () => {
			lookAhead();
			return outlook;
		},
		drill: startDrill,
		nextDrillMs: () => {
			const schedule = drillSchedule(duty);
			return schedule === null ? null : nextTime(schedule, clock.now());
		},
		turn,
		start: () => {
			escalation.start();
			running = run();
		},
		stop: async () => {
			stopping.abort();
			await running;
			await escalation.stop();
		},
		prepare: (config, language) => {
			const plan = buildDutyPlan(config, language);
			return () => {
				duty.apply(plan);
				escalation.wake();
			};
		},
	};
}

function drillSchedule(duty: Duty) {
	const { drill } = duty.plan.config;
	if (drill === undefined) return null;
	const parsed = parseSchedule({ zone: duty.plan.config.zone, ...drill.schedule });
	return parsed.kind === 'ok' ? parsed.schedule : null;
}

/** Open, with a chain that has been gone through to its end. */
function isUnanswered({ state, chain, position, source }: Incident): boolean {
	if (state !== 'open' || chain === null || position === null || source.kind === 'drill') return false;
	return position.dueAtMs === null && isExhausted(chain, position);
}

/** Of a drill: every address has a message of its own. What a receipt denies has not arrived. */
function failedAddresses(events: readonly IncidentEvent[], deliveries: readonly DeliveryEvent[]): number {
	const called = events.flatMap(({ body }) => (body.kind === 'called' ? body.people : []));
	const having = (...kinds: readonly DeliveryEvent['kind'][]) =>
		new Set(deliveries.filter(({ kind }) => kinds.includes(kind)).map(({ requestId }) => requestId));
	const taken = having('sent', 'delivered', 'read');
	const denied = having('undelivered', 'missing');
	return called.filter(({ requestId }) => !taken.has(requestId) || denied.has(requestId)).length;
}

/** Every acknowledgement with the time that it covers: from the start, or from when the incident was nobody's again, up to the next such moment or the end. */
function acknowledgementsOf(incident: Incident, events: readonly IncidentEvent[], duty: Duty): readonly CopiedAcknowledgement[] {
	const joined = events.flatMap(({ body }) => (body.kind === 'joined' ? [body] : []));
	const about = {
		incident: incident.id,
		fault: incident.fault,
		fingerprints: [...new Set(joined.flatMap(({ alerts }) => alerts))].slice(0, MOST_COPIED),
		labels: [incident.labels, ...joined.flatMap(({ shown }) => shown.map(({ labels }) => labels))],
	};
	const found: CopiedAcknowledgement[] = [];
	let fromMs = incident.startsAtMs;
	let taken: { readonly by: string; readonly atMs: number } | null = null;
	const end = (toMs: number | null) => {
		if (taken !== null) found.push({ ...about, ...taken, fromMs, toMs });
		taken = null;
	};
	for (const { body, atMs } of events) {
		if (body.kind === 'acknowledged') taken ??= { by: duty.person(body.person)?.account || body.person, atMs };
		if (body.kind !== 'released') continue;
		end(atMs);
		fromMs = atMs;
	}
	end(incident.resolvedAtMs);
	return found;
}
