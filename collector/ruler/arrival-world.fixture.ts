import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { labelsFromObject } from '../../core/labels.ts';
import { silentLogger } from '../../core/log.ts';
import { createManualClock, type ManualClock } from '../../tests/harness/manual-clock.ts';
import { temporaryFolder } from '../../tests/harness/process.ts';
import { createEngine, type Engine } from '../promql/engine.ts';
import { ArrivalMarks } from '../storage/arrival-marks.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import type { RunningRule } from './group.ts';
import { createRuler, type Ruler, type RulerOptions } from './ruler.ts';
import { groupOffset, slotAt } from './schedule.ts';

export interface ArrivalWorld {
	readonly clock: ManualClock;
	readonly storage: MemoryStorage;
	readonly arrivals: ArrivalMarks;
	readonly registry: Registry;
	readonly ruler: Ruler;
	/** Every alert that was handed over: its name, `-` before a recovery, behind it the instance when there is one. */
	readonly told: { readonly what: string; readonly atMs: number }[];
	/** A sample that arrives now. */
	push(metric: string, value: number | null, labels?: Readonly<Record<string, string>>, ageMs?: number): void;
	rule(name: string): RunningRule;
	/** Replaces the rules. */
	reload(rules: string): Promise<void>;
	stop(): Promise<void>;
}

/** A ruler on a clock that moves when told; no slot of any group comes within the next `quietMs`. */
export async function createArrivalWorld(
	rules: string,
	{ quietMs = 5000, wrap, earlier, ...options }: WorldOptions = {},
): Promise<ArrivalWorld> {
	const folder = temporaryFolder('arrivals');
	const clock = earlier?.clock ?? createManualClock();
	const arrivals = earlier?.arrivals ?? new ArrivalMarks();
	const kept = earlier?.storage ?? createMemoryStorage({ arrivals, now: () => clock.now() });
	const registry = new Registry();
	const engine = createEngine({ queryable: kept, clock });
	const told: { readonly what: string; readonly atMs: number }[] = [];
	const ruler = createRuler({
		engine: wrap?.(engine, clock) ?? engine,
		appendable: kept,
		sink: async (alerts) => {
			for (const { labels, endsAtMs } of alerts) {
				const sign = (endsAtMs ?? 0) > clock.now() ? '' : '-';
				told.push({ what: [sign + labels['alertname'], labels['instance'] ?? []].flat().join(' '), atMs: clock.now() });
			}
		},
		clock,
		log: silentLogger,
		metrics: registry,
		externalUrl: '',
		arrivals,
		...options,
	});
	const file = join(folder.path, 'rules.yml');
	const load = (text: string) => {
		writeFileSync(file, text);
		return ruler.load([file]);
	};
	await load(rules);
	ruler.start();
	// Slots lie where the hash of the file's name puts them.
	const near = () =>
		ruler.groups().some(({ definition, intervalMs }) => {
			const offsetMs = groupOffset(definition.file, definition.name, intervalMs);
			return slotAt(clock.now(), intervalMs, offsetMs) !== slotAt(clock.now() + quietMs, intervalMs, offsetMs);
		});
	await clock.advance(60_000);
	while (near()) await clock.advance(1000);
	return {
		clock,
		storage: kept,
		arrivals,
		registry,
		ruler,
		told,
		push: (metric, value, labels = {}, ageMs = 0) =>
			kept.add(labelsFromObject({ __name__: metric, ...labels }), clock.now() - ageMs, value),
		rule: (name) => {
			const found = ruler
				.groups()
				.flatMap((group) => group.rules)
				.find(({ definition }) => definition.name === name);
			if (found === undefined) throw new Error(`there is no rule ${name}`);
			return found;
		},
		reload: load,
		stop: async () => {
			await ruler.stop();
			folder.remove();
		},
	};
}

export interface WorldOptions
	extends Partial<Pick<RulerOptions, 'arrivalShare' | 'arrivalSettleMs' | 'arrivalGapMs' | 'outageToleranceMs'>> {
	readonly quietMs?: number;
	/** Sees every query of the ruler. */
	readonly wrap?: (engine: Engine, clock: ManualClock) => Engine;
	/** What was stored by this one, which has been stopped, is there, and its clock goes on. */
	readonly earlier?: ArrivalWorld;
}
