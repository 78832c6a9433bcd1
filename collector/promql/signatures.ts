import type { Labels } from '../../protocol/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import type { VectorMatching } from './ast.ts';

/** Labels named in `names`, which must be sorted. */
export function keepLabels(labels: Labels, names: ReadonlySet<string>): Labels {
	const kept: string[] = [];
	for (let i = 0; i < labels.length; i += 2) {
		if (names.has(labels[i] as string)) kept.push(labels[i] as string, labels[i + 1] as string);
	}
	return kept;
}

export function dropLabels(labels: Labels, names: ReadonlySet<string>): Labels {
	const kept: string[] = [];
	for (let i = 0; i < labels.length; i += 2) {
		if (!names.has(labels[i] as string)) kept.push(labels[i] as string, labels[i + 1] as string);
	}
	return kept;
}

/** The labels by which two sides of an operator are matched. `ignoring` always ignores the name. */
export function signatureLabels(matching: VectorMatching | null): (labels: Labels) => Labels {
	if (matching?.on === true) {
		const names = new Set(matching.labels);
		return (labels) => keepLabels(labels, names);
	}
	const names = new Set([...(matching?.labels ?? []), METRIC_NAME]);
	return (labels) => dropLabels(labels, names);
}
