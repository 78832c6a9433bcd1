import { PanelBuilder as BarGaugeBuilder } from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import {
	BigValueColorMode,
	BigValueGraphMode,
	GraphThresholdsStyleConfigBuilder,
	GraphThresholdsStyleMode,
	LegendDisplayMode,
	LegendPlacement,
	ReduceDataOptionsBuilder,
	SortOrder,
	StackingConfigBuilder,
	StackingMode,
	TooltipDisplayMode,
	VisibilityMode,
	VizLegendOptionsBuilder,
	VizOrientation,
	VizTooltipOptionsBuilder,
} from '@grafana/grafana-foundation-sdk/common';
import {
	type DataTransformerConfig,
	type DynamicConfigValue,
	FieldColorBuilder,
	FieldColorModeId,
	type GridPos,
	MappingType,
	type Panel,
	type Threshold,
	ThresholdsConfigBuilder,
	ThresholdsMode,
	type ValueMapping,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { PanelBuilder as GaugeBuilder } from '@grafana/grafana-foundation-sdk/gauge';
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus';
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat';
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table';
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries';

export interface QuerySpec {
	readonly expr: string;
	/** Text of the legend with `{{label}}`. */
	readonly legend?: string;
}

export interface ColumnSpec {
	/** A label, `Value`, or `Value #A`. */
	readonly field: string;
	readonly title: string;
	readonly unit?: string;
	readonly decimals?: number;
	readonly mappings?: readonly ValueMapping[];
	readonly thresholds?: readonly Threshold[];
}

export interface PanelSpec {
	readonly kind: 'timeseries' | 'stat' | 'gauge' | 'bargauge' | 'table';
	readonly title: string;
	/** What a person who sees this for the first time must know. */
	readonly description?: string;
	readonly queries: readonly QuerySpec[];
	readonly w: number;
	readonly h: number;
	readonly unit?: string;
	readonly decimals?: number;
	readonly min?: number;
	readonly max?: number;
	readonly noValue?: string;
	readonly thresholds?: readonly Threshold[];
	readonly mappings?: readonly ValueMapping[];
	/** Areas on top of each other. */
	readonly stacked?: boolean;
	/** Lines of queries by their legend's regular expression that are drawn downwards. */
	readonly downwards?: string;
	/** Legend as a table with these calculations. */
	readonly calcs?: readonly ('lastNotNull' | 'max' | 'mean' | 'min')[];
	/** Thresholds as dashed lines in a chart. */
	readonly limits?: boolean;
	readonly columns?: readonly ColumnSpec[];
	/** Title of the column that a table is sorted by. */
	readonly sortBy?: { readonly column: string; readonly descending: boolean };
}

export interface Placement {
	readonly id: number;
	readonly grid: GridPos;
	readonly datasource: { readonly type: string; readonly uid: string };
}

/** `good` below `warn`, then warning, then bad. */
export function rising(warn: number, bad: number): readonly Threshold[] {
	return [
		{ color: 'green', value: null },
		{ color: 'orange', value: warn },
		{ color: 'red', value: bad },
	];
}

/** Bad until `warn`, then warning until `good`. */
export function falling(warn: number, good: number): readonly Threshold[] {
	return [
		{ color: 'red', value: null },
		{ color: 'orange', value: warn },
		{ color: 'green', value: good },
	];
}

/** Any number above zero is bad. */
export const NONE_IS_GOOD: readonly Threshold[] = [
	{ color: 'green', value: null },
	{ color: 'red', value: 1 },
];

export const NEUTRAL: readonly Threshold[] = [{ color: 'text', value: null }];

/** 1 and 0 in words, where 1 is as it should be. */
export function yesNo(yes: string, no: string): readonly ValueMapping[] {
	return [words({ text: yes, color: 'green' }, { text: no, color: 'red' })];
}

/** 1 and 0 in words, where 1 is wrong. */
export function noYes(yes: string, no: string): readonly ValueMapping[] {
	return [words({ text: yes, color: 'red' }, { text: no, color: 'green' })];
}

interface Word {
	readonly text: string;
	readonly color: string;
}

function words(one: Word, zero: Word): ValueMapping {
	return { type: MappingType.ValueToText, options: { '0': { ...zero, index: 1 }, '1': { ...one, index: 0 } } };
}

type AnyPanelBuilder = TimeseriesBuilder | StatBuilder | GaugeBuilder | BarGaugeBuilder | TableBuilder;

export function placedPanel(spec: PanelSpec, { id, grid, datasource }: Placement): Builder<Panel> {
	const panel = builderOf(spec);
	panel
		.id(id)
		.title(spec.title)
		.gridPos(grid)
		.datasource(datasource)
		.targets(spec.queries.map((query, i) => target(spec, query, { refId: String.fromCharCode(65 + i), datasource })));
	if (spec.description !== undefined) panel.description(spec.description);
	if (spec.unit !== undefined) panel.unit(spec.unit);
	if (spec.decimals !== undefined) panel.decimals(spec.decimals);
	if (spec.min !== undefined) panel.min(spec.min);
	if (spec.max !== undefined) panel.max(spec.max);
	if (spec.noValue !== undefined) panel.noValue(spec.noValue);
	if (spec.mappings !== undefined) panel.mappings([...spec.mappings]);
	if (spec.thresholds !== undefined)
		panel.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps([...spec.thresholds]));
	return panel;
}

