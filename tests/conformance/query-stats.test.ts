import { describe, expect, test } from 'vitest';
import { createEngine } from '../../collector/promql/engine.ts';
import { localQueryService, type QueryRequest } from '../../collector/promql/query-service.ts';
import { createMemoryStorage } from '../../collector/storage/memory-storage.ts';
import { systemClock } from '../../core/clock.ts';
import { prometheusAvailable, startPrometheus } from '../harness/prometheus-server.ts';
import { DATA_START_MS, generatedSeries, seededRandom } from '../harness/query-generator.ts';

interface Stats {
	readonly samples: {
		readonly totalQueryableSamplesPerStep?: readonly (readonly [number, number])[];
		readonly totalQueryableSamples: number;
		readonly peakSamples: number;
	};
	readonly timings: Readonly<Record<string, number>>;
}

const startMs = DATA_START_MS + 1_203_000;

describe.skipIf(!prometheusAvailable)('stats=all', () => {
	test('counts the samples of each step as the installed Prometheus does', async () => {
		const series = generatedSeries(seededRandom(1));
		const name = series[0]?.labels[1] ?? '';
		const storage = createMemoryStorage();
		for (const { labels, samples } of series) for (const [timeMs, value] of samples) storage.add(labels, timeMs, value);
		const service = localQueryService(createEngine({ queryable: storage, clock: systemClock }), storage);
		const ours = async (request: QueryRequest) => {
			const { json } = await service.execute(request);
			return (JSON.parse(new TextDecoder().decode(json)) as { data: { stats: Stats } }).data.stats;
		};
		const server = await startPrometheus(series);
		try {
			for (const query of [
				name,
				`rate(${name}[5m])`,
				`sum(${name}) + count(${name})`,
				`sum_over_time(${name}[3m] offset 1m)`,
				`${name} @ ${startMs / 1000}`,
				'1',
			]) {
				const range = { start: String(startMs / 1000), end: String((startMs + 600_000) / 1000), step: '60' };
				const response = await fetch(`${server.address}/api/v1/query_range?${new URLSearchParams({ query, stats: 'all', ...range })}`);
				const theirs = ((await response.json()) as { data: { stats: Stats } }).data.stats;
				const stats = await ours({ kind: 'range', query, startMs, endMs: startMs + 600_000, stepMs: 60_000, stats: 'all' });
				expect({ query, ...stats.samples, peakSamples: 0 }).toEqual({ query, ...theirs.samples, peakSamples: 0 });
				expect(Object.keys(stats.timings).sort()).toEqual(Object.keys(theirs.timings).sort());
			}
			const totals = await ours({ kind: 'instant', query: name, timeMs: startMs, stats: 'totals' });
			expect(totals.samples.totalQueryableSamplesPerStep).toBeUndefined();
			expect(totals.samples.totalQueryableSamples).toBeGreaterThan(0);
		} finally {
			await server.stop();
		}
	});
});
