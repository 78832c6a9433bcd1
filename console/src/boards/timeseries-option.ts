import type { EChartsCoreOption } from 'echarts/core';
import type { Annotation } from '../../../protocol/change-api.ts';
import { dateTimeText, timeTicks } from '../format/time.ts';
import type { Language } from '../texts/catalogue.ts';
import { markSeries } from './annotation-marks.ts';
import { paletteColor } from './colors.ts';
import { displayText, type FieldConfig, thresholdColor } from './field-config.ts';
import type { Frame } from './frames.ts';
import { asFlag, asNumber, asObject, asText } from './json-read.ts';
import { reduceValues } from './reduce.ts';
import type { TimeWindow } from './time-range.ts';
import { unitText } from './units.ts';

/** A line with the colour and sign that it is drawn with; the legend shows the same. */
export interface Line {
	readonly frame: Frame;
	readonly color: string;
	readonly values: readonly (number | null)[];
}

/** Colours go by position among all lines, so that hiding one does not recolour the others. */
export function linesOf(frames: readonly Frame[]): readonly Line[] {
	return frames.map((frame, i) => ({
		frame,
		color: lineColor(frame, i),
		values:
			frame.config.custom['transform'] === 'negative-Y' ? frame.values.map((value) => (value === null ? null : -value)) : frame.values,
	}));
}

function lineColor(frame: Frame, index: number): string {
	const { config } = frame;
	if (config.colorMode === 'fixed' || config.colorMode === 'shades') return config.fixedColor;
	if (config.colorMode === 'thresholds') return thresholdColor(reduceValues(frame.values, 'lastNotNull'), config) ?? paletteColor(index);
	return paletteColor(index);
}

export interface TimeseriesView {
	readonly window: TimeWindow;
	readonly language: Language;
	/** Names of lines that are shown; `null` shows all. */
	readonly shown: ReadonlySet<string> | null;
	readonly tooltip: 'single' | 'multi' | 'none';
	readonly tooltipSort: 'none' | 'asc' | 'desc';
	/** About how many labels fit below the chart. */
	readonly tickCount: number;
	/** Tooltips also in the other charts of the group. */
	readonly shareTooltip: boolean;
	readonly annotations: readonly Annotation[];
	/** What stands at the line of a mark. */
	readonly markText: (kind: Annotation['kind']) => string;
}

const AXIS_COLOR = '#66727f';
const GRID_COLOR = '#eaeef3';

export function timeseriesOption(lines: readonly Line[], view: TimeseriesView, isPointed: () => boolean): EChartsCoreOption {
	const visible = lines.filter((line) => view.shown === null || view.shown.has(line.frame.name));
	const ticks = timeTicks(view.window.fromMs, view.window.toMs, view.tickCount);
	const tickTexts = new Map(ticks.map(({ ms, text }) => [ms, text]));
	const first = lines.find((line) => !isRight(line)) ?? lines[0];
	const firstRight = lines.find(isRight);
	const left = visible.filter((line) => firstRight === first || !isRight(line));
	const axes = [valueAxis(first?.frame.config, left, { view, position: 'left' })];
	if (firstRight !== undefined && firstRight !== first)
		axes.push(valueAxis(firstRight.frame.config, visible.filter(isRight), { view, position: 'right' }));
	const marks = markSeries(view.annotations, view.window, view.markText);
	return {
		animation: false,
		grid: { left: 8, right: firstRight === undefined ? 14 : 8, top: 12, bottom: 4, containLabel: true },
		xAxis: {
			type: 'time',
			min: view.window.fromMs,
			max: view.window.toMs,
			axisLine: { lineStyle: { color: '#cfd6de' } },
			axisTick: { customValues: ticks.map(({ ms }) => ms), length: 4 },
			splitLine: { show: false },
			axisLabel: {
				customValues: ticks.map(({ ms }) => ms),
				color: AXIS_COLOR,
				fontSize: 11,
				hideOverlap: true,
				formatter: (value: number) => tickTexts.get(value) ?? '',
			},
		},
		yAxis: axes,
		tooltip: {
			show: view.tooltip !== 'none',
			trigger: 'axis',
			confine: false,
			appendTo: 'body',
			transitionDuration: 0,
			padding: 0,
			borderWidth: 0,
			extraCssText: 'box-shadow:none;background:none;z-index:1000;pointer-events:none',
			axisPointer: { type: 'line', lineStyle: { color: '#8592a0', type: 'dashed' }, animation: false },
			formatter: (points: unknown) => (isPointed() || view.shareTooltip ? tooltipContent(points, visible, view) : ''),
		},
		series: [
			...visible.map((line, i) => seriesOption(line, axes.length > 1 && isRight(line) ? 1 : 0, i === 0)),
			...(marks === null ? [] : [marks]),
		],
	};
}

