import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, visit, type YAMLMap } from 'yaml';

/** More than any file written by hand; `&a [*b, *b]` nine deep is more than any memory. */
const MOST_NODES = 100_000;
const DEEPEST = 200;

/** Writes out every `*alias` and every `<<:` (yaml.org/type/merge.html), which our own files do not have. Throws what `refused` makes. */
export function inlineAliases(document: Document, refused: (message: string) => Error): void {
	let nodes = 0;
	const inlined = (value: unknown, depth: number): unknown => {
		if (++nodes > MOST_NODES || depth > DEEPEST) throw refused('the aliases of the file make it too large; write out what they stand for');
		if (isAlias(value)) {
			const target = value.resolve(document);
			if (target === undefined) throw refused(`the alias *${value.source} has no anchor before it`);
			return inlined(target.clone(), depth + 1);
		}
		if (isMap(value)) mergeInto(value, (inner) => inlined(inner, depth + 1));
		else if (isSeq(value)) value.items = value.items.map((item) => inlined(item, depth + 1));
		return value;
	};
	inlined(document.contents, 0);
	// They are looked up in the document, so they go when no alias is left.
	visit(document, { Value: (_key, node) => void Reflect.deleteProperty(node, 'anchor') });
}

/**
 * As Alertmanager's reader does it, which is not as YAML has it: what is written later wins, whether it is merged or stands in the map
 * itself; maps of labels are put together, and lists of matchers appended (amtool config routes show).
 */
function mergeInto(map: YAMLMap, inlined: (value: unknown) => unknown): void {
	const pairs = new Map<string, Pair>();
	const put = (pair: Pair) => {
		const key = String(pair.key);
		const before = pairs.get(key);
		if (before === undefined) pairs.set(key, pair);
		else if (isMap(before.value) && isMap(pair.value) && MAPS.test(key))
			for (const inner of pair.value.items) before.value.set(inner.key, inner.value);
		else if (isSeq(before.value) && isSeq(pair.value) && key.endsWith('matchers')) before.value.items.push(...pair.value.items);
		else before.value = pair.value;
	};
	for (const pair of map.items) {
		pair.value = inlined(pair.value);
		if (!isMergeKey(pair.key)) put(pair);
		// Of several, the earlier ones win.
		else
			for (const source of isSeq(pair.value) ? pair.value.items.toReversed() : [pair.value]) if (isMap(source)) source.items.forEach(put);
	}
	map.items = [...pairs.values()];
}

const MAPS = /^(?:(?:source_|target_)?match(?:_re)?|headers)$/;

function isMergeKey(key: unknown): boolean {
	return isScalar(key) && key.value === '<<';
}
