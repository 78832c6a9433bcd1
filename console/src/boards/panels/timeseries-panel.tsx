import { useCallback, useMemo, useState } from 'react';
import { useLanguage } from '../../texts/language.tsx';
import { useBoardSurroundings } from '../board-context.ts';
import type { Panel } from '../board-json.ts';
import { Chart } from '../chart.tsx';
import type { Frame } from '../frames.ts';
import { asFlag, asList, asObject, asText } from '../json-read.ts';
import { Legend } from '../legend.tsx';
import { calculationOf } from '../reduce.ts';
import { linesOf, timeseriesOption } from '../timeseries-option.ts';

export function TimeseriesPanel({ panel, frames }: { readonly panel: Panel; readonly frames: readonly Frame[] }) {
	const { language, texts } = useLanguage();
	const { window, chartGroup, shareTooltip, annotations } = useBoardSurroundings();
	const [shown, setShown] = useState<ReadonlySet<string> | null>(null);
	const lines = useMemo(() => linesOf(frames), [frames]);
	const legend = asObject(panel.options['legend']);
	const tooltip = asObject(panel.options['tooltip']);
	const mode = asText(tooltip['mode'], 'multi');
	const sort = asText(tooltip['sort'], 'none');
	const option = useCallback(
		(isPointed: () => boolean) =>
			timeseriesOption(
				lines,
				{
					window,
					language,
					shown,
					tooltip: mode === 'none' ? 'none' : 'multi',
					tooltipSort: sort === 'desc' || sort === 'asc' ? sort : 'none',
					tickCount: Math.max(3, Math.round(panel.grid.w / 2)),
					shareTooltip,
					annotations,
					markText: (kind) => texts.boards.marks[kind],
				},
				isPointed,
			),
		[lines, window, language, shown, mode, sort, panel.grid.w, shareTooltip, annotations, texts],
	);
	const withLegend = asFlag(legend['showLegend'], true) && legend['displayMode'] !== 'hidden';
	const right = legend['placement'] === 'right';
	return (
		<div className={right ? 'chart-panel chart-panel-right' : 'chart-panel'}>
			<Chart option={option} group={chartGroup} label={panel.title} />
			{withLegend ? (
				<Legend
					lines={lines}
					shown={shown}
					asTable={legend['displayMode'] === 'table'}
					calculations={asList(legend['calcs']).map(calculationOf)}
					onChange={setShown}
				/>
			) : null}
		</div>
	);
}
