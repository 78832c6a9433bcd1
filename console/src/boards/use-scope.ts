import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { labelValues } from '../api/prometheus.ts';
import type { Board } from './board-json.ts';
import { interpolate, type Scope } from './interpolate.ts';
import type { TimeWindow } from './time-range.ts';
import { chosenValues, customOptions, parseLabelValues, sortedOptions, type Variable, type VariableOption } from './variable.ts';

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

type AskLabelValues = (label: string, selector: string) => Promise<readonly string[]>;

export async function resolveScope(
	variables: readonly Variable[],
	wanted: Readonly<Record<string, readonly string[]>>,
	ask: AskLabelValues,
): Promise<Scope> {
	const scope: Record<string, Scope[string]> = {};
	for (const variable of variables) {
		if (variable.name === '' || variable.kind === 'datasource') continue;
		const options = await optionsOf(variable, scope, ask);
		scope[variable.name] = { variable, options, values: chosenValues(variable, options, wanted[variable.name] ?? []) };
	}
	return scope;
}

async function optionsOf(variable: Variable, scope: Scope, ask: AskLabelValues): Promise<readonly VariableOption[]> {
	if (variable.kind !== 'query') return customOptions(variable.query);
	const query = parseLabelValues(interpolate(variable.query, scope));
	if (query === null) return [];
	return sortedOptions(await ask(query.label, query.selector), variable);
}
