import { useMemo, useState } from 'react';
import { dateTimeText } from '../../format/time.ts';
import { useLanguage } from '../../texts/language.tsx';
import type { Panel } from '../board-json.ts';
import { displayValue, mappedValue } from '../field-config.ts';
import type { Frame } from '../frames.ts';
import { asObject, asText } from '../json-read.ts';
import { type Cell, type Column, sortRows, tableOf } from '../table-rows.ts';

export function TablePanel({ panel, frames }: { readonly panel: Panel; readonly frames: readonly Frame[] }) {
	const { texts } = useLanguage();
	const table = useMemo(() => tableOf(panel, frames), [panel, frames]);
	const [order, setOrder] = useState<{ readonly column: number; readonly descending: boolean } | null>(null);
	const rows = order === null ? table.rows : sortRows(table.rows, order.column, order.descending);
	const press = (column: number) =>
		setOrder((before) => {
			if (before?.column !== column) return { column, descending: table.columns[column]?.isNumber === true };
			return { column, descending: !before.descending };
		});
	return (
		<div className="table-panel">
			{table.ignored.map((id) => (
				<p key={id} className="muted">
					{texts.boards.unknownTransformation(id)}
				</p>
			))}
			<table>
				<thead>
					<tr>
						{table.columns.map((column, i) => (
							<th
								key={column.field}
								className={column.isNumber ? 'cell-number' : undefined}
								aria-sort={order?.column === i ? (order.descending ? 'descending' : 'ascending') : 'none'}
							>
								<button type="button" onClick={() => press(i)}>
									{columnTitle(column.title, texts.boards.columns)}
									{order?.column === i ? (order.descending ? ' ↓' : ' ↑') : ''}
								</button>
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{rows.map((row, i) => (
						// biome-ignore lint/suspicious/noArrayIndexKey: rows are drawn anew at every refresh and hold no state
						<tr key={i}>
							{table.columns.map((column, j) => (
								<TableCell key={column.field} column={column} value={row[j] ?? null} />
							))}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

function columnTitle(title: string, words: { readonly time: string; readonly value: string }): string {
	if (title === 'Time') return words.time;
	return title === 'Value' ? words.value : title;
}

function TableCell({ column, value }: { readonly column: Column; readonly value: Cell }) {
	const { language } = useLanguage();
	if (column.field === 'Time') return <td className="num cell-number">{typeof value === 'number' ? dateTimeText(value) : '—'}</td>;
	if (typeof value === 'string') {
		const mapped = mappedValue(value, column.config.mappings);
		return <td style={mapped?.color ? { color: mapped.color, fontWeight: 600 } : undefined}>{mapped?.text ?? value}</td>;
	}
	if (!column.isNumber) return <td>—</td>;
	const shown = displayValue(value, column.config, language);
	const cellType = asText(asObject(column.config.custom['cellOptions'])['type'], 'auto');
	const text = shown.prefix + shown.text + shown.suffix;
	if (cellType.startsWith('color-background') && shown.color !== null) {
		return (
			<td className="num cell-number">
				<span className="cell-filled" style={{ backgroundColor: shown.color }}>
					{text}
				</span>
			</td>
		);
	}
	const colored = cellType === 'color-text' && shown.color !== null;
	return (
		<td className="num cell-number" style={colored ? { color: shown.color, fontWeight: 600 } : undefined}>
			{text}
		</td>
	);
}
