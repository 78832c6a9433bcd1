import { labelsKey } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import type { Column } from './columns.ts';
import { dropLabels, keepLabels } from './signatures.ts';

export interface Group {
	readonly labels: Labels;
	readonly members: Column[];
}

/** The labels of the group that a series belongs to. */
export function groupLabels(grouping: readonly string[], without: boolean): (labels: Labels) => Labels {
	if (without) {
		const names = new Set([...grouping, METRIC_NAME]);
		return (labels) => dropLabels(labels, names);
	}
	const names = new Set(grouping);
	return names.size === 0 ? () => [] : (labels) => keepLabels(labels, names);
}

/** Groups in order of first appearance. */
export function groupColumns(columns: readonly Column[], labelsOf: (labels: Labels) => Labels): readonly Group[] {
	const groups = new Map<string, Group>();
	for (const column of columns) {
		const labels = labelsOf(column.labels);
		const key = labelsKey(labels);
		const group = groups.get(key);
		if (group === undefined) groups.set(key, { labels, members: [column] });
		else group.members.push(column);
	}
	return [...groups.values()];
}
