import { ReloadOutlined } from '@ant-design/icons';
import { Button, Input, Select } from 'antd';
import { useTexts } from '../texts/language.tsx';
import type { Texts } from '../texts/zh.ts';
import type { Scope, VariableValue } from './interpolate.ts';
import type { TimeRange } from './time-range.ts';
import { ALL } from './variable.ts';

interface RangeControlsProps {
	readonly range: TimeRange;
	readonly refresh: string;
	readonly isRefreshing: boolean;
	readonly onRange: (range: TimeRange) => void;
	readonly onRefresh: (refresh: string) => void;
	readonly onRefreshNow: () => void;
}

export const REFRESH_CHOICES = ['5s', '10s', '30s', '1m', '5m'] as const;

export function RangeControls({ range, refresh, isRefreshing, onRange, onRefresh, onRefreshNow }: RangeControlsProps) {
	const texts = useTexts();
	const spans = Object.entries(texts.boards.last) as [keyof Texts['boards']['last'], string][];
	const current = `${range.from} ${range.to}`;
	const options = spans.map(([span, label]) => ({ value: `now-${span} now`, label }));
	// A range that came with the board or the address and is none of ours.
	if (!options.some(({ value }) => value === current)) options.unshift({ value: current, label: `${range.from} → ${range.to}` });
	return (
		<div className="board-range">
			<Select
				aria-label={texts.boards.range}
				value={current}
				options={options}
				popupMatchSelectWidth={false}
				onChange={(value: string) => {
					const [from = 'now-1h', to = 'now'] = value.split(' ');
					onRange({ from, to });
				}}
			/>
			<Select
				aria-label={texts.boards.refresh}
				value={refresh}
				popupMatchSelectWidth={false}
				options={[
					{ value: '', label: `${texts.boards.refresh} ${texts.boards.off}` },
					...[...new Set([...REFRESH_CHOICES, ...(refresh === '' ? [] : [refresh])])].map((value) => ({
						value,
						label: `${texts.boards.refresh} ${value}`,
					})),
				]}
				onChange={onRefresh}
			/>
			<Button
				icon={<ReloadOutlined spin={isRefreshing} />}
				aria-label={texts.boards.refreshNow}
				title={texts.boards.refreshNow}
				onClick={onRefreshNow}
			/>
		</div>
	);
}

export function VariableControls({
	scope,
	onChange,
}: {
	readonly scope: Scope;
	readonly onChange: (name: string, values: readonly string[]) => void;
}) {
	const shown = Object.values(scope).filter(({ variable }) => !variable.hidden);
	if (shown.length === 0) return null;
	return (
		<div className="board-variables">
			{shown.map((value) => (
				<VariableControl key={value.variable.name} value={value} onChange={(values) => onChange(value.variable.name, values)} />
			))}
		</div>
	);
}

function VariableControl({ value, onChange }: { readonly value: VariableValue; readonly onChange: (values: readonly string[]) => void }) {
	const texts = useTexts();
	const { variable, options, values } = value;
	const id = `variable-${variable.name}`;
	const choices = [
		...(variable.includeAll ? [{ value: ALL, label: texts.boards.all }] : []),
		...options.map((option) => ({ value: option.value, label: option.text })),
	];
	return (
		<div className="board-variable">
			<label htmlFor={id}>{variable.label}</label>
			{variable.kind === 'textbox' ? (
				<Input
					id={id}
					key={values[0] ?? ''}
					defaultValue={values[0] ?? ''}
					onPressEnter={(event) => onChange([event.currentTarget.value])}
				/>
			) : null}
			{variable.kind !== 'textbox' && variable.multi ? (
				<Select
					id={id}
					mode="multiple"
					maxTagCount="responsive"
					value={[...values]}
					options={choices}
					notFoundContent={texts.boards.noOptions}
					popupMatchSelectWidth={false}
					className="board-select-multi"
					onChange={(next: string[]) => onChange(withoutMixedAll(values, next))}
				/>
			) : null}
			{variable.kind !== 'textbox' && !variable.multi ? (
				<Select
					id={id}
					showSearch
					value={values[0] ?? null}
					options={choices}
					notFoundContent={texts.boards.noOptions}
					popupMatchSelectWidth={false}
					className="board-select"
					onChange={(next: string | null) => onChange(next === null ? [] : [next])}
				/>
			) : null}
		</div>
	);
}

/** "All" and single values exclude each other: the one that was chosen last stays. */
export function withoutMixedAll(before: readonly string[], next: readonly string[]): readonly string[] {
	if (!next.includes(ALL)) return next;
	return before.includes(ALL) ? next.filter((value) => value !== ALL) : [ALL];
}
