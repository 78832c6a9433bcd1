import type { Clock } from '../core/clock.ts';
import { AppError, errorText } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';
import type { AlertSink, PostedAlert } from '../protocol/alert.ts';
import { type Alert, fingerprintOf, isFiring, type KeptAlert, severityRank } from './alert.ts';
import type { Delivery } from './delivery/delivery.ts';
import { type Group, Groups } from './group/groups.ts';
import type { Incidents } from './incident/incidents.ts';
import { type CompiledInhibitor, createInhibitor, type InhibitRule } from './inhibit/inhibit.ts';
import { createDependence, type Dependence, type DownRules, type Topology } from './inhibit/topology.ts';
import { mergePosts } from './intake.ts';
import type { AlertsMetrics } from './metrics.ts';
import type { Notifier } from './notify/notifier.ts';
import type { AlertStore, GroupLog } from './ports.ts';
import { PUT_OFF_MS, planRound, type RoundPlan } from './round.ts';
import { matchRoutes, type Route } from './route/route.ts';
import type { SerialQueue } from './serial-queue.ts';
import type { Silences } from './silence/silences.ts';
import { type FlapLimits, Flapping } from './stages/flap.ts';
import { inhibitStage, type MaintenanceHold, maintenanceStage, silenceStage, topologyStage } from './stages/mute.ts';
import type { Turn } from './stages/plan-turn.ts';
import { Storm } from './stages/storm.ts';
import { TurnLoop } from './turn-loop.ts';

/** The part of the configuration that dispatch works by, built and checked. */
export interface DispatchRules {
	readonly root: Route;
	readonly inhibitRules: readonly InhibitRule[];
	readonly down: DownRules;
	readonly notifiers: ReadonlyMap<string, readonly Notifier[]>;
	readonly flapping: FlapLimits;
	/** Messages a minute to one receiver and team before they become a digest. */
	readonly stormMessages: number;
	readonly resolveTimeoutMs: number;
	readonly maxAlerts: number;
	readonly maxOutbox: number;
	readonly retentionMs: number;
	readonly historyRetentionMs: number;
}

export interface DispatcherOptions {
	readonly store: AlertStore;
	readonly silences: Silences;
	readonly incidents: Incidents;
	/** Shared with incidents, so that no change sees half of another one. */
	readonly serial: SerialQueue;
	readonly delivery: Delivery;
	/** Default: nothing is under maintenance. */
	readonly maintenance?: MaintenanceHold;
	/** Default: nothing runs on anything. */
	readonly topology?: () => Topology;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: AlertsMetrics;
}

const NO_TOPOLOGY: Topology = { hosts: [], services: [] };
const LONGEST_SLEEP_MS = 60_000;
const PURGE_EVERY_MS = 3_600_000;
/** Later than this is no busy moment of the process any more. */
const SUSPENDED_MS = 30_000;
/** A round makes this many groups durable at a time, so that receiving never waits long. */
const GROUPS_PER_ROUND = 1000;

/** Keeps alerts and groups, and moves what is to be told into the outbox. All changes run one after the other. */
export class Dispatcher {
	readonly #options: DispatcherOptions;
	readonly #serial: SerialQueue;
	readonly #alerts = new Map<string, KeptAlert>();
	readonly #logs = new Map<string, GroupLog>();
	readonly #flapping = new Flapping();
	readonly #storm = new Storm();
	#moreGroups = false;
	#rules: DispatchRules;
	#groups: Groups;
	readonly #rounds: TurnLoop;
	#purgedAtMs = 0;

