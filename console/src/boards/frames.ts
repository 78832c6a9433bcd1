import { METRIC_NAME } from '../../../protocol/labels.ts';
import type { PromLabels, PromSeries } from '../api/prometheus.ts';
import type { Panel, Target } from './board-json.ts';
import { type FieldConfig, fieldConfigOf } from './field-config.ts';

/** What one target answered. */
export interface TargetResult {
	readonly target: Target;
	readonly series: readonly PromSeries[];
}

/** One line of a chart, or one value of a stat. `null` is a gap: no sample, or NaN. */
export interface Frame {
	readonly refId: string;
	readonly name: string;
	readonly labels: PromLabels;
	readonly timesMs: readonly number[];
	readonly values: readonly (number | null)[];
	readonly config: FieldConfig;
}

/** `{{label}}` filled in; without a format, the series as PromQL writes it. */
export function legendText(target: Pick<Target, 'legend' | 'expression'>, labels: PromLabels): string {
	const { legend } = target;
	if (legend === '' || legend === '__auto') {
		const { [METRIC_NAME]: metric = '', ...rest } = labels;
		const pairs = Object.entries(rest);
		if (metric === '' && pairs.length === 0) return target.expression;
		if (legend === '__auto' && metric === '' && pairs.length === 1) return pairs[0]?.[1] ?? '';
		return pairs.length === 0 ? metric : `${metric}{${pairs.map(([name, value]) => `${name}="${value}"`).join(', ')}}`;
	}
	return legend.replace(/\{\{\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*\}\}/g, (_whole, name: string) => labels[name] ?? '');
}

/** Every series of every target, with gaps where the grid of `stepSeconds` has no sample. */
export function framesOf(
	panel: Pick<Panel, 'defaults' | 'overrides'>,
	results: readonly TargetResult[],
	grid: { readonly startSeconds: number; readonly endSeconds: number; readonly stepSeconds: number },
): readonly Frame[] {
	return results.flatMap(({ target, series }) =>
		series.map((each): Frame => {
			const legend = legendText(target, each.metric);
			const config = fieldConfigOf(panel, { name: legend, refId: target.refId, type: 'number' });
			const points = target.instant ? instantPoints(each) : gridPoints(each, grid);
			return { refId: target.refId, name: config.displayName === '' ? legend : config.displayName, labels: each.metric, config, ...points };
		}),
	);
}

function instantPoints({ values }: PromSeries) {
	return { timesMs: values.map(([seconds]) => seconds * 1000), values: values.map(([, text]) => numberOf(text)) };
}

function gridPoints(
	{ values }: PromSeries,
	grid: { readonly startSeconds: number; readonly endSeconds: number; readonly stepSeconds: number },
) {
	const count = Math.floor((grid.endSeconds - grid.startSeconds) / grid.stepSeconds) + 1;
	const timesMs: number[] = new Array(count);
	const filled: (number | null)[] = new Array(count).fill(null);
	for (let i = 0; i < count; i++) timesMs[i] = (grid.startSeconds + i * grid.stepSeconds) * 1000;
	for (const [seconds, text] of values) {
		const index = Math.round((seconds - grid.startSeconds) / grid.stepSeconds);
		if (index >= 0 && index < count) filled[index] = numberOf(text);
	}
	return { timesMs, values: filled };
}

/** Infinities cannot be drawn either. */
function numberOf(text: string): number | null {
	const value = Number(text);
	return Number.isFinite(value) ? value : null;
}