function isRight(line: Line): boolean {
	return line.frame.config.custom['axisPlacement'] === 'right';
}

function valueAxis(
	config: FieldConfig | undefined,
	lines: readonly Line[],
	{ view, position }: { readonly view: TimeseriesView; readonly position: 'left' | 'right' },
) {
	const unit = config?.unit ?? '';
	return {
		type: asObject(config?.custom['scaleDistribution'])['type'] === 'log' ? 'log' : 'value',
		position,
		scale: true,
		min: config?.min ?? softBound(config, 'axisSoftMin', 'min'),
		max: config?.max ?? softBound(config, 'axisSoftMax', 'max'),
		splitNumber: 4,
		...scaleOf(unit, lines, config),
		axisLine: { show: false },
		axisTick: { show: false },
		splitLine: { show: position === 'left', lineStyle: { color: GRID_COLOR } },
		axisLabel: {
			color: AXIS_COLOR,
			fontSize: 11,
			formatter: (value: number) => unitText(value, { unit, decimals: null, language: view.language }),
		},
	};
}

const BINARY_UNITS: readonly string[] = ['bytes', 'binBps', 'bits', 'binbps'];

/** Round steps where the charting library's own would be crooked: fixed ends, powers of two, and things that are counted. */
function scaleOf(unit: string, lines: readonly Line[], config: FieldConfig | undefined) {
	const min = config?.min ?? null;
	const max = config?.max ?? null;
	if (min !== null && max !== null && max > min) return { interval: (max - min) / 4 };
	if (BINARY_UNITS.includes(unit)) return binaryAxis(lines, config);
	return lines.every((line) => line.values.every((value) => value === null || Number.isInteger(value))) ? { minInterval: 1 } : {};
}

/** Steps of powers of two: decimal ones are crooked numbers in KiB, MiB and GiB. */
function binaryAxis(lines: readonly Line[], config: FieldConfig | undefined) {
	const { low, high } = extentOf(lines);
	const bottom = config?.min ?? Math.min(0, low);
	const top = config?.max ?? Math.max(high, bottom);
	if (bottom === 0 && top === 0) return { interval: 256, min: 0, max: 1024 };
	if (!Number.isFinite(bottom) || !Number.isFinite(top) || top <= bottom) return {};
	const interval = 2 ** Math.ceil(Math.log2((top - bottom) / 4));
	return { interval, min: Math.floor(bottom / interval) * interval, max: Math.ceil(top / interval) * interval };
}

/** Smallest and largest value that is drawn, stacked lines added up. */
function extentOf(lines: readonly Line[]): { readonly low: number; readonly high: number } {
	let low = Number.POSITIVE_INFINITY;
	let high = Number.NEGATIVE_INFINITY;
	const sums = new Map<number, { up: number; down: number }>();
	for (const line of lines) {
		const stacked = asObject(line.frame.config.custom['stacking'])['mode'] === 'normal';
		line.values.forEach((value, i) => {
			if (value === null) return;
			let drawn = value;
			if (stacked) {
				const sum = sums.get(i) ?? { up: 0, down: 0 };
				const side = value < 0 ? 'down' : 'up';
				sum[side] += value;
				drawn = sum[side];
				sums.set(i, sum);
			}
			if (drawn < low) low = drawn;
			if (drawn > high) high = drawn;
		});
	}
	return { low, high };
}

/** A soft bound holds until the data goes beyond it. */
function softBound(config: FieldConfig | undefined, name: string, side: 'min' | 'max') {
	const bound = asNumber(config?.custom[name]);
	if (bound === null) return undefined;
	return (extent: { readonly min: number; readonly max: number }) => {
		const data = extent[side];
		if (!Number.isFinite(data)) return bound;
		return (side === 'min' ? data < bound : data > bound) ? null : bound;
	};
}

