import { describe, expect, test } from 'vitest';
import { compareWithPrometheus, engineOver } from '../harness/differential.ts';
import { prometheusAvailable, startPrometheus } from '../harness/prometheus-server.ts';
import { generatedSeries, seededRandom } from '../harness/query-generator.ts';

describe.skipIf(!prometheusAvailable)('thousands of random queries', () => {
	test.each([1, 2, 3])('are answered as the installed Prometheus answers them (seed %i)', async (seed) => {
		const series = generatedSeries(seededRandom(seed));
		const server = await startPrometheus(series);
		try {
			const result = await compareWithPrometheus(server.address, engineOver(series), { count: 5000, seed });
			expect(result.differences.slice(0, 10)).toEqual([]);
		} finally {
			await server.stop();
		}
	}, 600_000);
});