	constructor(options: DispatcherOptions, rules: DispatchRules) {
		this.#options = options;
		this.#serial = options.serial;
		this.#rules = rules;
		this.#groups = new Groups(rules.root);
		const { clock, log, metrics } = options;
		this.#rounds = new TurnLoop({
			clock,
			turn: () => this.#serial.runAlways(() => this.#round()),
			onError: (error) => {
				metrics.storeErrors.inc();
				log.error({ error: errorText(error) }, 'a round of dispatch failed; trying again');
			},
			retryMs: PUT_OFF_MS,
			afterSleep: (lateMs) => this.#forgive(lateMs),
		});
	}

	/** Takes up where the last process ended. */
	async load(): Promise<void> {
		const nowMs = this.#options.clock.now();
		const { store } = this.#options;
		for (const alert of await store.openAlerts()) {
			// Whoever posts alerts may have been down with us: nothing counts as expired before there was time to post again.
			const grace = alert.resolvedAtMs === null ? Math.max(alert.expiresAtMs, nowMs + this.#rules.resolveTimeoutMs) : alert.expiresAtMs;
			this.#alerts.set(alert.fingerprint, { ...alert, expiresAtMs: grace });
		}
		for (const log of await store.groupLogs()) this.#logs.set(log.id, log);
		const { flapping } = this.#rules;
		for (const turn of await store.turnsSince(nowMs - flapping.windowMs - flapping.calmAfterMs)) this.#flapping.record(turn, flapping);
		this.#regroup(nowMs);
	}

	start(): void {
		this.#rounds.start();
	}

	stop(): Promise<void> {
		return this.#rounds.stop();
	}

	/** Other routes, receivers and limits from now on. `exchange` runs while no round is in progress, before the new rules hold. */
	applyRules(rules: DispatchRules, exchange: () => Promise<void>): Promise<void> {
		return this.#serial.runAlways(async () => {
			await exchange();
			this.#rules = rules;
			this.#regroup(this.#options.clock.now());
			this.#rounds.wake();
		});
	}

	alerts(): readonly Alert[] {
		return [...this.#alerts.values()];
	}

	alert(fingerprint: string): Alert | undefined {
		return this.#alerts.get(fingerprint);
	}

	groups(): readonly { readonly group: Group; readonly alerts: readonly Alert[] }[] {
		return [...this.#groups.all()].map((group) => ({
			group,
			alerts: [...group.fingerprints].flatMap((fingerprint) => this.#alerts.get(fingerprint) ?? []),
		}));
	}

	receiversOf(labels: Readonly<Record<string, string>>): readonly string[] {
		return [...new Set(matchRoutes(this.#rules.root, labels).map((route) => route.receiver))];
	}

	/** Which alert inhibits or explains another one now; build it once per question about many alerts. */
	inhibitor(): CompiledInhibitor {
		const byRule = this.#byRule();
		const { rootOf } = this.#dependence();
		return (alert) => byRule(alert) ?? rootOf(alert);
	}

	#byRule(): CompiledInhibitor {
		return createInhibitor(this.#rules.inhibitRules, this.#alerts.values(), this.#options.clock.now());
	}

	#dependence(): Dependence {
		const topology = this.#options.topology?.() ?? NO_TOPOLOGY;
		return createDependence(topology, this.#rules.down, { alerts: this.#alerts.values(), nowMs: this.#options.clock.now() });
	}

	/** Resolves once everything is durable. Throws `FN_ALERTS_FULL` and `FN_ALERTS_BUSY`, both worth a retry, and then has taken nothing. */
	readonly receive: AlertSink = (posted) => this.#serial.run(() => this.#receive(posted));

	async #receive(posted: readonly PostedAlert[]): Promise<void> {
		const { clock, store, metrics } = this.#options;
		const nowMs = clock.now();
		const incoming = posted.map((alert) => ({ alert, fingerprint: fingerprintOf(alert.labels) }));
		const unknown = incoming.filter(({ fingerprint }) => !this.#alerts.has(fingerprint)).map(({ fingerprint }) => fingerprint);
		const closed = new Map((await store.findAlerts([...new Set(unknown)])).map((alert) => [alert.fingerprint, alert]));
		const { next, extended, write, events, finished, counts } = mergePosts(incoming, {
			nowMs,
			resolveTimeoutMs: this.#rules.resolveTimeoutMs,
			open: this.#alerts,
			closed,
			receiversOf: (labels) => this.receiversOf(labels),
		});
		const added = [...next.keys()].filter((fingerprint) => !this.#alerts.has(fingerprint)).length;
		if (this.#alerts.size + added > this.#rules.maxAlerts) {
			throw new AppError(
				'FN_ALERTS_FULL',
				`${added} new alerts would make more than alerts.max_alerts = ${this.#rules.maxAlerts}; raise it, or find out why so much fires`,
				{ retryable: true, status: 503 },
			);
		}
		if (write.length > 0) {
			await store.recordAlerts({ alerts: write, events });
			if (finished.length > 0) {
				await store.recordDispatch({
					atMs: nowMs,
					entries: [],
					logs: [],
					endedLogs: [],
					alerts: [],
					closed: finished,
					events: [],
					incidents: [],
				});
			}
		}
		for (const { fingerprint, kind, atMs } of events) {
			if (kind !== 'untold') this.#flapping.record({ fingerprint, atMs, firing: kind !== 'resolved' }, this.#rules.flapping);
		}
		for (const [fingerprint, expiresAtMs] of extended) {
			const alert = this.#alerts.get(fingerprint);
			if (alert === undefined) continue;
			alert.updatedAtMs = nowMs;
			this.#extend(alert, expiresAtMs, nowMs);
		}
		for (const [fingerprint, alert] of next) {
			this.#alerts.set(fingerprint, alert);
			if (isFiring(alert, nowMs)) this.#groups.place(alert, nowMs);
		}
		for (const [status, count] of Object.entries(counts)) if (count > 0) metrics.received.inc({ status }, count);
		metrics.open.set(this.#alerts.size);
		metrics.groups.set(this.#groups.size);
		if (write.length > 0) this.#rounds.wake();
	}

	/** What fires is in its groups since it began to; what looked expired may have been left out when they were made anew. */
	#extend(alert: KeptAlert, expiresAtMs: number, nowMs: number): void {
		const inItsGroups = isFiring(alert, nowMs);
		alert.expiresAtMs = expiresAtMs;
		if (inItsGroups || !isFiring(alert, nowMs)) return;
		this.#groups.place(alert, nowMs);
		this.#rounds.wake();
	}

	/** Sorts all alerts anew and remembers what each group has told. */
	#regroup(nowMs: number): void {
		this.#groups = new Groups(this.#rules.root);
		for (const alert of this.#alerts.values()) if (isFiring(alert, nowMs)) this.#groups.place(alert, nowMs);
		for (const log of this.#logs.values()) {
			const alerts = log.firing.flatMap((fingerprint) => this.#alerts.get(fingerprint) ?? []);
			this.#groups.owe(log, alerts, nowMs);
		}
		// Resolved and owed to nobody, or resolved within group_wait of a group that never told: a group must close them.
		for (const alert of this.#alerts.values()) {
			if (this.#groups.heldBy(alert.fingerprint) === 0) this.#groups.place(alert, nowMs);
		}
	}

	/**
	 * After a suspended machine or a clock that was set forward, alerts look expired although nobody had the chance to post
	 * them again; they get the lost time back instead of a false recovery.
	 */
	#forgive(lateMs: number): void {
		if (lateMs < SUSPENDED_MS) return;
		this.#options.log.warn({ lateMs }, 'time went by without us; alerts get it added to their life');
		const nowMs = this.#options.clock.now();
		for (const alert of this.#alerts.values()) {
			if (alert.resolvedAtMs === null) this.#extend(alert, alert.expiresAtMs + lateMs, nowMs);
		}
	}

	/** Gives every group whose time has come its turn; answers when the next one comes. */
	async #round(): Promise<number> {
		const { clock, store, delivery, metrics } = this.#options;
		const nowMs = clock.now();
		await this.#purge(nowMs);
		const due = [...this.#groups.all()].filter((group) => group.nextFlushAtMs <= nowMs);
		if (due.length > 0) {
			// When not everything fits, what matters most goes first.
			const ranked = due
				.map((group) => ({ group, rank: this.#rankOf(group) }))
				.sort((a, b) => a.rank - b.rank || a.group.nextFlushAtMs - b.group.nextFlushAtMs);
			this.#storm.beginRound(nowMs, this.#moreGroups);
			this.#moreGroups = ranked.length > GROUPS_PER_ROUND;
			const { turns, messages, events } = this.#plan(
				ranked.slice(0, GROUPS_PER_ROUND).map(({ group }) => group),
				nowMs,
			);
			const closed = this.#closedBy(turns);
			const entries = messages.flatMap((message) => message.entries);
			const incidents = this.#options.incidents.planRound(turns, messages, nowMs);
			await store.recordDispatch({
				atMs: nowMs,
				entries,
				logs: turns.flatMap((turn) => (turn.log !== null && turn.log !== this.#logs.get(turn.group.identity.id) ? [turn.log] : [])),
				endedLogs: turns.flatMap((turn) => (turn.log === null && this.#logs.has(turn.group.identity.id) ? [turn.group.identity.id] : [])),
				alerts: [...new Map(turns.flatMap((turn) => turn.alerts.map((alert) => [alert.fingerprint, alert] as const))).values()],
				closed,
				events: [...turns.flatMap((turn) => turn.events), ...events],
				incidents,
			});
			this.#apply(turns, closed, nowMs);
			this.#options.incidents.applied(incidents);
			for (const entry of entries) metrics.notifications.inc({ reason: entry.notification.reason });
			delivery.enqueue(entries);
			metrics.open.set(this.#alerts.size);
			metrics.groups.set(this.#groups.size);
			metrics.suppressed.set([...this.#alerts.values()].filter((alert) => alert.mutedBy !== '').length);
		}
		metrics.outbox.set(delivery.pending);
		let nextMs = nowMs + LONGEST_SLEEP_MS;
		for (const group of this.#groups.all()) nextMs = Math.min(nextMs, group.nextFlushAtMs);
		return nextMs;
	}

	#plan(groups: readonly Group[], nowMs: number): RoundPlan {
		const { silences, delivery, metrics, log, maintenance } = this.#options;
		const { flapping, notifiers, maxOutbox, stormMessages } = this.#rules;
		const dependence = this.#dependence();
		const mutes = [inhibitStage(this.#byRule()), topologyStage(dependence), silenceStage(silences, nowMs)];
		if (maintenance !== undefined) mutes.push(maintenanceStage(maintenance, nowMs));
		return planRound(groups, {
			nowMs,
			alerts: this.#alerts,
			logs: this.#logs,
			mutes,
			consequencesOf: dependence.consequencesOf,
			isFlapping: (fingerprint) => this.#flapping.isFlapping(fingerprint, nowMs, flapping),
			notifiers,
			storm: this.#storm,
			stormMessages,
			queued: delivery.pending,
			maxOutbox,
			nextNumber: delivery.nextNumber,
			metrics,
			log,
		});
	}

	/** Resolved alerts that no group will hold once these plans are carried out. */
	#closedBy(turns: readonly Turn[]): string[] {
		const leaving = new Map<string, number>();
		for (const turn of turns) for (const fingerprint of turn.leaving) leaving.set(fingerprint, (leaving.get(fingerprint) ?? 0) + 1);
		return [...leaving].filter(([fingerprint, count]) => this.#groups.heldBy(fingerprint) <= count).map(([fingerprint]) => fingerprint);
	}

	#apply(turns: readonly Turn[], closed: readonly string[], nowMs: number): void {
		for (const turn of turns) {
			const { group } = turn;
			for (const alert of turn.alerts) this.#alerts.set(alert.fingerprint, alert);
			for (const fingerprint of turn.heldByTime) group.heldByTime.add(fingerprint);
			for (const { fingerprint, kind, atMs } of turn.events) {
				if (kind === 'expired') this.#flapping.record({ fingerprint, atMs, firing: false }, this.#rules.flapping);
			}
			for (const fingerprint of turn.leaving) this.#groups.leave(group, fingerprint);
			if (turn.log === null) this.#logs.delete(group.identity.id);
			else this.#logs.set(group.identity.id, turn.log);
			group.nextFlushAtMs = nowMs + group.route.groupIntervalMs;
			if (group.fingerprints.size === 0) this.#groups.drop(group);
		}
		for (const fingerprint of closed) this.#alerts.delete(fingerprint);
	}

	#rankOf(group: Group): number {
		let rank = Number.MAX_SAFE_INTEGER;
		for (const fingerprint of group.fingerprints) {
			const alert = this.#alerts.get(fingerprint);
			if (alert !== undefined) rank = Math.min(rank, severityRank(alert.labels));
		}
		return rank;
	}

	async #purge(nowMs: number): Promise<void> {
		if (nowMs - this.#purgedAtMs < PURGE_EVERY_MS) return;
		this.#purgedAtMs = nowMs;
		this.#flapping.forget(nowMs, this.#rules.flapping);
		await this.#options.store.purge({
			closedBeforeMs: nowMs - this.#rules.retentionMs,
			eventsBeforeMs: nowMs - this.#rules.historyRetentionMs,
		});
	}
}
