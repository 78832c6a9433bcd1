import { type Alert, compareAlerts, isFiring } from '../alert.ts';
import { type Matcher, matchesAll } from '../route/matcher.ts';

/** What runs on what, and what a service is made of; the collector's inventory is one. */
export interface Topology {
	readonly hosts: readonly {
		readonly id: string;
		/** The machine that this one runs on. */
		readonly on?: string;
		/** The check that probes the machine itself. */
		readonly check?: string;
		readonly addresses: readonly string[];
	}[];
	readonly services: readonly {
		readonly id: string;
		readonly checks: readonly string[];
		/** Services that it needs. */
		readonly children: readonly string[];
	}[];
}

/** Which alerts say that a machine or a service is down. */
export interface DownRules {
	readonly hostDown: readonly Matcher[];
	readonly serviceDown: readonly Matcher[];
}

/** What stands still because of what, at one moment. */
export interface Dependence {
	/** Fingerprint of the root cause that explains this alert, or `null`. Never its own. */
	rootOf(alert: Alert): string | null;
	/** Alerts that this one explains, most severe first. */
	consequencesOf(fingerprint: string): readonly Alert[];
}

const NOTHING: Dependence = { rootOf: () => null, consequencesOf: () => [] };
/** Machines on machines, and services of services; deeper is a mistake in the inventory. */
const MAX_DEPTH = 32;

interface Places {
	readonly hostOf: ReadonlyMap<string, string>;
	readonly below: ReadonlyMap<string, string>;
	readonly hostByCheck: ReadonlyMap<string, string>;
	readonly servicesByCheck: ReadonlyMap<string, readonly string[]>;
	readonly children: ReadonlyMap<string, readonly string[]>;
}

const compiled = new WeakMap<Topology, Places>();

/** A host that is down hides what runs on it; a service that is down hides the services that need it. Everything hidden is listed under its root. */
export function createDependence(
	topology: Topology,
	rules: DownRules,
	world: { readonly alerts: Iterable<Alert>; readonly nowMs: number },
): Dependence {
	if (topology.hosts.length === 0 && topology.services.length === 0) return NOTHING;
	const places = placesOf(topology);
	const firing = [...world.alerts].filter((alert) => isFiring(alert, world.nowMs)).sort(compareAlerts);
	const downHosts = new Map<string, Alert>();
	const downServices = new Map<string, Alert>();
	for (const alert of firing) {
		const host = downHost(alert, rules, places);
		if (host !== '' && !downHosts.has(host)) downHosts.set(host, alert);
		if (!matchesAll(rules.serviceDown, alert.labels)) continue;
		for (const service of ownServices(alert, places)) if (!downServices.has(service)) downServices.set(service, alert);
	}
	if (downHosts.size === 0 && downServices.size === 0) return NOTHING;
	const cause = (alert: Alert): Alert | null =>
		causeByHost(alert, { rules, places, downHosts }) ?? causeByService(alert, { places, downServices });
	const rootOf = (alert: Alert): string | null => {
		let root: Alert | null = null;
		const seen = new Set([alert.fingerprint]);
		for (let next = cause(alert); next !== null && !seen.has(next.fingerprint); next = cause(next)) {
			seen.add(next.fingerprint);
			root = next;
		}
		return root?.fingerprint ?? null;
	};
	let consequences: Map<string, Alert[]> | null = null;
	return {
		rootOf,
		consequencesOf: (fingerprint) => {
			if (consequences === null) {
				consequences = new Map();
				for (const alert of firing) {
					const root = rootOf(alert);
					if (root === null) continue;
					const known = consequences.get(root);
					if (known === undefined) consequences.set(root, [alert]);
					else known.push(alert);
				}
			}
			return consequences.get(fingerprint) ?? [];
		},
	};
}

function placesOf(topology: Topology): Places {
	const known = compiled.get(topology);
	if (known !== undefined) return known;
	const hostOf = new Map<string, string>();
	const below = new Map<string, string>();
	const hostByCheck = new Map<string, string>();
	const servicesByCheck = new Map<string, string[]>();
	for (const { id, on, check, addresses } of topology.hosts) {
		for (const name of [id, ...addresses]) hostOf.set(name, id);
		if (on !== undefined) below.set(id, on);
		if (check !== undefined) hostByCheck.set(check, id);
	}
	for (const { id, checks } of topology.services) {
		for (const check of checks) servicesByCheck.set(check, [...(servicesByCheck.get(check) ?? []), id]);
	}
	const children = new Map(topology.services.map((service) => [service.id, service.children]));
	const places = { hostOf, below, hostByCheck, servicesByCheck, children };
	compiled.set(topology, places);
	return places;
}

/** The host that this alert says is down, or `''`. */
function downHost(alert: Alert, rules: DownRules, places: Places): string {
	if (!matchesAll(rules.hostDown, alert.labels)) return '';
	const check = alert.labels['check'] ?? '';
	// A check counts where the inventory says that it probes the machine; any other one speaks of what runs there.
	if (check !== '') return places.hostByCheck.get(check) ?? '';
	return hostOfAlert(alert, places);
}

/** Where an alert's subject runs. A check carries the name of the host that probes, so its target decides. */
function hostOfAlert(alert: Alert, places: Places): string {
	const { check = '', host = '', instance = '' } = alert.labels;
	const own = check === '' ? places.hostOf.get(host) : places.hostByCheck.get(check);
	return own ?? places.hostOf.get(targetOf(instance)) ?? '';
}

/** `https://10.0.0.1:8443/x`, `10.0.0.1:80` and `app-1` without what is around the name. */
function targetOf(instance: string): string {
	const bare = instance.replace(/^[a-z]+:\/\//i, '').split('/', 1)[0] ?? '';
	return bare.startsWith('[') ? bare.slice(1, bare.indexOf(']')) : (bare.split(':', 1)[0] ?? '');
}

function causeByHost(
	alert: Alert,
	context: { readonly rules: DownRules; readonly places: Places; readonly downHosts: ReadonlyMap<string, Alert> },
): Alert | null {
	const { places, downHosts } = context;
	const own = downHost(alert, context.rules, places);
	// What says that a machine is down can only be explained by the machine below it.
	let host = own === '' ? hostOfAlert(alert, places) : (places.below.get(own) ?? '');
	for (let depth = 0; host !== '' && depth < MAX_DEPTH; depth++) {
		const down = downHosts.get(host);
		if (down !== undefined && down.fingerprint !== alert.fingerprint) return down;
		host = places.below.get(host) ?? '';
	}
	return null;
}

function ownServices(alert: Alert, places: Places): readonly string[] {
	const { service = '', check = '' } = alert.labels;
	return [...(service === '' ? [] : [service]), ...(places.servicesByCheck.get(check) ?? [])];
}

/** The deepest service below one of the alert's own that is down by another alert. */
function causeByService(
	alert: Alert,
	{ places, downServices }: { readonly places: Places; readonly downServices: ReadonlyMap<string, Alert> },
): Alert | null {
	const own = ownServices(alert, places);
	let layer = [...own];
	const seen = new Set(own);
	let found: Alert | null = null;
	for (let depth = 0; layer.length > 0 && depth < MAX_DEPTH; depth++) {
		const next: string[] = [];
		for (const service of layer) {
			for (const child of places.children.get(service) ?? []) {
				if (seen.has(child)) continue;
				seen.add(child);
				next.push(child);
				const down = downServices.get(child);
				if (down !== undefined && down.fingerprint !== alert.fingerprint) found = down;
			}
		}
		layer = next;
	}
	return found;
}
