import type { Clock } from '../../core/clock.ts';
import { compareLabels, withLabel } from '../../core/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import { type Expr, walk } from '../promql/ast.ts';
import { createEngine, type Engine } from '../promql/engine.ts';
import { createMemoryStorage, type MemoryStorage } from '../storage/memory-storage.ts';
import type { Matcher, Queryable, SelectOptions } from '../storage/storage.ts';
import type { RecordingDefinition } from './rule-file.ts';

/** Points that are evaluated at once; the most that a range query gives. */
const POINTS = 10_000;
/** How far back an instant selector looks. */
const LOOKBACK_MS = 300_000;

export interface PastRecording {
	readonly definition: RecordingDefinition;
	readonly stepMs: number;
}

export interface PastOptions {
	/** The stored past. */
	readonly queryable: Queryable;
	readonly clock: Clock;
	readonly fromMs: number;
	readonly toMs: number;
}

/**
 * An engine over the past as it would have been with these recording rules, which are evaluated in their order first. What they record hides stored
 * series of the same names.
 */
export async function recordPast(recordings: readonly PastRecording[], options: PastOptions): Promise<Engine> {
	const recorded = createMemoryStorage();
	const names = new Set(recordings.map(({ definition }) => definition.name));
	const engine = createEngine({ queryable: over(options.queryable, recorded, names), clock: options.clock });
	for (const recording of recordings) await record(recording, engine, recorded, options);
	return engine;
}

/** How much earlier than an evaluation the samples may lie that it uses. */
export function reachMs(expr: Expr): number {
	let reach = LOOKBACK_MS;
	for (const node of walk(expr)) {
		if (node.kind === 'matrix') reach += node.rangeMs;
		else if (node.kind === 'subquery') reach += node.rangeMs + Math.max(0, node.offsetMs);
		else if (node.kind === 'selector') reach += Math.max(0, node.offsetMs);
	}
	return reach;
}

async function record({ definition, stepMs }: PastRecording, engine: Engine, recorded: MemoryStorage, options: PastOptions): Promise<void> {
	const endMs = options.toMs;
	for (let startMs = Math.ceil(options.fromMs / stepMs) * stepMs; startMs <= endMs; startMs += POINTS * stepMs) {
		const lastMs = Math.min(startMs + (POINTS - 1) * stepMs, endMs);
		const { value } = await engine.range(definition.query, startMs, lastMs, stepMs);
		if (value.kind !== 'matrix') continue;
		for (const { labels, timestamps, values } of value.series) {
			let own = withLabel(labels, METRIC_NAME, definition.name);
			for (const [name, text] of Object.entries(definition.labels)) own = withLabel(own, name, text);
			for (let i = 0; i < timestamps.length; i++) {
				const timeMs = timestamps[i] as number;
				recorded.add(own, timeMs, values[i] as number);
				// A series that is not there at the next evaluation gets a stale marker then. The next slice overwrites it where it goes on.
				if (timestamps[i + 1] !== timeMs + stepMs && timeMs + stepMs <= endMs) recorded.add(own, timeMs + stepMs, null);
			}
		}
	}
}

/** `recorded` for metrics of these names, `stored` for all others. */
function over(stored: Queryable, recorded: Queryable, names: ReadonlySet<string>): Queryable {
	const notRecorded: Matcher = {
		name: METRIC_NAME,
		kind: '!~',
		value: [...names].join('|'),
		test: (name) => !names.has(name),
		literals: null,
	};
	const both = async <T>(matchers: readonly Matcher[], read: (from: Queryable, matchers: readonly Matcher[]) => Promise<readonly T[]>) => {
		const literals = matchers.find((matcher) => matcher.name === METRIC_NAME && matcher.literals !== null)?.literals;
		if (literals?.every((name) => names.has(name)) === true) return read(recorded, matchers);
		if (literals?.every((name) => !names.has(name)) === true) return read(stored, matchers);
		return [...(await read(recorded, matchers)), ...(await read(stored, [...matchers, notRecorded]))];
	};
	return {
		select: async (matchers, minMs, maxMs, options) =>
			[...(await both(matchers, (from, own) => from.select(own, minMs, maxMs, whole(options))))].sort((a, b) =>
				compareLabels(a.labels, b.labels),
			),
		series: async (matchers, minMs, maxMs, options) =>
			[...(await both(matchers, (from, own) => from.series(own, minMs, maxMs, options)))].sort(compareLabels),
		labelNames: async (matchers, minMs, maxMs, options) => [
			...new Set(await both(matchers, (from, own) => from.labelNames(own, minMs, maxMs, options))),
		],
		labelValues: async (name, matchers, minMs, maxMs, options) => [
			...new Set(await both(matchers, (from, own) => from.labelValues(name, own, minMs, maxMs, options))),
		],
	};
}

/** Two sources have an order together only when both have been read to their end. */
function whole(options: SelectOptions = {}): SelectOptions {
	const { each: _, ...rest } = options;
	return rest;
}
