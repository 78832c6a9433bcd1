import { METRIC_NAME } from '../../../protocol/labels.ts';
import type { Panel } from './board-json.ts';
import { type FieldConfig, fieldConfigOf } from './field-config.ts';
import type { Frame } from './frames.ts';
import { asFlag, asList, asObject, asText } from './json-read.ts';
import { reduceValues } from './reduce.ts';

export type Cell = string | number | null;

export interface Column {
	/** The field's own name, which overrides and transformations use: a label, `Value` or `Value #A`, `Time`. */
	readonly field: string;
	/** What is written above it. */
	readonly title: string;
	readonly config: FieldConfig;
	readonly isNumber: boolean;
}

export interface Table {
	readonly columns: readonly Column[];
	readonly rows: readonly (readonly Cell[])[];
	/** Ids of transformations that the viewer does not know and has left out. */
	readonly ignored: readonly string[];
}

const KNOWN = ['merge', 'organize', 'sortBy', 'filterFieldsByName', 'labelsToFields', 'seriesToColumns', 'joinByField'];
const JOINING = ['merge', 'seriesToColumns', 'joinByField'];

/** Instant answers as a table: a row per label set, a column per label and per query; then the board's transformations. */
export function tableOf(panel: Panel, frames: readonly Frame[]): Table {
	const refIds = [...new Set(panel.targets.map((target) => target.refId))];
	const valueField = (refId: string) => (refIds.length > 1 ? `Value #${refId}` : 'Value');
	const labels = [...new Set(frames.flatMap((frame) => Object.keys(frame.labels)))].filter((name) => name !== METRIC_NAME);
	const joins = panel.transformations.some(({ id }) => JOINING.includes(id));
	const shared = labelsOfEveryQuery(frames);
	const rows = new Map<string, Map<string, Cell>>();
	frames.forEach((frame, i) => {
		const field = valueField(frame.refId);
		const joined = shared.map((name) => [name, frame.labels[name] ?? '']);
		// Two series of one query stay two rows, also where what tells them apart is in no other query.
		const same = joins ? rows.get(JSON.stringify(joined)) : undefined;
		const key =
			same === undefined ? JSON.stringify(joins ? joined : i) : same.has(field) ? JSON.stringify([joined, i]) : JSON.stringify(joined);
		const row = rows.get(key) ?? new Map<string, Cell>();
		for (const [name, value] of Object.entries(frame.labels)) row.set(name, value);
		row.set('Time', frame.timesMs.at(-1) ?? null);
		row.set(field, reduceValues(frame.values, 'lastNotNull'));
		rows.set(key, row);
	});
	const fields = ['Time', ...labels.sort(), ...refIds.map(valueField)];
	const numbers = new Set(['Time', ...refIds.map(valueField)]);
	const { order, titles, hidden } = organized(panel, fields);
	const columns = order
		.filter((field) => !hidden.has(field))
		.map((field): Column => {
			const title = titles.get(field) ?? field;
			const type = field === 'Time' ? 'time' : numbers.has(field) ? 'number' : 'string';
			const config = fieldConfigOf(panel, { name: title, refId: /^Value #(.+)$/.exec(field)?.[1] ?? refIds[0] ?? '', type });
			return { field, title: config.displayName === '' ? title : config.displayName, config, isNumber: numbers.has(field) };
		})
		.filter(({ config }) => !asFlag(config.custom['hidden']));
	return {
		columns,
		rows: sorted(
			panel,
			columns,
			[...rows.values()].map((row) => columns.map(({ field }) => row.get(field) ?? null)),
		),
		ignored: panel.transformations.map(({ id }) => id).filter((id) => !KNOWN.includes(id)),
	};
}

/** What merging joins by, as Grafana does: the labels that each query has. One of them may have summed others away. */
function labelsOfEveryQuery(frames: readonly Frame[]): readonly string[] {
	const names = new Map<string, Set<string>>();
	for (const { refId, labels } of frames) {
		const known = names.get(refId) ?? new Set();
		for (const name of Object.keys(labels)) if (name !== METRIC_NAME) known.add(name);
		names.set(refId, known);
	}
	const [first = new Set<string>(), ...others] = names.values();
	return [...first].filter((name) => others.every((known) => known.has(name))).sort();
}

interface Organized {
	readonly order: readonly string[];
	readonly titles: ReadonlyMap<string, string>;
	readonly hidden: ReadonlySet<string>;
}

function organized(panel: Panel, fields: readonly string[]): Organized {
	const titles = new Map<string, string>();
	const hidden = new Set<string>();
	let order = [...fields];
	for (const { id, options } of panel.transformations) {
		if (id === 'organize') {
			for (const [field, excluded] of Object.entries(asObject(options['excludeByName']))) if (excluded === true) hidden.add(field);
			for (const [field, title] of Object.entries(asObject(options['renameByName'])))
				if (asText(title) !== '') titles.set(field, asText(title));
			const index = asObject(options['indexByName']);
			const place = (field: string) => (typeof index[field] === 'number' ? index[field] : Number.POSITIVE_INFINITY);
			order = order
				.map((field, i) => ({ field, i }))
				.sort((a, b) => placeOrder(place(a.field), place(b.field)) || a.i - b.i)
				.map(({ field }) => field);
		}
		if (id === 'filterFieldsByName') {
			const names = asList(asObject(options['include'])['names']);
			if (names.length > 0) for (const field of fields) if (!names.includes(field)) hidden.add(field);
		}
	}
	return { order, titles, hidden };
}

/** Subtracting would make NaN of two infinities. */
function placeOrder(a: number, b: number): number {
	return a === b ? 0 : a < b ? -1 : 1;
}

function sorted(panel: Panel, columns: readonly Column[], rows: readonly (readonly Cell[])[]): readonly (readonly Cell[])[] {
	const byTransformation = asObject(asList(panel.transformations.find(({ id }) => id === 'sortBy')?.options['sort'])[0]);
	const byOption = asObject(asList(panel.options['sortBy'])[0]);
	const name = asText(byTransformation['field']) || asText(byOption['displayName']);
	const descending = byTransformation['desc'] === true || byOption['desc'] === true;
	return sortRows(
		rows,
		columns.findIndex((column) => column.title === name || column.field === name),
		descending,
	);
}

/** By one column; what has no value is last, whichever the direction. */
export function sortRows(rows: readonly (readonly Cell[])[], column: number, descending: boolean): readonly (readonly Cell[])[] {
	if (column < 0) return rows;
	const sign = descending ? -1 : 1;
	return [...rows].sort((left, right) => {
		const a = left[column] ?? null;
		const b = right[column] ?? null;
		if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
		if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
		return sign * String(a).localeCompare(String(b), 'zh-CN', { numeric: true });
	});
}
