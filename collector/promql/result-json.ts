import type { Labels } from '../../protocol/labels.ts';
import type { ResultValue } from './engine.ts';
import { formatSample } from './go-float.ts';

/** Unix seconds with up to three decimals, as Prometheus writes timestamps. */
export function formatSeconds(timeMs: number): string {
	const ms = Math.round(timeMs);
	const rest = Math.abs(ms % 1000);
	const whole = Math.trunc(ms / 1000);
	if (rest === 0) return String(whole);
	const sign = ms < 0 && whole === 0 ? '-' : '';
	return `${sign}${whole}.${String(rest).padStart(3, '0').replace(/0+$/, '')}`;
}

export function labelsJson(labels: Labels): string {
	let text = '{';
	for (let i = 0; i < labels.length; i += 2) {
		if (i > 0) text += ',';
		text += `${JSON.stringify(labels[i])}:${JSON.stringify(labels[i + 1])}`;
	}
	return `${text}}`;
}

/** Prometheus' `data` of a query answer; at most `limit` series (0: all). */
export function resultJson(value: ResultValue, limit: number): { readonly json: string; readonly truncated: boolean } {
	switch (value.kind) {
		case 'scalar':
			return { json: `{"resultType":"scalar","result":[${formatSeconds(value.timeMs)},"${formatSample(value.value)}"]}`, truncated: false };
		case 'string':
			return {
				json: `{"resultType":"string","result":[${formatSeconds(value.timeMs)},${JSON.stringify(value.value)}]}`,
				truncated: false,
			};
		case 'vector': {
			const truncated = limit > 0 && value.samples.length > limit;
			const time = formatSeconds(value.timeMs);
			const rows = (truncated ? value.samples.slice(0, limit) : value.samples).map(
				(sample) => `{"metric":${labelsJson(sample.labels)},"value":[${time},"${formatSample(sample.value)}"]}`,
			);
			return { json: `{"resultType":"vector","result":[${rows.join(',')}]}`, truncated };
		}
		case 'matrix': {
			const truncated = limit > 0 && value.series.length > limit;
			// The times of one answer repeat from series to series.
			const times = new Map<number, string>();
			const rows: string[] = [];
			for (const series of truncated ? value.series.slice(0, limit) : value.series) {
				let points = '';
				for (let i = 0; i < series.timestamps.length; i++) {
					const timeMs = series.timestamps[i] as number;
					let time = times.get(timeMs);
					if (time === undefined) {
						time = formatSeconds(timeMs);
						if (times.size < 20_000) times.set(timeMs, time);
					}
					points += `${i === 0 ? '' : ','}[${time},"${formatSample(series.values[i] as number)}"]`;
				}
				rows.push(`{"metric":${labelsJson(series.labels)},"values":[${points}]}`);
			}
			return { json: `{"resultType":"matrix","result":[${rows.join(',')}]}`, truncated };
		}
	}
}
