import { compareLabels, labelsKey, labelValue } from '../../core/labels.ts';
import type { Labels } from '../../protocol/labels.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import { isStaleAt, type Queryable, type SelectOptions } from '../storage/storage.ts';
import { formatSample } from './go-float.ts';
import { selectorMatchers } from './selector-text.ts';

export interface FederateRequest {
	readonly kind: 'federate';
	/** At least one series selector. */
	readonly selectors: readonly string[];
	readonly timeMs: number;
	readonly lookbackMs?: number;
	/** Added where a series has no label of that name. */
	readonly externalLabels?: Readonly<Record<string, string>>;
	readonly limit?: number;
}

const DEFAULT_LOOKBACK_MS = 300_000;

/**
 * The latest sample of each selected series in the text exposition format, with its time, as `/federate` of Prometheus
 * gives it: series that end in a stale marker are left out, and a series without `instance` gets an empty one, so that the
 * reader does not put his own there.
 */
export async function federate(
	queryable: Queryable,
	request: FederateRequest,
	options: SelectOptions,
): Promise<{ readonly text: string; readonly truncated: boolean }> {
	const { timeMs, selectors } = request;
	const found = new Map<string, { readonly labels: Labels; readonly line: string }>();
	for (const selector of selectors) {
		const fromMs = timeMs - (request.lookbackMs ?? DEFAULT_LOOKBACK_MS) + 1;
		for (const { labels, timestamps, values } of await queryable.select(selectorMatchers(selector), fromMs, timeMs, options)) {
			const last = values.length - 1;
			if (last < 0 || isStaleAt(values, last)) continue;
			const line = `${seriesText(labels, request.externalLabels ?? {})} ${formatSample(values[last] as number)} ${timestamps[last]}\n`;
			found.set(labelsKey(labels), { labels, line });
		}
	}
	const sorted = [...found.values()].sort((a, b) => compareLabels(a.labels, b.labels));
	const limit = request.limit ?? 0;
	const truncated = limit > 0 && sorted.length > limit;
	let text = '';
	let name = '';
	for (const { labels, line } of truncated ? sorted.slice(0, limit) : sorted) {
		const own = labelValue(labels, METRIC_NAME);
		if (own === '') continue;
		if (own !== name) text += `# TYPE ${own} untyped\n`;
		name = own;
		text += line;
	}
	return { text, truncated };
}

function seriesText(labels: Labels, externalLabels: Readonly<Record<string, string>>): string {
	const pairs: string[] = [];
	for (let i = 0; i < labels.length; i += 2) {
		if (labels[i] !== METRIC_NAME) pairs.push(`${labels[i]}="${escaped(labels[i + 1] as string)}"`);
	}
	for (const [name, value] of Object.entries({ instance: '', ...externalLabels })) {
		if (labelValue(labels, name) === '') pairs.push(`${name}="${escaped(value)}"`);
	}
	return `${labelValue(labels, METRIC_NAME)}{${pairs.join(',')}}`;
}

function escaped(value: string): string {
	return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
