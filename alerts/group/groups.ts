import type { Alert } from '../alert.ts';
import type { GroupLog } from '../ports.ts';
import { matchRoutes, type Route } from '../route/route.ts';
import { type GroupIdentity, groupIdentity, groupKeyOf, groupName } from './group-key.ts';

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
	/** By `groupName`: most alerts of a post join a group that is there, and need no hash for that. */
	readonly #groups = new Map<string, Group>();
	readonly #holders = new Map<string, number>();

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
			const name = groupName({ receiver: route.receiver, groupKey: groupKeyOf(route, alert.labels) });
			let group = this.#groups.get(name);
			if (group === undefined) {
				const waited = alert.startsAtMs + route.groupWaitMs <= nowMs;
				group = {
					identity: groupIdentity(route, alert.labels),
					route,
					detached: false,
					fingerprints: new Set(),
					heldByTime: new Set(),
					nextFlushAtMs: waited ? nowMs : nowMs + route.groupWaitMs,
				};
				this.#groups.set(name, group);
			}
			this.#join(group, alert.fingerprint);
		}
	}

	/**
	 * Gives a group what it has told before this process or configuration began, so that its recoveries go where the
	 * firings went. The route may be gone; then only recoveries are owed.
	 */
	owe(log: GroupLog, alerts: readonly Alert[], nowMs: number): void {
		const name = groupName(log);
		let group = this.#groups.get(name);
		if (group === undefined) {
			const identity = { id: log.id, groupKey: log.groupKey, receiver: log.receiver, labels: log.labels };
			// All that it told may have resolved meanwhile; its route, and with it its times, hold all the same.
			const route = alerts
				.flatMap(({ labels }) => matchRoutes(this.#root, labels).map((found) => ({ found, groupKey: groupKeyOf(found, labels) })))
				.find(({ found, groupKey }) => groupName({ receiver: found.receiver, groupKey }) === name)?.found;
			group = {
				identity,
				route: route ?? { ...this.#root, muteTimeIntervals: [], activeTimeIntervals: [] },
				detached: route === undefined,
				fingerprints: new Set(),
				heldByTime: new Set(),
				nextFlushAtMs: nowMs,
			};
			this.#groups.set(name, group);
		}
		for (const fingerprint of log.firing) this.#join(group, fingerprint);
	}

	/** An alert of this group has been told as resolved, or never needs to be. */
	leave(group: Group, fingerprint: string): void {
		group.heldByTime.delete(fingerprint);
		if (!group.fingerprints.delete(fingerprint)) return;
		const left = this.heldBy(fingerprint) - 1;
		if (left === 0) this.#holders.delete(fingerprint);
		else this.#holders.set(fingerprint, left);
	}

	drop(group: Group): void {
		this.#groups.delete(groupName(group.identity));
	}

	#join(group: Group, fingerprint: string): void {
		if (group.fingerprints.has(fingerprint)) return;
		group.fingerprints.add(fingerprint);
		this.#holders.set(fingerprint, this.heldBy(fingerprint) + 1);
	}

	/** How many groups hold the alert. */
	heldBy(fingerprint: string): number {
		return this.#holders.get(fingerprint) ?? 0;
	}
}
