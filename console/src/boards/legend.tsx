import { useLanguage } from '../texts/language.tsx';
import type { Texts } from '../texts/zh.ts';
import { displayText } from './field-config.ts';
import { type Calculation, reduceValues } from './reduce.ts';
import type { Line } from './timeseries-option.ts';

interface LegendProps {
	readonly lines: readonly Line[];
	readonly shown: ReadonlySet<string> | null;
	readonly asTable: boolean;
	readonly calculations: readonly Calculation[];
	readonly onChange: (shown: ReadonlySet<string> | null) => void;
}

/** A press shows one line alone, a second press all; with Ctrl or ⌘ it adds or takes away. */
export function Legend({ lines, shown, asTable, calculations, onChange }: LegendProps) {
	const { texts, language } = useLanguage();
	const press = (name: string, add: boolean) => {
		if (!add) return onChange(shown?.size === 1 && shown.has(name) ? null : new Set([name]));
		const next = new Set(shown ?? lines.map((line) => line.frame.name));
		if (!next.delete(name)) next.add(name);
		return onChange(next.size === 0 ? null : next);
	};
	const entry = (line: Line) => (
		<button
			type="button"
			className={shown === null || shown.has(line.frame.name) ? 'legend-entry' : 'legend-entry legend-off'}
			title={line.frame.name}
			onClick={(event) => press(line.frame.name, event.ctrlKey || event.metaKey)}
		>
			<i style={{ backgroundColor: line.color }} />
			<span>{line.frame.name}</span>
		</button>
	);
	if (!asTable) {
		return (
			<div className="legend-list">
				{lines.map((line) => (
					<span key={keyOf(line)} className="legend-item">
						{entry(line)}
						{calculations.map((calculation) => (
							<span key={calculation} className="legend-value num">
								{calculations.length > 1 ? `${calculationText(calculation, texts)} ` : ''}
								{displayText(reduceValues(line.values, calculation), line.frame.config, language)}
							</span>
						))}
					</span>
				))}
			</div>
		);
	}
	return (
		<div className="legend-table">
			<table>
				<thead>
					<tr>
						<th />
						{calculations.map((calculation) => (
							<th key={calculation}>{calculationText(calculation, texts)}</th>
						))}
					</tr>
				</thead>
				<tbody>
					{lines.map((line) => (
						<tr key={keyOf(line)}>
							<td>{entry(line)}</td>
							{calculations.map((calculation) => (
								<td key={calculation} className="num">
									{displayText(reduceValues(line.values, calculation), line.frame.config, language)}
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

function keyOf(line: Line): string {
	return `${line.frame.refId} ${line.frame.name} ${JSON.stringify(line.frame.labels)}`;
}

export function calculationText(calculation: Calculation, texts: Texts): string {
	switch (calculation) {
		case 'lastNotNull':
			return texts.boards.calc.last;
		case 'firstNotNull':
			return texts.boards.calc.first;
		default:
			return texts.boards.calc[calculation];
	}
}
