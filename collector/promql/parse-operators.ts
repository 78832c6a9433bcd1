import type { SyntaxNode } from '@lezer/common';
import { BINARY_OPERATORS, type BinaryOperator, SET_OPERATORS, type VectorMatching } from './ast.ts';

/** The operator as we name it, or `null` for one that the grammar knows and we do not. Words may be written in capitals. */
export function operatorOf(text: string): BinaryOperator | null {
	const name = text.toLowerCase();
	return BINARY_OPERATORS.find((operator) => operator === name) ?? null;
}

/** The written vector matching, `null` when there is none. Set operators are always many-to-many. */
export function matchingOf(
	op: BinaryOperator,
	clause: SyntaxNode | undefined,
	labelName: (node: SyntaxNode) => string,
): VectorMatching | null {
	if (clause === undefined) return null;
	const [labels, include] = clause.getChildren('GroupingLabels').map((group) => labelsIn(group, labelName));
	const left = clause.getChild('GroupLeft') !== null;
	const right = clause.getChild('GroupRight') !== null;
	const grouped = left ? 'many-to-one' : right ? 'one-to-many' : 'one-to-one';
	return {
		card: SET_OPERATORS.has(op) && !left && !right ? 'many-to-many' : grouped,
		labels: labels ?? [],
		on: clause.getChild('On') !== null,
		include: include ?? [],
	};
}

function labelsIn(group: SyntaxNode, labelName: (node: SyntaxNode) => string): readonly string[] {
	return [...group.getChildren('LabelName'), ...group.getChildren('QuotedLabelName')]
		.sort((a, b) => a.from - b.from)
		.map((label) => labelName(label));
}
