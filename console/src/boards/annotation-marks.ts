import type { Annotation } from '../../../protocol/change-api.ts';
import type { TimeWindow } from './time-range.ts';

export const MARK_COLORS: Readonly<Record<Annotation['kind'], string>> = { change: '#7a3db8', maintenance: '#4b6a9b', fault: '#b42318' };

/** Marks that touch the window; what goes on reaches to its end. */
export function marksIn(
	annotations: readonly Annotation[],
	window: TimeWindow,
): readonly (Annotation & { readonly fromMs: number; readonly toMs: number })[] {
	return annotations
		.map((mark) => ({ ...mark, fromMs: Math.max(mark.time, window.fromMs), toMs: Math.min(mark.timeEnd ?? window.toMs, window.toMs) }))
		.filter((mark) => mark.time <= window.toMs && (mark.timeEnd ?? window.toMs) >= window.fromMs);
}

interface Band {
	readonly kind: Annotation['kind'];
	readonly fromMs: number;
	readonly toMs: number;
}

/** Bands of one kind that overlap are one: their colours would add up until the lines under them cannot be read. */
function bandsOf(marks: readonly Band[]): readonly Band[] {
	const bands: Band[] = [];
	for (const mark of [...marks].sort((a, b) => a.kind.localeCompare(b.kind) || a.fromMs - b.fromMs)) {
		const last = bands.at(-1);
		if (last === undefined || last.kind !== mark.kind || mark.fromMs > last.toMs) bands.push(mark);
		else bands[bands.length - 1] = { ...last, toMs: Math.max(last.toMs, mark.toMs) };
	}
	return bands;
}

/** A series without data that carries bands and lines; `null` where there is nothing to mark. `label` is what stands at a line. */
export function markSeries(
	annotations: readonly Annotation[],
	window: TimeWindow,
	label: (kind: Annotation['kind']) => string,
): Readonly<Record<string, unknown>> | null {
	const marks = marksIn(annotations, window);
	if (marks.length === 0) return null;
	return {
		type: 'line',
		name: '',
		data: [],
		silent: true,
		markArea: {
			silent: true,
			data: bandsOf(marks).map(({ kind, fromMs, toMs }) => [
				{ xAxis: fromMs, itemStyle: { color: MARK_COLORS[kind], opacity: 0.06 } },
				{ xAxis: toMs },
			]),
		},
		markLine: {
			silent: true,
			symbol: 'none',
			animation: false,
			// A line at the beginning; what began before the window has only its band.
			data: marks
				.filter(({ time }) => time >= window.fromMs)
				.map(({ kind, time }) => ({
					xAxis: time,
					lineStyle: { color: MARK_COLORS[kind], width: 1, type: 'dashed' },
					label: { show: true, formatter: label(kind), position: 'end', distance: 1, color: MARK_COLORS[kind], fontSize: 10 },
				})),
		},
	};
}
