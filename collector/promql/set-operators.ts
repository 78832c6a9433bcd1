import { labelsKey } from '../../core/labels.ts';
import type { VectorMatching } from './ast.ts';
import type { Column } from './columns.ts';
import { signatureLabels } from './signatures.ts';

/** `and`, `or`, `unless`: values and names are those of the side that an element comes from. */
export function setOperation(
	op: 'and' | 'or' | 'unless',
	left: readonly Column[],
	right: readonly Column[],
	matching: VectorMatching | null,
): readonly Column[] {
	const signature = signatureLabels(matching);
	if (op === 'or') {
		const taken = presenceBySignature(left, signature);
		return [...left.map(copy), ...right.map((column) => masked(column, taken.get(labelsKey(signature(column.labels))), false))];
	}
	const other = presenceBySignature(right, signature);
	return left.map((column) => masked(column, other.get(labelsKey(signature(column.labels))), op === 'and'));
}

function presenceBySignature(
	columns: readonly Column[],
	signature: (labels: Column['labels']) => Column['labels'],
): Map<string, Uint8Array> {
	const result = new Map<string, Uint8Array>();
	for (const column of columns) {
		const key = labelsKey(signature(column.labels));
		const known = result.get(key);
		if (known === undefined) {
			result.set(key, column.present.slice());
			continue;
		}
		for (let i = 0; i < known.length; i++) if (column.present[i] === 1) known[i] = 1;
	}
	return result;
}

/** `column` where `mask` is 1 (`keep`), or where it is not. No mask means that no element has that signature. */
function masked(column: Column, mask: Uint8Array | undefined, keep: boolean): Column {
	const present = column.present.slice();
	const values = column.values.slice();
	if (mask === undefined) {
		if (keep) present.fill(0);
		return { labels: column.labels, values, present };
	}
	for (let i = 0; i < present.length; i++) if ((mask[i] === 1) !== keep) present[i] = 0;
	return { labels: column.labels, values, present };
}

/** Merging writes into columns, so an operand that may be shared is copied first. */
function copy(column: Column): Column {
	return { labels: column.labels, values: column.values.slice(), present: column.present.slice() };
}
