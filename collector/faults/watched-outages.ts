import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import type { Availability } from '../availability/availability.ts';
import { outagesOf } from '../contracts/service-figures.ts';
import type { InventoryConfig } from '../inventory/config.ts';
import type { FaultWatchOptions, WatchedOutage } from './fault-watch.ts';
import { explainOutages, type Outage, type OutageNode, ownParts } from './outage-causes.ts';

/** A sample holds for three intervals of its check: by so much two checks may see one event at different times. */
const HOLD_INTERVALS = 3;
const DEFAULT_INTERVAL_MS = 10_000;
/** So far back the beginning is looked for of an outage that lasts longer than whoever asks looks back. */
const FURTHEST_MS = 31 * 86_400_000;

/**
 * Outages of all services with what each is told by. `parts` gives the ledgers of an inventory in which nothing below a service fails;
 * they are computed only while a service is down together with one below it.
 */
export function watchedOutages(options: {
	readonly availability: Pick<Availability, 'ledgers'>;
	readonly parts: (inventory: InventoryConfig) => Pick<Availability, 'ledgers'>;
	readonly inventory: () => InventoryConfig;
	readonly contractOf: (service: string) => string;
	readonly clock: Clock;
}): FaultWatchOptions['outages'] {
	const { availability, inventory, contractOf, clock } = options;
	let known: { readonly of: InventoryConfig; readonly own: InventoryConfig; readonly ledgers: Pick<Availability, 'ledgers'> } | null = null;
	const partsOf = (config: InventoryConfig) => {
		if (known?.of !== config) {
			const own = ownParts(config);
			known = { of: config, own, ledgers: options.parts(own) };
		}
		return known;
	};
	return async (fromMs, signal): Promise<readonly WatchedOutage[]> => {
		const config = inventory();
		const nowMs = clock.now();
		let range = { fromMs, toMs: nowMs };
		let found = outagesByService(await availability.ledgers(range, undefined, signal));
		const fromSeconds = Math.floor(fromMs / 1000);
		// Two that both reach back beyond would seem to have begun together, and the one to follow from the other.
		if ([...found.values()].flat().some((outage) => outage.fromSeconds === fromSeconds)) {
			range = { fromMs: Math.min(fromMs, nowMs - FURTHEST_MS), toMs: nowMs };
			found = outagesByService(await availability.ledgers(range, undefined, signal));
		}
		const isDown = (id: string): boolean => (found.get(id) ?? []).length > 0;
		const asked = config.services.filter(({ id, children }) => isDown(id) && children.some(isDown)).map(({ id }) => id);
		let own: ReadonlyMap<string, readonly Outage[]> = new Map();
		if (asked.length > 0) {
			const parts = partsOf(config);
			const ids = asked.filter((id) => parts.own.services.some((service) => service.id === id));
			own = outagesByService(ids.length === 0 ? [] : await parts.ledgers.ledgers(range, ids, signal));
		}
		const names = new Map(config.services.map(({ id, name }) => [id, name]));
		const nodes = config.services.map(
			({ id, children }): OutageNode => ({
				service: id,
				children,
				contract: contractOf(id),
				edgeSeconds: (HOLD_INTERVALS * longestIntervalMs(config, id)) / 1000,
				outages: found.get(id) ?? [],
				own: asked.includes(id) ? (own.get(id) ?? []) : (found.get(id) ?? []),
			}),
		);
		return explainOutages(nodes, Math.floor(nowMs / 1000))
			.filter(({ toSeconds }) => toSeconds === null || toSeconds > fromSeconds)
			.map((outage) => ({ ...outage, name: names.get(outage.service) ?? outage.service }));
	};
}

function outagesByService(ledgers: Awaited<ReturnType<Availability['ledgers']>>): ReadonlyMap<string, readonly Outage[]> {
	return new Map(
		ledgers.map((ledger) => {
			const service = ledger.service.id;
			return [service, outagesOf(ledger).map(({ fromSeconds, toSeconds }) => ({ service, fromSeconds, toSeconds }))];
		}),
	);
}

/** Of all checks and conditions that the service's state follows from. */
function longestIntervalMs(config: InventoryConfig, id: string): number {
	const service = config.services.find((candidate) => candidate.id === id);
	if (service === undefined) return 0;
	const { checks, children, combine } = service;
	const condition = typeof combine === 'object' && 'promql' in combine ? parseDuration(combine.interval ?? '10s') : 0;
	const own = checks.map((check) => {
		const interval = config.checks.find((candidate) => candidate.id === check)?.interval;
		return interval === undefined ? DEFAULT_INTERVAL_MS : parseDuration(interval);
	});
	return Math.max(condition, ...own, ...children.map((child) => longestIntervalMs(config, child)));
}
