import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { labelValues } from '../api/prometheus.ts';
import type { Board } from './board-json.ts';
import { resolveScope } from './resolve-scope.ts';
import type { TimeWindow } from './time-range.ts';

/** Options change when machines come and go, not with every refresh. */
const OPTIONS_MS = 60_000;

export interface ScopeRequest {
	readonly board: Board;
	/** What the address asks for, by variable. */
	readonly wanted: Readonly<Record<string, readonly string[]>>;
	readonly window: TimeWindow;
}

/** Options and choice of every variable, in order, because a later one may ask with an earlier one's value. */
export function useScope({ board, wanted, window }: ScopeRequest) {
	const endMs = Math.ceil(window.toMs / OPTIONS_MS) * OPTIONS_MS;
	const spanMs = Math.max(OPTIONS_MS, Math.ceil((window.toMs - window.fromMs) / OPTIONS_MS) * OPTIONS_MS);
	return useQuery({
		queryKey: ['variables', board.uid, wanted, endMs, spanMs],
		queryFn: ({ signal }) =>
			resolveScope(board.variables, wanted, (label, selector) =>
				labelValues(label, { selector, startSeconds: (endMs - spanMs) / 1000, endSeconds: endMs / 1000, signal }),
			),
		placeholderData: keepPreviousData,
		staleTime: Number.POSITIVE_INFINITY,
		gcTime: OPTIONS_MS,
	});
}
