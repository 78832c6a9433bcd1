/** The value at a dotted path, `a.b.0.c`; `undefined` when it is not there. Own keys only. */
export function valueAt(root: unknown, path: string): unknown {
	let node: unknown = root;
	for (const key of path.split('.')) {
		if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) return undefined;
		node = (node as Readonly<Record<string, unknown>>)[key];
	}
	return node;
}