function seriesOption(line: Line, yAxisIndex: number, isFirst: boolean) {
	const { frame, color } = line;
	const { custom } = frame.config;
	const drawStyle = asText(custom['drawStyle'], 'line');
	const stacking = asObject(custom['stacking']);
	const stacked = stacking['mode'] === 'normal';
	const opacity = (asNumber(custom['fillOpacity']) ?? 0) / 100;
	const common = {
		name: frame.name,
		yAxisIndex,
		data: frame.timesMs.map((ms, i) => [ms, line.values[i] ?? null]),
		...(stacked ? { stack: `${asText(stacking['group'], 'A')}-${frame.config.custom['transform'] === 'negative-Y' ? 'down' : 'up'}` } : {}),
		...(isFirst ? thresholdMarks(frame.config) : {}),
	};
	if (drawStyle === 'bars') return { ...common, type: 'bar', itemStyle: { color, opacity: Math.max(0.35, opacity) }, barMaxWidth: 12 };
	const dashed = asText(asObject(custom['lineStyle'])['fill']) === 'dash';
	const interpolation = asText(custom['lineInterpolation'], 'linear');
	return {
		...common,
		type: 'line',
		showSymbol: drawStyle === 'points' || custom['showPoints'] === 'always',
		symbol: 'circle',
		symbolSize: 4,
		connectNulls: asFlag(custom['spanNulls']),
		smooth: interpolation === 'smooth' ? 0.3 : false,
		step: interpolation === 'stepAfter' ? 'end' : interpolation === 'stepBefore' ? 'start' : false,
		lineStyle: { color, width: drawStyle === 'points' ? 0 : (asNumber(custom['lineWidth']) ?? 1.5), type: dashed ? 'dashed' : 'solid' },
		itemStyle: { color },
		areaStyle: opacity === 0 ? undefined : { color, opacity },
		emphasis: { disabled: true },
	};
}

/** Limits as lines or bands, drawn once. */
function thresholdMarks(config: FieldConfig) {
	const mode = asText(asObject(config.custom['thresholdsStyle'])['mode'], 'off');
	const steps = config.thresholds.filter((step) => Number.isFinite(step.from));
	if (mode === 'off' || steps.length === 0) return {};
	const marks: Record<string, unknown> = {};
	if (mode.includes('line') || mode.includes('dashed')) {
		marks['markLine'] = {
			silent: true,
			symbol: 'none',
			animation: false,
			label: { show: false },
			data: steps.map((step) => ({
				yAxis: step.from,
				lineStyle: { color: step.color, width: 1, type: mode.includes('dashed') ? 'dashed' : 'solid' },
			})),
		};
	}
	if (mode.includes('area')) {
		marks['markArea'] = {
			silent: true,
			data: steps.map((step, i) => [
				{ yAxis: step.from, itemStyle: { color: step.color, opacity: 0.08 } },
				{ yAxis: steps[i + 1]?.from ?? Number.MAX_SAFE_INTEGER },
			]),
		};
	}
	return marks;
}

const MAX_TOOLTIP_ROWS = 24;

/** Elements, not a string: label values come from the watched machines and must never be read as HTML. */
function tooltipContent(points: unknown, lines: readonly Line[], view: TimeseriesView): HTMLElement | string {
	const list = Array.isArray(points) ? points : [points];
	const atMs = pointMs(list[0]);
	if (atMs === null) return '';
	const rows = lines.flatMap((line) => {
		const index = line.frame.timesMs.indexOf(atMs);
		const value = index < 0 ? null : (line.values[index] ?? null);
		return value === null ? [] : [{ line, value }];
	});
	if (view.tooltipSort !== 'none') rows.sort((a, b) => (view.tooltipSort === 'desc' ? b.value - a.value : a.value - b.value));
	const box = element('div', 'chart-tip');
	box.append(element('div', 'chart-tip-time', dateTimeText(atMs)));
	for (const { line, value } of rows.slice(0, MAX_TOOLTIP_ROWS)) {
		const row = element('div', 'chart-tip-row');
		const swatch = element('i', 'chart-tip-swatch');
		swatch.style.backgroundColor = line.color;
		row.append(
			swatch,
			element('span', 'chart-tip-name', line.frame.name),
			element('b', 'chart-tip-value', displayText(value, line.frame.config, view.language)),
		);
		box.append(row);
	}
	if (rows.length > MAX_TOOLTIP_ROWS) box.append(element('div', 'chart-tip-time', `+ ${rows.length - MAX_TOOLTIP_ROWS}`));
	return box;
}

function pointMs(point: unknown): number | null {
	const value = asObject(point)['axisValue'];
	return typeof value === 'number' ? value : null;
}

function element(tag: string, className: string, text = ''): HTMLElement {
	const made = document.createElement(tag);
	made.className = className;
	if (text !== '') made.textContent = text;
	return made;
}
