import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { queryInstant, queryRange } from '../api/prometheus.ts';
import { useBoardSurroundings } from './board-context.ts';
import type { Panel, Target } from './board-json.ts';
import { type Frame, framesOf, type TargetResult } from './frames.ts';
import { interpolate } from './interpolate.ts';
import { builtInValues, parseSpanSeconds, SCRAPE_SECONDS, stepSeconds } from './time-range.ts';

/** Points per column of the grid: a full row has 480, about one every three pixels. */
const POINTS_PER_COLUMN = 20;
const MIN_POINTS = 100;

interface Grid {
	readonly startSeconds: number;
	readonly endSeconds: number;
	readonly stepSeconds: number;
}

interface PlannedQuery {
	readonly target: Target;
	readonly expression: string;
}

export interface PanelData {
	readonly frames: readonly Frame[];
	readonly error: unknown;
	readonly isLoading: boolean;
}

/**
 * The panel's queries with every variable filled in, on a grid whose ends are multiples of the step, so that two
 * refreshes within a step ask for the same and values do not tremble. Nothing is asked while the panel is out of sight.
 */
export function usePanelData(panel: Panel, visible: boolean): PanelData {
	const { window, scope } = useBoardSurroundings();
	const { grid, queries } = useMemo(() => plan(panel, window, scope), [panel, window, scope]);
	const result = useQuery({
		queryKey: ['panel', queries.map(({ expression, target }) => [expression, target.instant]), grid],
		queryFn: ({ signal }): Promise<readonly TargetResult[]> =>
			Promise.all(
				queries.map(async ({ target, expression }) => ({
					target,
					series: await (target.instant ? queryInstant(expression, grid.endSeconds, signal) : queryRange(expression, grid, signal)),
				})),
			),
		enabled: visible && queries.length > 0,
		placeholderData: keepPreviousData,
		staleTime: Number.POSITIVE_INFINITY,
		gcTime: 10_000,
		retry: false,
	});
	const frames = useMemo(() => (result.data === undefined ? [] : framesOf(panel, result.data, grid)), [panel, result.data, grid]);
	return { frames, error: result.error, isLoading: result.isPending && queries.length > 0 };
}

function plan(
	panel: Panel,
	window: { readonly fromMs: number; readonly toMs: number },
	scope: Parameters<typeof interpolate>[1],
): { readonly grid: Grid; readonly queries: readonly PlannedQuery[] } {
	const points = Math.max(MIN_POINTS, panel.grid.w * POINTS_PER_COLUMN);
	const asked = [panel.interval, ...panel.targets.map((target) => target.interval)].find((interval) => interval !== '') ?? '';
	const minimum = parseSpanSeconds(interpolate(asked, scope)) ?? SCRAPE_SECONDS;
	const step = stepSeconds(window, points, Math.max(1, minimum));
	const align = (ms: number) => Math.floor(ms / 1000 / step) * step;
	const builtIn = builtInValues(window, step);
	return {
		grid: { startSeconds: align(window.fromMs), endSeconds: align(window.toMs), stepSeconds: step },
		queries: panel.targets.map((target) => ({ target, expression: interpolate(target.expression, scope, builtIn) })),
	};
}
