import type { MetricFamily } from '../../agent/inputs/input.ts';
import { values } from '../../agent/inputs/measured-values.ts';

/** A page of metrics: types by metric, values by `name{a="b"}` with sorted labels. */
export interface Page {
	readonly types: ReadonlyMap<string, string>;
	readonly series: ReadonlyMap<string, number>;
}

/** Text format as the exporters write it. Labels without a value are no labels. */
export function readPage(text: string): Page {
	const types = new Map<string, string>();
	const series = new Map<string, number>();
	for (const line of text.split('\n')) {
		const type = /^# TYPE (\S+) (\S+)$/.exec(line);
		if (type !== null) types.set(type[1] ?? '', type[2] ?? '');
		const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
		if (sample === null) continue;
		const labels = [...(sample[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].filter((pair) => pair[2] !== '').map((pair) => pair[0]);
		series.set(
			`${sample[1]}${labels.length === 0 ? '' : `{${labels.sort().join(',')}}`}`,
			Number((sample[3] ?? '').replace('Inf', 'Infinity')),
		);
	}
	return { types, series };
}

export type DifferenceKind = 'only the agent has it' | 'type' | 'labels' | 'value';

export interface Difference {
	readonly metric: string;
	readonly kind: DifferenceKind;
	/** One example. */
	readonly detail: string;
}

/**
 * Compares what the agent read with what an exporter read before and after it. Only metrics of the exporter's own world are
 * looked at: names that begin with `fournines_` are the agent's. A counter must lie between the two readings, a gauge
 * within a tenth of them: that is what time can explain.
 */
export function differences(ours: readonly MetricFamily[], before: Page, after: Page): readonly Difference[] {
	const found = new Map<string, Difference>();
	const note = (metric: string, kind: DifferenceKind, detail: string) => {
		if (!found.has(`${metric} ${kind}`)) found.set(`${metric} ${kind}`, { metric, kind, detail });
	};
	for (const family of ours) {
		if (family.name.startsWith('fournines_')) continue;
		const theirType = after.types.get(family.name);
		if (theirType === undefined) {
			note(family.name, 'only the agent has it', family.type);
			continue;
		}
		const type = family.type === 'unknown' ? 'untyped' : family.type;
		if (type !== theirType) note(family.name, 'type', `${type}, theirs ${theirType}`);
		for (const [name, value] of Object.entries(values([family]))) {
			const first = before.series.get(name);
			const last = after.series.get(name);
			if (first === undefined || last === undefined) {
				note(family.name, 'labels', name);
				continue;
			}
			if (!agrees(value, first, last, theirType)) note(family.name, 'value', `${name} ${value}, theirs ${first} and ${last}`);
		}
	}
	return [...found.values()];
}

function agrees(value: number, before: number, after: number, type: string): boolean {
	if (Object.is(value, before) || Object.is(value, after)) return true;
	// Sums of floats that were added in another order differ in their last digits.
	const slack = 1e-9 * Math.max(Math.abs(before), Math.abs(after));
	if (value >= Math.min(before, after) - slack && value <= Math.max(before, after) + slack) return true;
	if (type === 'counter') return false;
	const distance = Math.min(Math.abs(value - before), Math.abs(value - after));
	// Two more or less of what is counted one by one; of a duration or a ratio only its share.
	const few = Number.isInteger(before) && Number.isInteger(after) && Number.isInteger(value) ? 2 : 0;
	return distance <= Math.max(few, 0.1 * Math.max(Math.abs(before), Math.abs(after)));
}

/** Rows `| exporter | metric | difference | reason |` of docs/parity.md; `metric` may end with `*`. */
export interface ParityRow {
	readonly exporter: string;
	readonly metric: string;
	readonly kind: string;
	readonly reason: string;
}

export function readParityTable(markdown: string): readonly ParityRow[] {
	return [...markdown.matchAll(/^\| (\w+) \| `([^`]+)` \| ([^|]+) \| ([^|]+) \|$/gm)].map((match) => ({
		exporter: match[1] ?? '',
		metric: match[2] ?? '',
		kind: (match[3] ?? '').trim(),
		reason: (match[4] ?? '').trim(),
	}));
}

export function covers(row: ParityRow, exporter: string, difference: Difference): boolean {
	const name = row.metric.endsWith('*') ? difference.metric.startsWith(row.metric.slice(0, -1)) : difference.metric === row.metric;
	return row.exporter === exporter && name && row.kind === difference.kind;
}
