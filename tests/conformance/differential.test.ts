import { describe, expect, test } from 'vitest';
import { compareWithPrometheus, engineOver } from '../harness/differential.ts';
import { prometheusAvailable, startPrometheus } from '../harness/prometheus-server.ts';
import { generatedSeries, seededRandom } from '../harness/query-generator.ts';

describe.skipIf(!prometheusAvailable)('random queries', () => {
	test('are answered as the installed Prometheus answers them', async () => {
		const series = generatedSeries(seededRandom(1));
		const server = await startPrometheus(series);
		try {
			const result = await compareWithPrometheus(server.address, engineOver(series), { count: 600, seed: 20_261_121 });
			expect(result.differences.slice(0, 10)).toEqual([]);
			expect(result.filled).toBeGreaterThan(result.asked / 2);
		} finally {
			await server.stop();
		}
	});
});
