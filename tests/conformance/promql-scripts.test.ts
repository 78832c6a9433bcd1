import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { createEngine, type Engine, type QueryResult, type ResultValue } from '../../collector/promql/engine.ts';
import type { ScriptSeries } from '../../collector/promql/series-notation.ts';
import { createMemoryStorage } from '../../collector/storage/memory-storage.ts';
import { systemClock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import { formatLabels, labelsKey } from '../../core/labels.ts';
import { parsePromqlScript, type ScriptEvaluation } from '../harness/promql-script.ts';

const folder = join(fileURLToPath(new URL('../../..', import.meta.url)), 'shared', 'promql');
const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.test')) : [];

describe.skipIf(files.length === 0)('PromQL scripts of the Prometheus project (beside the checkout, in shared/promql)', () => {
	for (const file of files) {
		describe(file, () => {
			const commands = parsePromqlScript(readFileSync(join(folder, file), 'utf8'));
			const storage = createMemoryStorage();
			const engine = createEngine({ queryable: storage, clock: systemClock });
			for (const command of commands) {
				if (command.kind === 'eval') {
					// What a native histogram would answer is not ours to give: such blocks are counted as skipped.
					test.skipIf(command.nativeHistogram || readsNative(command))(`line ${command.line}: ${command.query.slice(0, 90)}`, async () => {
						storage.clear();
						for (const earlier of commands) {
							if (earlier === command) break;
							if (earlier.kind === 'clear') storage.clear();
							if (earlier.kind !== 'load') continue;
							for (const series of earlier.series) {
								series.values.forEach((value, index) => {
									if (value !== undefined) storage.add(series.labels, index * earlier.stepMs, value);
								});
							}
						}
						await check(engine, command);
					});
				}
			}
		});
	}
});

/** Scripts load classic buckets a second time as native histograms under the base name; queries of that name need them. */
function readsNative(command: ScriptEvaluation): boolean {
	return /\b(testhistogram\d?|request_duration_seconds2?|mixed|const_histogram)\b(?![_\\])|request_duration_seconds\\\\d\*"/.test(
		command.query,
	);
}

async function check(engine: Engine, command: ScriptEvaluation): Promise<void> {
	const { times } = command;
	if (times.kind === 'range') {
		if (command.expectFail) {
			await expect(engine.range(command.query, times.startMs, times.endMs, times.stepMs)).rejects.toThrow(AppError);
			return;
		}
		const result = await engine.range(command.query, times.startMs, times.endMs, times.stepMs);
		checkAnnotations(command, result);
		compareMatrix(result.value, command.expected, times);
		return;
	}
	const minute = 60_000;
	if (command.expectFail) {
		await expect(engine.instant(command.query, times.timeMs)).rejects.toThrow(AppError);
		await expect(engine.range(command.query, times.timeMs - minute, times.timeMs + minute, minute)).rejects.toThrow(AppError);
		return;
	}
	const result = await engine.instant(command.query, times.timeMs);
	checkAnnotations(command, result);
	compareInstant(command, result.value);
	if (result.value.kind === 'matrix') return;
	const range = await engine.range(command.query, times.timeMs - minute, times.timeMs + minute, minute);
	compareMiddle(command, range.value, times.timeMs);
}

function checkAnnotations(command: ScriptEvaluation, result: QueryResult): void {
	if (command.expectWarning) expect(result.warnings, 'a warning').not.toEqual([]);
	else expect(result.warnings, 'no warning').toEqual([]);
	if (command.expectInfo) expect(result.infos, 'an info').not.toEqual([]);
}

function compareInstant(command: ScriptEvaluation, value: ResultValue): void {
	if (command.scalar !== null) {
		if (value.kind === 'scalar') expectNear(value.value, command.scalar, command.query);
		else expect.fail(`wanted a scalar, got ${value.kind}`);
		return;
	}
	if (value.kind === 'matrix') {
		expect(value.series.map((series) => formatLabels(series.labels)).sort()).toEqual(
			command.expected.map((series) => formatLabels(series.labels)).sort(),
		);
		return;
	}
	if (value.kind !== 'vector') throw new Error(`wanted a vector, got ${value.kind}`);
	compareSamples(command, new Map(value.samples.map((sample) => [labelsKey(sample.labels), sample.value])));
	expect(value.samples.length).toBe(command.expected.length);
	if (command.ordered) {
		expect(value.samples.map((sample) => formatLabels(sample.labels))).toEqual(
			command.expected.map((series) => formatLabels(series.labels)),
		);
	}
}

function compareMiddle(command: ScriptEvaluation, value: ResultValue, timeMs: number): void {
	if (value.kind !== 'matrix') throw new Error(`wanted a matrix, got ${value.kind}`);
	const samples = new Map<string, number>();
	for (const series of value.series) {
		const at = series.timestamps.indexOf(timeMs);
		if (at >= 0) samples.set(labelsKey(series.labels), series.values[at] as number);
	}
	if (command.scalar !== null) expectNear(samples.get('') ?? Number.NaN, command.scalar, `${command.query} in a range`);
	else compareSamples(command, samples);
}

function compareSamples(command: ScriptEvaluation, got: ReadonlyMap<string, number>): void {
	const wanted = command.expected.filter((series) => series.values[0] !== undefined);
	expect([...got.keys()].sort()).toEqual(wanted.map((series) => labelsKey(series.labels)).sort());
	for (const series of wanted) {
		expectNear(got.get(labelsKey(series.labels)) ?? Number.NaN, series.values[0] ?? Number.NaN, formatLabels(series.labels));
	}
}

function compareMatrix(value: ResultValue, expected: readonly ScriptSeries[], times: { startMs: number; stepMs: number }): void {
	if (value.kind !== 'matrix') throw new Error(`wanted a matrix, got ${value.kind}`);
	expect(value.series.map((series) => formatLabels(series.labels)).sort()).toEqual(
		expected.map((series) => formatLabels(series.labels)).sort(),
	);
	for (const series of value.series) {
		const want = expected.find((candidate) => labelsKey(candidate.labels) === labelsKey(series.labels));
		want?.values.forEach((wanted, index) => {
			const at = series.timestamps.indexOf(times.startMs + index * times.stepMs);
			if (wanted === undefined) expect(at, `no value at step ${index}`).toBe(-1);
			else
				expectNear(
					at < 0 ? 'missing' : (series.values[at] as number),
					wanted ?? Number.NaN,
					`${formatLabels(series.labels)} at step ${index}`,
				);
		});
	}
}

function expectNear(got: number | string, wanted: number, what: string): void {
	const equal =
		typeof got === 'number' &&
		(Object.is(got, wanted) ||
			got === wanted ||
			(Number.isNaN(got) && Number.isNaN(wanted)) ||
			Math.abs(got - wanted) <= 1e-6 * Math.max(Math.abs(got), Math.abs(wanted)));
	if (!equal) expect.fail(`${what}: wanted ${wanted}, got ${got}`);
}
