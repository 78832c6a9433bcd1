import { createEngine, type Engine, type ResultValue } from '../../collector/promql/engine.ts';
import { JsonBytes } from '../../collector/promql/json-bytes.ts';
import { expectedBytes, MAX_BYTES, writeResult } from '../../collector/promql/result-json.ts';
import { createMemoryStorage } from '../../collector/storage/memory-storage.ts';
import { systemClock } from '../../core/clock.ts';
import { errorText } from '../../core/errors.ts';
import { DATA_START_MS, type GeneratedSeries, QueryGenerator, seededRandom } from './query-generator.ts';

interface ApiData {
	readonly resultType: string;
	readonly result: unknown;
}

export interface Difference {
	readonly query: string;
	readonly kind: string;
	readonly theirs: string;
	readonly ours: string;
}

export interface DifferentialResult {
	readonly asked: number;
	/** Queries that both refuse. */
	readonly refused: number;
	/** Answers with at least one value. */
	readonly filled: number;
	readonly differences: readonly Difference[];
}

export function engineOver(series: readonly GeneratedSeries[]): Engine {
	const storage = createMemoryStorage();
	for (const { labels, samples } of series) for (const [timeMs, value] of samples) storage.add(labels, timeMs, value);
	return createEngine({ queryable: storage, clock: systemClock });
}

/** Asks a real Prometheus and our engine the same random queries; half of them as ranges. */
export async function compareWithPrometheus(
	address: string,
	engine: Engine,
	options: { readonly count: number; readonly seed: number },
): Promise<DifferentialResult> {
	const random = seededRandom(options.seed);
	const generator = new QueryGenerator(random);
	const differences: Difference[] = [];
	let refused = 0;
	let filled = 0;
	for (let i = 0; i < options.count; i++) {
		const query = generator.query();
		// Off every multiple of a step, so that no subquery's grid meets the edge of its window.
		const startMs = DATA_START_MS + 1_200_000 + Math.floor(random() * 60) * 10_000 + 3000;
		const range = i % 2 === 1;
		const stepMs = [15_000, 60_000, 45_000][i % 3] as number;
		const parameters = range
			? { query, start: String(startMs / 1000), end: String((startMs + 600_000) / 1000), step: String(stepMs / 1000) }
			: { query, time: String(startMs / 1000) };
		const response = await fetch(`${address}/api/v1/query${range ? '_range' : ''}`, {
			method: 'POST',
			body: new URLSearchParams(parameters),
		});
		const theirs = (await response.json()) as { readonly status: string; readonly data?: ApiData; readonly error?: string };
		const ours = await ask(() => (range ? engine.range(query, startMs, startMs + 600_000, stepMs) : engine.instant(query, startMs)));
		const kind = range ? 'range' : 'instant';
		if (theirs.data === undefined || 'error' in ours) {
			if (theirs.data === undefined && 'error' in ours) refused += 1;
			else differences.push({ query, kind, theirs: theirs.error ?? 'an answer', ours: 'error' in ours ? ours.error : 'an answer' });
			continue;
		}
		const left = normalise(theirs.data);
		const right = normalise(dataOf(ours.value));
		if (left.size > 0) filled += 1;
		const difference = firstDifference(left, right);
		if (difference !== null && !isKnown(query, difference)) differences.push({ query, kind, ...difference });
	}
	return { asked: options.count, refused, filled, differences };
}

function dataOf(value: ResultValue): ApiData {
	const json = new JsonBytes(expectedBytes(value), MAX_BYTES);
	writeResult(json, value, 0);
	json.text('}');
	return JSON.parse(new TextDecoder().decode(json.finish())) as ApiData;
}

async function ask(
	run: () => Promise<{ readonly value: ResultValue }>,
): Promise<{ readonly value: ResultValue } | { readonly error: string }> {
	try {
		return { value: (await run()).value };
	} catch (error) {
		return { error: errorText(error) };
	}
}

/** Prometheus 2 says that one NaN or infinity deviates by 0, Prometheus 3 that it deviates by NaN. */
function isKnown(query: string, difference: { readonly theirs: string; readonly ours: string }): boolean {
	return /\bstd(dev|var)\b/.test(query) && difference.theirs.endsWith(': 0') && difference.ours.endsWith(': NaN');
}

type Point = readonly [number, string];

/** Values by series and time, whatever the type of the answer. */
function normalise(data: ApiData): Map<string, string> {
	const points = new Map<string, string>();
	if (data.resultType === 'scalar' || data.resultType === 'string') {
		const [time, value] = data.result as Point;
		points.set(`{} ${time}`, value);
		return points;
	}
	for (const entry of data.result as readonly { metric: Record<string, string>; value?: Point; values?: readonly Point[] }[]) {
		const labels = JSON.stringify(Object.entries(entry.metric).sort(([a], [b]) => (a < b ? -1 : 1)));
		for (const [time, value] of entry.values ?? (entry.value === undefined ? [] : [entry.value])) points.set(`${labels} ${time}`, value);
	}
	return points;
}

function firstDifference(
	theirs: ReadonlyMap<string, string>,
	ours: ReadonlyMap<string, string>,
): { readonly theirs: string; readonly ours: string } | null {
	for (const key of new Set([...theirs.keys(), ...ours.keys()])) {
		const a = theirs.get(key);
		const b = ours.get(key);
		if (a === undefined || b === undefined || !near(Number(a.replace('Inf', 'Infinity')), Number(b.replace('Inf', 'Infinity')))) {
			return { theirs: `${key}: ${a ?? 'nothing'}`, ours: `${key}: ${b ?? 'nothing'}` };
		}
	}
	return null;
}

/** 1e-9 relative; what cancels out to nearly nothing is compared absolutely. */
function near(a: number, b: number): boolean {
	if (a === b || (a !== a && b !== b)) return true;
	return Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b)) || Math.abs(a - b) < 1e-9;
}
