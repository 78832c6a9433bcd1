import { asFlag, asList, asNumber, asObject, asText, type JsonObject } from './json-read.ts';
import { readVariable, type Variable } from './variable.ts';

/** What the viewer knows of Grafana's dashboard JSON, schema 36 and later (Grafana 9 to 11). */
export interface Board {
	readonly uid: string;
	readonly title: string;
	readonly from: string;
	readonly to: string;
	/** For example `30s`; empty is off. */
	readonly refresh: string;
	/** 0 each panel alone, 1 shared cross-hair, 2 shared tooltip. */
	readonly graphTooltip: number;
	readonly variables: readonly Variable[];
	readonly panels: readonly Panel[];
}

export interface GridPosition {
	readonly x: number;
	readonly y: number;
	readonly w: number;
	readonly h: number;
}

export interface Panel {
	readonly id: number;
	readonly type: string;
	readonly title: string;
	readonly description: string;
	readonly grid: GridPosition;
	readonly targets: readonly Target[];
	readonly transformations: readonly { readonly id: string; readonly options: JsonObject }[];
	readonly defaults: JsonObject;
	readonly overrides: readonly FieldOverride[];
	readonly options: JsonObject;
	/** Smallest step, for example `15s`; empty is the viewer's. */
	readonly interval: string;
	/** Of a row: it shows its panels only when it is opened. */
	readonly collapsed: boolean;
	readonly panels: readonly Panel[];
}

export interface Target {
	readonly refId: string;
	readonly expression: string;
	readonly legend: string;
	readonly instant: boolean;
	readonly interval: string;
}

export interface FieldOverride {
	readonly matcher: { readonly id: string; readonly options: unknown };
	readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

/** `null` when it is not a dashboard at all; whatever is missing inside gets Grafana's default. */
export function readBoard(json: unknown): Board | null {
	const board = asObject(json);
	if (typeof board['title'] !== 'string') return null;
	const time = asObject(board['time']);
	return {
		uid: asText(board['uid']),
		title: board['title'],
		from: asText(time['from'], 'now-1h'),
		to: asText(time['to'], 'now'),
		refresh: asText(board['refresh']),
		graphTooltip: asNumber(board['graphTooltip']) ?? 0,
		variables: asList(asObject(board['templating'])['list']).map(readVariable),
		panels: asList(board['panels']).map(readPanel),
	};
}

function readPanel(value: unknown): Panel {
	const panel = asObject(value);
	const grid = asObject(panel['gridPos']);
	const fieldConfig = asObject(panel['fieldConfig']);
	return {
		id: asNumber(panel['id']) ?? 0,
		type: asText(panel['type']),
		title: asText(panel['title']),
		description: asText(panel['description']),
		grid: {
			x: asNumber(grid['x']) ?? 0,
			y: asNumber(grid['y']) ?? 0,
			w: asNumber(grid['w']) ?? 12,
			h: asNumber(grid['h']) ?? 8,
		},
		targets: asList(panel['targets']).flatMap((target, i) => readTarget(target, i)),
		transformations: asList(panel['transformations'])
			.map(asObject)
			.filter((each) => !asFlag(each['disabled']))
			.map((each) => ({ id: asText(each['id']), options: asObject(each['options']) })),
		defaults: asObject(fieldConfig['defaults']),
		overrides: asList(fieldConfig['overrides']).map(readOverride),
		options: asObject(panel['options']),
		interval: asText(panel['interval']),
		collapsed: asFlag(panel['collapsed']),
		panels: asList(panel['panels']).map(readPanel),
	};
}

function readTarget(value: unknown, index: number): readonly Target[] {
	const target = asObject(value);
	const expression = asText(target['expr']);
	if (expression === '' || asFlag(target['hide'])) return [];
	return [
		{
			refId: asText(target['refId'], String.fromCharCode(65 + (index % 26))),
			expression,
			legend: asText(target['legendFormat']),
			instant: asFlag(target['instant']) && !asFlag(target['range']),
			interval: asText(target['interval']),
		},
	];
}

function readOverride(value: unknown): FieldOverride {
	const override = asObject(value);
	const matcher = asObject(override['matcher']);
	return {
		matcher: { id: asText(matcher['id']), options: matcher['options'] },
		properties: asList(override['properties']).map((each) => {
			const property = asObject(each);
			return { id: asText(property['id']), value: property['value'] };
		}),
	};
}

/** The rows of a board with the panels that belong to them; panels before the first row have none. */
export interface BoardSection {
	readonly row: Panel | null;
	readonly panels: readonly Panel[];
}

export function sectionsOf(board: Board): readonly BoardSection[] {
	const sections: { row: Panel | null; panels: Panel[] }[] = [{ row: null, panels: [] }];
	const ordered = [...board.panels].sort((a, b) => a.grid.y - b.grid.y || a.grid.x - b.grid.x);
	for (const panel of ordered) {
		if (panel.type === 'row') sections.push({ row: panel, panels: [...panel.panels] });
		else sections.at(-1)?.panels.push(panel);
	}
	return sections.filter(({ row, panels }) => row !== null || panels.length > 0);
}
