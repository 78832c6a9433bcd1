import type { Clock } from '../../core/clock.ts';
import type { Availability } from '../availability/availability.ts';
import type { Timeline } from '../availability/intervals.ts';
import { edgeSeconds, longestIntervalMs, serviceTree } from '../availability/service-tree.ts';
import { outagesOf, type UnknownAs } from '../availability/unknown-time.ts';
import type { InventoryConfig } from '../inventory/config.ts';
import type { FaultWatchOptions, WatchedOutage } from './fault-watch.ts';
import { type ExplainedOutage, explainOutages, type Outage, type OutageNode, ownParts } from './outage-causes.ts';

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
	/** How the contract that grades by minutes counts unknown time. */
	readonly unknownOf: (service: string) => UnknownAs;
	readonly clock: Clock;
}): FaultWatchOptions['outages'] {
	const { availability, inventory, contractOf, unknownOf, clock } = options;
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
		let timelines = timelinesOf(await availability.ledgers(range, undefined, signal));
		let found = outagesByService(timelines);
		const fromSeconds = Math.floor(fromMs / 1000);
		// Two that both reach back beyond would seem to have begun together, and the one to follow from the other.
		if ([...found.values()].flat().some((outage) => outage.fromSeconds === fromSeconds)) {
			range = { fromMs: Math.min(fromMs, nowMs - FURTHEST_MS), toMs: nowMs };
			timelines = timelinesOf(await availability.ledgers(range, undefined, signal));
			found = outagesByService(timelines);
		}
		const isDown = (id: string): boolean => (found.get(id) ?? []).length > 0;
		const asked = config.services.filter(({ id, children }) => isDown(id) && children.some(isDown)).map(({ id }) => id);
		let own: ReadonlyMap<string, readonly Outage[]> = new Map();
		if (asked.length > 0) {
			const parts = partsOf(config);
			const ids = asked.filter((id) => parts.own.services.some((service) => service.id === id));
			own = outagesByService(timelinesOf(ids.length === 0 ? [] : await parts.ledgers.ledgers(range, ids, signal)));
		}
		const names = new Map(config.services.map(({ id, name }) => [id, name]));
		const nodes = config.services.map((service): OutageNode => {
			const { id, children } = service;
			const tree = serviceTree(config, service);
			return {
				service: id,
				children,
				contract: contractOf(id),
				edgeSeconds: edgeSeconds(config, tree),
				doubtSeconds: longestIntervalMs(config, tree) / 1000,
				outages: found.get(id) ?? [],
				own: asked.includes(id) ? (own.get(id) ?? []) : (found.get(id) ?? []),
			};
		});
		return explainOutages(nodes, Math.floor(nowMs / 1000))
			.filter(({ toSeconds }) => toSeconds === null || toSeconds > fromSeconds)
			.map((outage) => ({
				...outage,
				name: names.get(outage.service) ?? outage.service,
				gradedSeconds: gradedSeconds(timelines.get(outage.service) ?? [], outage, unknownOf(outage.service)),
			}));
	};
}

function timelinesOf(ledgers: Awaited<ReturnType<Availability['ledgers']>>): ReadonlyMap<string, Timeline> {
	return new Map(ledgers.map(({ service, timeline }) => [service.id, timeline]));
}

function outagesByService(timelines: ReadonlyMap<string, Timeline>): ReadonlyMap<string, readonly Outage[]> {
	return new Map(
		[...timelines].map(([service, timeline]) => [
			service,
			outagesOf(timeline).map(({ fromSeconds, toSeconds }) => ({ service, fromSeconds, toSeconds })),
		]),
	);
}

/** Of the outage from where this part of it begins, in the contract's reading of unknown time: its longest stretch. */
function gradedSeconds(timeline: Timeline, { fromSeconds, whole }: ExplainedOutage, unknown: UnknownAs): number {
	const isRest = fromSeconds > whole.fromSeconds;
	const known = isRest
		? timeline.filter(({ to }) => to > fromSeconds).map((one) => (one.from < fromSeconds ? { ...one, from: fromSeconds } : one))
		: timeline;
	const stretches = outagesOf(known, unknown).filter(
		(one) => one.fromSeconds < (whole.toSeconds ?? Number.POSITIVE_INFINITY) && (one.toSeconds ?? Number.POSITIVE_INFINITY) > fromSeconds,
	);
	return Math.max(0, ...stretches.map(({ downSeconds }) => downSeconds));
}
