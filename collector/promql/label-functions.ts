import { RE2JS } from 're2js';
import { expandTemplate, groupText } from '../../core/go-template/regexp.ts';
import { compareLabels, labelValue, withLabel } from '../../core/labels.ts';
import { type Column, mergeColumns } from './columns.ts';
import { executionError } from './query-error.ts';

/** `label_replace(v, destination, replacement, source, pattern)`: full match; an empty result deletes the label. */
export function labelReplace(
	columns: readonly Column[],
	args: { readonly destination: string; readonly replacement: string; readonly source: string; readonly pattern: string },
): readonly Column[] {
	let pattern: RE2JS;
	try {
		pattern = RE2JS.compile(args.pattern, RE2JS.DOTALL);
	} catch (error) {
		throw executionError(`invalid regular expression in label_replace(): ${args.pattern}: ${error instanceof Error ? error.message : ''}`);
	}
	if (args.destination === '') throw executionError(`invalid destination label name in label_replace(): ${args.destination}`);
	return mergeColumns(
		columns.map((column) => {
			const match = pattern.matcher(labelValue(column.labels, args.source));
			if (!match.matches()) return column;
			const value = expandTemplate(args.replacement, (name) => groupText(match, name));
			return { ...column, labels: withLabel(column.labels, args.destination, value), present: column.present.slice() };
		}),
	);
}

export function labelJoin(
	columns: readonly Column[],
	args: { readonly destination: string; readonly separator: string; readonly sources: readonly string[] },
): readonly Column[] {
	if (args.destination === '') throw executionError(`invalid destination label name in label_join(): ${args.destination}`);
	return mergeColumns(
		columns.map((column) => {
			const value = args.sources.map((source) => labelValue(column.labels, source)).join(args.separator);
			return { ...column, labels: withLabel(column.labels, args.destination, value), present: column.present.slice() };
		}),
	);
}

/** By the values of `names` in natural order (`node9` before `node10`), then by all labels. */
export function sortByLabels(columns: readonly Column[], names: readonly string[], descending: boolean): readonly Column[] {
	const sign = descending ? -1 : 1;
	return [...columns].sort((a, b) => {
		for (const name of names) {
			const order = compareNatural(labelValue(a.labels, name), labelValue(b.labels, name));
			if (order !== 0) return sign * order;
		}
		return sign * compareLabels(a.labels, b.labels);
	});
}

function compareNatural(a: string, b: string): number {
	const left = a.match(/\d+|\D+/g) ?? [];
	const right = b.match(/\d+|\D+/g) ?? [];
	for (let i = 0; i < Math.min(left.length, right.length); i++) {
		const x = left[i] as string;
		const y = right[i] as string;
		if (x === y) continue;
		if (/^\d/.test(x) && /^\d/.test(y)) {
			const difference = BigInt(x) - BigInt(y);
			if (difference !== 0n) return difference < 0n ? -1 : 1;
			return x.length - y.length;
		}
		return x < y ? -1 : 1;
	}
	return left.length - right.length;
}

/** By value; NaN last in both directions. */
export function sortByValue(columns: readonly Column[], descending: boolean): readonly Column[] {
	return [...columns].sort((a, b) => {
		const x = a.values[0] as number;
		const y = b.values[0] as number;
		if (x !== x) return y !== y ? 0 : 1;
		if (y !== y) return -1;
		return descending ? y - x : x - y;
	});
}
