/** A step of a path: a key, an index (negative from the end), or all children. */
export type JsonPathStep =
	| { readonly kind: 'key'; readonly key: string }
	| { readonly kind: 'index'; readonly index: number }
	| { readonly kind: 'all' };

/** More values than anybody compares; a list of a million must not become a million strings. */
const MOST_VALUES = 10_000;

/**
 * The part of JSONPath (RFC 9535) that conditions need: `$`, `.name`, `['name']`, `[0]`, `[-1]`, `[*]`, `.*`. `null` for anything else;
 * filters and recursive descent are left out on purpose, because their cost depends on the answer.
 */
export function parseJsonPath(text: string): readonly JsonPathStep[] | null {
	const steps: JsonPathStep[] = [];
	let rest = text.startsWith('$') ? text.slice(1) : `.${text}`;
	while (rest !== '') {
		const match = /^(?:\.(\*|[^.[\]'"*\s]+)|\[(\*|-?[0-9]{1,9})\]|\['([^']*)'\]|\["([^"]*)"\])/.exec(rest);
		if (match === null) return null;
		const [whole, name, bracket, single, double] = match;
		const key = name ?? single ?? double;
		if (name === '*' || bracket === '*') steps.push({ kind: 'all' });
		else if (bracket !== undefined) steps.push({ kind: 'index', index: Number(bracket) });
		else if (key !== undefined) steps.push({ kind: 'key', key });
		rest = rest.slice(whole.length);
	}
	return steps;
}

/** Every value that the path leads to, in order; at most 10,000. */
export function valuesAt(root: unknown, steps: readonly JsonPathStep[]): readonly unknown[] {
	let nodes: unknown[] = [root];
	for (const step of steps) {
		const next: unknown[] = [];
		for (const node of nodes) {
			if (typeof node !== 'object' || node === null) continue;
			if (step.kind === 'all') {
				for (const child of Object.values(node)) {
					if (next.length === MOST_VALUES) break;
					next.push(child);
				}
			} else if (step.kind === 'index') {
				if (!Array.isArray(node)) continue;
				const index = step.index < 0 ? node.length + step.index : step.index;
				if (index >= 0 && index < node.length) next.push(node[index]);
			} else if (Object.hasOwn(node, step.key)) next.push((node as Readonly<Record<string, unknown>>)[step.key]);
		}
		nodes = next;
	}
	return nodes;
}

/** A value as conditions compare it: text as it is, everything else as JSON. */
export function jsonText(value: unknown): string {
	return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
