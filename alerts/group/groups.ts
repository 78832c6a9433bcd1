import type { Alert } from '../alert.ts';
import type { GroupLog } from '../ports.ts';
import { matchRoutes, type Route } from '../route/route.ts';
import { type GroupIdentity, groupIdentity } from './group-key.ts';

/** Alerts that are told together, and when it is next decided whether there is something to tell. */
export interface Group {
	readonly identity: GroupIdentity;
	readonly route: Pick<Route, 'groupWaitMs' | 'groupIntervalMs' | 'repeatIntervalMs' | 'muteTimeIntervals' | 'activeTimeIntervals'>;
	/** The configuration no longer leads here; kept until the recoveries that it owes are told. */
	readonly detached: boolean;
	readonly fingerprints: Set<string>;
	/** Alerts of which it is on record that this group's time holds them back. */
	readonly heldByTime: Set<string>;
	nextFlushAtMs: number;
}

/** All groups, and which alert is in which. Private state of the dispatcher, never shared. */
export class Groups {
	readonly #root: Route;
	readonly #groups = new Map<string, Group>();
	readonly #byAlert = new Map<string, Set<string>>();

	constructor(root: Route) {
		this.#root = root;
	}

	get size(): number {
		return this.#groups.size;
	}

	all(): Iterable<Group> {
		return this.#groups.values();
	}

	/** Puts a firing alert into its groups. A new group waits `group_wait` from the start of the alert, like Alertmanager. */
	place(alert: Alert, nowMs: number): void {
		for (const route of matchRoutes(this.#root, alert.labels)) {
			const identity = groupIdentity(route, alert.labels);
			let group = this.#groups.get(identity.id);
			if (group === undefined) {
				const waited = alert.startsAtMs + route.groupWaitMs <= nowMs;
				group = {
					identity,
					route,
					detached: false,
					fingerprints: new Set(),
					heldByTime: new Set(),
					nextFlushAtMs: waited ? nowMs : nowMs + route.groupWaitMs,
				};
				this.#groups.set(identity.id, group);
			}
			this.#join(group, alert.fingerprint);
		}
	}

	/**
	 * Gives a group what it has told before this process or configuration began, so that its recoveries go where the
	 * firings went. The route may be gone; then only recoveries are owed.
	 */
	owe(log: GroupLog, alerts: readonly Alert[], nowMs: number): void {
		let group = this.#groups.get(log.id);
		if (group === undefined) {
			const identity = { id: log.id, groupKey: log.groupKey, receiver: log.receiver, labels: log.labels };
			// All that it told may have resolved meanwhile; its route, and with it its times, hold all the same.
			const route = alerts
				.flatMap((alert) => matchRoutes(this.#root, alert.labels).map((found) => ({ found, id: groupIdentity(found, alert.labels).id })))
				.find(({ id }) => id === log.id)?.found;
			group = {
				identity,
				route: route ?? { ...this.#root, muteTimeIntervals: [], activeTimeIntervals: [] },
				detached: route === undefined,
				fingerprints: new Set(),
				heldByTime: new Set(),
				nextFlushAtMs: nowMs,
			};
			this.#groups.set(log.id, group);
		}
		for (const fingerprint of log.firing) this.#join(group, fingerprint);
	}

	/** An alert of this group has been told as resolved, or never needs to be. */
	leave(group: Group, fingerprint: string): void {
		group.fingerprints.delete(fingerprint);
		group.heldByTime.delete(fingerprint);
		const ids = this.#byAlert.get(fingerprint);
		ids?.delete(group.identity.id);
		if (ids?.size === 0) this.#byAlert.delete(fingerprint);
	}

	drop(group: Group): void {
		this.#groups.delete(group.identity.id);
	}

	#join(group: Group, fingerprint: string): void {
		group.fingerprints.add(fingerprint);
		const ids = this.#byAlert.get(fingerprint);
		if (ids === undefined) this.#byAlert.set(fingerprint, new Set([group.identity.id]));
		else ids.add(group.identity.id);
	}

	/** How many groups hold the alert. */
	heldBy(fingerprint: string): number {
		return this.#byAlert.get(fingerprint)?.size ?? 0;
	}
}
