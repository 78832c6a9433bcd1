import { labelValue } from '../../core/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import type { SecondSpan } from '../inventory/calendar.ts';
import type { InventoryConfig } from '../inventory/config.ts';
import type { Queryable } from '../storage/storage.ts';
import type { Timeline } from './intervals.ts';
import { equals } from './matchers.ts';
import { gapsBetween, intersect, type SilenceFacts } from './silence.ts';

/** The collector writes its own life at this pace; a gap of three beats means that it was not running. */
export const COLLECTOR_BEAT_MS = 5000;
export const COLLECTOR_BEAT_METRIC = 'fournines_collector_up';
const AGENT_BEAT_METRIC = 'fournines_agent_last_push_timestamp_seconds';
/** An agent that has not delivered for this long is silent. */
const AGENT_HOLD_MS = 60_000;
/** An agent that delivered within this time before the window is one that should. */
const AGENT_KNOWN_MS = 86_400_000;

/** Reads what explains silence in the window. `hostStates` are the timelines of the checks that hosts name in the inventory. */
export async function readSilenceFacts(
	queryable: Queryable,
	sources: {
		readonly inventory: InventoryConfig;
		readonly window: SecondSpan;
		readonly hostStates: ReadonlyMap<string, Timeline>;
		readonly signal?: AbortSignal;
	},
): Promise<SilenceFacts> {
	const { inventory, window, hostStates, signal } = sources;
	const options = signal === undefined ? {} : { signal };
	const fromMs = window.from * 1000;
	const toMs = window.to * 1000;
	const own = await queryable.select([equals(METRIC_NAME, COLLECTOR_BEAT_METRIC)], fromMs - COLLECTOR_BEAT_MS * 3, toMs, options);
	const collectorGaps = gapsBetween(
		own.flatMap((series) => [...series.timestamps]),
		window,
		COLLECTOR_BEAT_MS * 3,
	);
	const beats = new Map<string, number[]>();
	for (const series of await queryable.select([equals(METRIC_NAME, AGENT_BEAT_METRIC)], fromMs - AGENT_KNOWN_MS, toMs, options)) {
		const host = labelValue(series.labels, 'host') || labelValue(series.labels, 'instance');
		beats.set(host, [...(beats.get(host) ?? []), ...series.timestamps]);
	}
	const agentGaps = new Map([...beats].map(([host, times]) => [host, gapsBetween(times, window, AGENT_HOLD_MS)] as const));
	const zones = new Map<string, string[]>();
	for (const { id, zone } of inventory.hosts) if (zone !== '' && agentGaps.has(id)) zones.set(zone, [...(zones.get(zone) ?? []), id]);
	const zoneGaps = new Map<string, { zone: string; gaps: readonly SecondSpan[] }>();
	for (const [zone, hosts] of zones) {
		if (hosts.length < 2) continue;
		const gaps = hosts.map((host) => agentGaps.get(host) ?? []).reduce(intersect);
		for (const host of hosts) zoneGaps.set(host, { zone, gaps });
	}
	return { collectorGaps, agentGaps, hostStates, zoneGaps };
}
