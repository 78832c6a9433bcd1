import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import type { PersonalDelivery, ReplyPort } from './delivery/personal.ts';
import { Drills } from './drills.ts';
import { buildDutyPlan, Duty, type DutyOutlook, type DutyPlan } from './duty.ts';
import { isExhausted } from './escalation/chain.ts';
import { callOf, Escalation } from './escalation/escalation.ts';
import { watchFaults } from './escalation/fault-watch.ts';
import { createEscalationMetrics } from './escalation/metrics.ts';
import { clockText, type FaultFacts } from './escalation/progress.ts';
import { AckLinks } from './incident/ack-link.ts';
import { AcknowledgementCopies, type CopiedAcknowledgement } from './incident/acknowledgement-copies.ts';
import { recordExhausted, takeReply } from './incident/inbound.ts';
import type { Incident } from './incident/incident.ts';
import type { IncidentStore } from './incident/incident-store.ts';
import { Incidents } from './incident/incidents.ts';
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
const PURGE_EVERY_MS = 3_600_000;
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
	const incidents: Incidents = new Incidents({
		store: options.incidentStore,
		serial: options.serial,
		clock,
		policies: () => duty.plan.policies,
		phrases: () => duty.plan.phrases,
		onChange: () => escalation.wake(),
		onAcknowledged: (incident) => void copies.copy(incident),
		tell: (incident, except) =>
			incident.calls
				.filter(({ personId }) => personId !== except)
				.flatMap(({ personId }) => duty.person(personId) ?? [])
				.flatMap((person) => callOf(person, clock.now())),
	});
	await incidents.load();
	const copies = new AcknowledgementCopies({
		store: options.incidentStore,
		copy: options.copyAcknowledgement ?? (async () => {}),
		account: (id) => duty.person(id)?.account || id,
		onFailure: (incident, error) => {
			metrics.failures.inc({ part: 'faults' });
			log.error({ incident: incident.number, error: errorText(error) }, 'an acknowledgement could not be copied to its fault');
		},
		clock,
	});
	const drills = new Drills({ incidents, duty, deliveries: options.deliveries, clock, failures: metrics.drillFailures });
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
		['drill', () => drills.turn()],
		['faults', faults],
		['copy', () => copies.copyAll()],
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
		drill: (by) => drills.start(by),
		nextDrillMs: () => drills.nextMs(),
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

/** Open, with a chain that has been gone through to its end. */
function isUnanswered({ state, chain, position, source }: Incident): boolean {
	if (state !== 'open' || chain === null || position === null || source.kind === 'drill') return false;
	return position.dueAtMs === null && isExhausted(chain, position);
}
