import {
	AnnotationQueryBuilder,
	DashboardBuilder,
	DashboardCursorSync,
	DatasourceVariableBuilder,
	QueryVariableBuilder,
	RowBuilder,
	VariableHide,
	VariableRefresh,
	VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { type PanelSpec, placedPanel } from './panels.ts';

/** A part of a board under a heading; the panels flow from left to right and wrap at 24 columns. */
export interface SectionSpec {
	readonly title: string;
	readonly panels: readonly PanelSpec[];
}

export interface VariableSpec {
	readonly name: string;
	readonly label: string;
	/** `label_values(…)` */
	readonly query: string;
	/** Several at once, and all; otherwise exactly one. */
	readonly multi?: boolean;
}

export interface BoardSpec {
	/** Also the file's name, with `fournines-` before it as the uid. */
	readonly name: string;
	readonly title: string;
	readonly description: string;
	readonly tags: readonly string[];
	readonly variables: readonly VariableSpec[];
	readonly sections: readonly SectionSpec[];
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: Grafana's notation of a variable
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;

const COLUMNS = 24;

/** Grafana's JSON. The data source is a variable, so that the board works in any Grafana without an edit. */
export function buildBoard(spec: BoardSpec): object {
	const board = new DashboardBuilder(spec.title)
		.uid(`fournines-${spec.name}`)
		.description(spec.description)
		.tags([...spec.tags])
		.time({ from: 'now-1h', to: 'now' })
		.refresh('30s')
		.timezone('browser')
		.tooltip(DashboardCursorSync.Crosshair)
		.withVariable(new DatasourceVariableBuilder('datasource').label('数据源').type('prometheus').hide(VariableHide.DontHide));
	board.annotation(changes());
	for (const variable of spec.variables) board.withVariable(queryVariable(variable));
	let y = 0;
	let id = 1;
	for (const section of spec.sections) {
		board.withRow(new RowBuilder(section.title).id(id++).gridPos({ x: 0, y, w: COLUMNS, h: 1 }));
		y++;
		let x = 0;
		let rowHeight = 0;
		for (const panel of section.panels) {
			if (x + panel.w > COLUMNS) {
				x = 0;
				y += rowHeight;
				rowHeight = 0;
			}
			board.withPanel(placedPanel(panel, { id: id++, grid: { x, y, w: panel.w, h: panel.h }, datasource: DATASOURCE }));
			x += panel.w;
			rowHeight = Math.max(rowHeight, panel.h);
		}
		y += rowHeight;
	}
	return board.build();
}

/** Changes that were worked on, on every chart of the board. */
function changes(): AnnotationQueryBuilder {
	return new AnnotationQueryBuilder()
		.name('变更')
		.datasource(DATASOURCE)
		.enable(true)
		.iconColor('purple')
		.expr('max by (number, title, executor) (fournines_change_in_progress) > 0')
		.titleFormat('变更 {{number}}：{{title}}')
		.textFormat('{{executor}}')
		.step('30s');
}

function queryVariable({ name, label, query, multi = false }: VariableSpec): QueryVariableBuilder {
	const variable = new QueryVariableBuilder(name)
		.label(label)
		.query(query)
		.datasource(DATASOURCE)
		.refresh(VariableRefresh.OnTimeRangeChanged)
		.sort(VariableSort.AlphabeticalAsc)
		.multi(multi)
		.includeAll(multi);
	return multi ? variable.current({ selected: true, text: 'All', value: '$__all' }) : variable;
}
