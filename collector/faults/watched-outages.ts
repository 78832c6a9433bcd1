import type { Clock } from '../../core/clock.ts';
import type { Availability } from '../availability/availability.ts';
import type { Timeline } from '../availability/intervals.ts';
import { edgeSeconds, longestIntervalMs, serviceTree } from '../availability/service-tree.ts';
import { outagesOf, type UnknownAs } from '../availability/unknown-time.ts';
import type { CausedOutage } from '../contracts/service-figures.ts';
import type { InventoryConfig } from '../inventory/config.ts';
import type { WatchedOutage } from './fault-watch.ts';
import { type ExplainedOutage, explainOutages, type Outage, type OutageNode, ownParts } from './outage-causes.ts';

/** So far back the beginning is looked for of an outage that lasts longer than whoever asks looks back. */
const FURTHEST_MS = 31 * 86_400_000;

/** Outages of all services that touch the time since `fromMs`, as they are known at `toMs`; the present moment at most, and by default. */
export type OutagesBetween = (fromMs: number, signal: AbortSignal, toMs?: number) => Promise<readonly WatchedOutage[]>;

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
}): OutagesBetween {
	const { availability, inventory, contractOf, unknownOf, clock } = options;
	let known: { readonly of: InventoryConfig; readonly own: InventoryConfig; readonly ledgers: Pick<Availability, 'ledgers'> } | null = null;
	const partsOf = (config: InventoryConfig) => {
		if (known?.of !== config) {
			const own = ownParts(config);
			known = { of: config, own, ledgers: options.parts(own) };
		}
		return known;
	};
	return async (fromMs, signal, untilMs) => {
		const config = inventory();
		const toMs = Math.min(clock.now(), untilMs ?? Number.POSITIVE_INFINITY);
		if (toMs <= fromMs) return [];
		let range = { fromMs, toMs };
		let timelines = timelinesOf(await availability.ledgers(range, undefined, signal));
		let found = outagesByService(timelines);
		const fromSeconds = Math.floor(fromMs / 1000);
		// Two that both reach back beyond would seem to have begun together, and the one to follow from the other.
		if ([...found.values()].flat().some((outage) => outage.fromSeconds === fromSeconds)) {
			range = { fromMs: Math.min(fromMs, toMs - FURTHEST_MS), toMs };
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
		return explainOutages(nodes, Math.floor(toMs / 1000))
			.filter(({ toSeconds }) => toSeconds === null || toSeconds > fromSeconds)
			.map((outage) => ({
				...outage,
				name: names.get(outage.service) ?? outage.service,
				gradedSeconds: gradedSeconds(timelines.get(outage.service) ?? [], outage, unknownOf(outage.service)),
			}));
	};
}

/** Outages that others explain, all or the beginning of them, for whoever prices them. */
export function causedOutages(outages: readonly WatchedOutage[]): readonly CausedOutage[] {
	return outages.flatMap(({ service, whole, roots = [] }) => {
		const causes = roots.filter((root) => root.service !== service);
		return whole === undefined || causes.length === 0 ? [] : [{ ...whole, causes }];
	});
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
