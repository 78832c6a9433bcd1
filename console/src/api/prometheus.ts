import { request } from './client.ts';

export type PromLabels = Readonly<Record<string, string>>;
export type PromPoint = readonly [seconds: number, value: string];

export interface PromSeries {
	readonly metric: PromLabels;
	readonly values: readonly PromPoint[];
}

interface Envelope<T> {
	readonly status: string;
	readonly data: T;
	readonly warnings?: readonly string[];
}

interface VectorRow {
	readonly metric: PromLabels;
	readonly value: PromPoint;
}

type QueryData =
	| { readonly resultType: 'matrix'; readonly result: readonly PromSeries[] }
	| { readonly resultType: 'vector'; readonly result: readonly VectorRow[] }
	| { readonly resultType: 'scalar' | 'string'; readonly result: PromPoint };

export async function queryRange(
	expression: string,
	range: { readonly startSeconds: number; readonly endSeconds: number; readonly stepSeconds: number },
	signal: AbortSignal,
): Promise<readonly PromSeries[]> {
	const form = new URLSearchParams({
		query: expression,
		start: String(range.startSeconds),
		end: String(range.endSeconds),
		step: String(range.stepSeconds),
	});
	const { data } = await request<Envelope<QueryData>>('/api/v1/query_range', { method: 'POST', form, signal });
	return seriesOf(data);
}

/** One point per series, in the shape of a range, so that panels need not care. */
export async function queryInstant(expression: string, timeSeconds: number, signal: AbortSignal): Promise<readonly PromSeries[]> {
	const form = new URLSearchParams({ query: expression, time: String(timeSeconds) });
	const { data } = await request<Envelope<QueryData>>('/api/v1/query', { method: 'POST', form, signal });
	return seriesOf(data);
}

function seriesOf(data: QueryData): readonly PromSeries[] {
	switch (data.resultType) {
		case 'matrix':
			return data.result;
		case 'vector':
			return data.result.map(({ metric, value }) => ({ metric, values: [value] }));
		case 'scalar':
			return [{ metric: {}, values: [data.result] }];
		case 'string':
			return [];
	}
}

/** The values that a label has, of all series or of those that a selector matches, sorted. */
export async function labelValues(
	label: string,
	options: { readonly selector: string; readonly startSeconds: number; readonly endSeconds: number; readonly signal: AbortSignal },
): Promise<readonly string[]> {
	const query = new URLSearchParams({ start: String(options.startSeconds), end: String(options.endSeconds) });
	if (options.selector !== '') query.set('match[]', options.selector);
	const { data } = await request<Envelope<readonly string[]>>(`/api/v1/label/${encodeURIComponent(label)}/values?${query}`, {
		signal: options.signal,
	});
	return data;
}
