import { interpolate, type Scope } from './interpolate.ts';
import { chosenValues, customOptions, parseLabelValues, sortedOptions, type Variable, type VariableOption } from './variable.ts';

/** The values of a label, of all series or of those that a selector matches. */
export type AskLabelValues = (label: string, selector: string) => Promise<readonly string[]>;

/** Options and choice of every variable, in order. A query that is not `label_values(…)` has no options. */
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