function target(
	spec: PanelSpec,
	query: QuerySpec,
	{ refId, datasource }: { readonly refId: string; readonly datasource: Placement['datasource'] },
): Builder<Dataquery> {
	const built = new DataqueryBuilder().refId(refId).expr(query.expr).datasource(datasource);
	if (query.legend !== undefined) built.legendFormat(query.legend);
	if (spec.kind === 'table') return built.instant().format(PromQueryFormat.Table);
	return spec.kind === 'bargauge' ? built.instant() : built.range();
}

function builderOf(spec: PanelSpec): AnyPanelBuilder {
	switch (spec.kind) {
		case 'timeseries':
			return timeseries(spec);
		case 'stat':
			return new StatBuilder()
				.reduceOptions(lastValue())
				.colorMode(BigValueColorMode.Value)
				.graphMode(spec.mappings === undefined ? BigValueGraphMode.Area : BigValueGraphMode.None)
				.colorScheme(byThresholds());
		case 'gauge':
			return new GaugeBuilder().reduceOptions(lastValue()).colorScheme(byThresholds());
		case 'bargauge':
			return new BarGaugeBuilder().reduceOptions(lastValue()).orientation(VizOrientation.Horizontal).colorScheme(byThresholds());
		case 'table':
			return table(spec);
	}
}

const lastValue = () => new ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false);
const byThresholds = () => new FieldColorBuilder().mode(FieldColorModeId.Thresholds);

function timeseries(spec: PanelSpec): TimeseriesBuilder {
	const legend = new VizLegendOptionsBuilder().showLegend(true).placement(LegendPlacement.Bottom);
	if (spec.calcs === undefined) legend.displayMode(LegendDisplayMode.List).calcs([]);
	else legend.displayMode(LegendDisplayMode.Table).calcs([...spec.calcs]);
	const panel = new TimeseriesBuilder()
		.legend(legend)
		.tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
		.lineWidth(1)
		.fillOpacity(spec.stacked === true ? 35 : 8)
		.showPoints(VisibilityMode.Never)
		.colorScheme(new FieldColorBuilder().mode(FieldColorModeId.PaletteClassic));
	if (spec.stacked === true) panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal).group('A'));
	if (spec.limits === true) panel.thresholdsStyle(new GraphThresholdsStyleConfigBuilder().mode(GraphThresholdsStyleMode.Dashed));
	if (spec.downwards !== undefined) panel.overrideByRegexp(spec.downwards, [{ id: 'custom.transform', value: 'negative-Y' }]);
	return panel;
}

function table(spec: PanelSpec): TableBuilder {
	const columns = spec.columns ?? [];
	const titles = Object.fromEntries(columns.map(({ field, title }) => [field, title]));
	const places = Object.fromEntries(columns.map(({ field }, i) => [field, i]));
	const transformations: DataTransformerConfig[] = [
		...(spec.queries.length > 1 ? [{ id: 'merge', options: {} }] : []),
		{ id: 'filterFieldsByName', options: { include: { names: columns.map(({ field }) => field) } } },
		{ id: 'organize', options: { excludeByName: {}, indexByName: places, renameByName: titles } },
		...(spec.sortBy === undefined
			? []
			: [{ id: 'sortBy', options: { fields: {}, sort: [{ field: spec.sortBy.column, desc: spec.sortBy.descending }] } }]),
	];
	const panel = new TableBuilder().transformations(transformations);
	for (const column of columns) {
		const properties = columnProperties(column);
		if (properties.length > 0) panel.overrideByName(column.title, properties);
	}
	return panel;
}

function columnProperties(column: ColumnSpec): DynamicConfigValue[] {
	const properties: DynamicConfigValue[] = [];
	if (column.unit !== undefined) properties.push({ id: 'unit', value: column.unit });
	if (column.decimals !== undefined) properties.push({ id: 'decimals', value: column.decimals });
	if (column.mappings !== undefined) properties.push({ id: 'mappings', value: column.mappings });
	if (column.thresholds !== undefined) {
		properties.push({ id: 'thresholds', value: { mode: ThresholdsMode.Absolute, steps: column.thresholds } });
	}
	if (column.mappings !== undefined || column.thresholds !== undefined) {
		properties.push({ id: 'color', value: { mode: FieldColorModeId.Thresholds } });
		properties.push({ id: 'custom.cellOptions', value: { type: 'color-text' } });
	}
	return properties;
}
