import type { QueryStats } from './engine.ts';
import { formatSeconds } from './result-json.ts';

/** Prometheus' `stats` of an answer. What it calls preparation is fetching here, and there is no queue inside of the engine. */
export function statsJson(stats: QueryStats, kind: 'totals' | 'all'): string {
	const { stepSamples, durationMs, fetchMs, evaluateMs, peakSamples } = stats;
	const seconds = (ms: number) => ms / 1000;
	const timings = {
		evalTotalTime: seconds(durationMs),
		resultSortTime: 0,
		queryPreparationTime: seconds(fetchMs),
		innerEvalTime: seconds(evaluateMs),
		execQueueTime: 0,
		execTotalTime: seconds(durationMs),
	};
	const counts = stepSamples?.counts ?? new Float64Array(0);
	let total = 0;
	for (const count of counts) total += count;
	const steps: string[] = [];
	if (kind === 'all' && stepSamples !== undefined)
		for (const [i, count] of counts.entries()) steps.push(`[${formatSeconds(stepSamples.startMs + i * stepSamples.stepMs)},${count}]`);
	const perStep = kind === 'all' ? `"totalQueryableSamplesPerStep":[${steps.join(',')}],` : '';
	return `{"timings":${JSON.stringify(timings)},"samples":{${perStep}"totalQueryableSamples":${total},"peakSamples":${peakSamples}}}`;
}
