import { labelsFromObject } from '../../core/labels.ts';
import type { MetricFamily } from './input.ts';

/** Measurements as `metric{a="b"}` to value, for tests and for people who look at one input. */
export function values(families: readonly MetricFamily[]): Record<string, number> {
	const result: Record<string, number> = {};
	for (const family of families) {
		for (const { labels, value, suffix = '' } of family.measurements) {
			const object: Record<string, string> = {};
			for (let i = 0; i < labels.length; i += 2) object[labels[i] as string] = labels[i + 1] as string;
			const sorted = labelsFromObject(object);
			const pairs: string[] = [];
			for (let i = 0; i < sorted.length; i += 2) pairs.push(`${sorted[i]}="${sorted[i + 1]}"`);
			const name = family.name + suffix;
			result[pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`] = value;
		}
	}
	return result;
}
