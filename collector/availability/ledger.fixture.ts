import { systemClock } from '../../core/clock.ts';
import { configOrThrow } from '../../core/config-file.ts';
import { labelsFromObject } from '../../core/labels.ts';
import type { InventoryConfig } from '../inventory/config.ts';
import { parseInventoryFile } from '../inventory/inventory-yaml.ts';
import type { MemoryStorage } from '../storage/memory-storage.ts';
import { type AvailabilityOptions, createAvailability } from './availability.ts';
import type { Timeline } from './intervals.ts';

export const DAY = 86_400_000;
export const T0 = Date.parse('2026-11-10T00:00:00Z');
export const inventoryOf = (yaml: string): InventoryConfig =>
	configOrThrow(parseInventoryFile(`inventory:\n  zone: UTC\n${yaml}`, 'x.yml'));

export type Series = Readonly<Record<string, string>>;
export interface Span {
	readonly from: number;
	readonly to: number;
	readonly value: number;
}

/** One sample every `stepMs` of each span; times in seconds after T0. */
export async function write(storage: MemoryStorage, labels: Series, spans: readonly Span[], stepMs = 10_000): Promise<void> {
	const appender = storage.appender();
	const set = labelsFromObject({ job: 'probe', instance: 'x', ...labels });
	for (const { from, to, value } of spans) for (let t = T0 + from * 1000; t < T0 + to * 1000; t += stepMs) appender.append(set, t, value);
	await appender.commit();
}
export const check = (id: string, vantage = 'a') => ({ __name__: 'probe_success', check: id, vantage });
export const beat = (host: string) => ({ __name__: 'fournines_agent_last_push_timestamp_seconds', host, job: 'fournines_agent' });
export const COLLECTOR = { __name__: 'fournines_collector_up', job: 'fournines' };

export function open(storage: MemoryStorage, inventory: InventoryConfig, nowMs: number, more: Partial<AvailabilityOptions> = {}) {
	return createAvailability({ queryable: storage, inventory: () => inventory, clock: { ...systemClock, now: () => nowMs }, ...more });
}
export const draw = (timeline: Timeline) =>
	timeline.map(({ from, to, state, reason }) => `${from - T0 / 1000}-${to - T0 / 1000} ${state} ${reason}`.trim());
