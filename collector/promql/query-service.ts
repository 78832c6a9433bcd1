import { AppError, errorText } from '../../core/errors.ts';
import type { Matcher, Queryable } from '../storage/storage.ts';
import type { Engine, QueryOptions, QueryStats } from './engine.ts';
import { type FederateRequest, federate } from './federation.ts';
import { JsonBytes } from './json-bytes.ts';
import { statsJson } from './query-stats-json.ts';
import { type ReadRequest, readSamples } from './remote-read.ts';
import { expectedBytes, labelsJson, MAX_BYTES, writeResult } from './result-json.ts';
import { selectorMatchers } from './selector-text.ts';

/** Everything here is plain data, so that a request can be posted to a worker and its answer transferred back. */
export interface InstantRequest {
	readonly kind: 'instant';
	readonly query: string;
	readonly timeMs: number;
	/** Most series in the answer; 0 or absent is all. */
	readonly limit?: number;
	readonly lookbackMs?: number;
	readonly timeoutMs?: number;
	/** Adds `stats` to the answer: totals, or with `all` also the samples of each step. */
	readonly stats?: 'totals' | 'all';
}

export interface RangeRequest {
	readonly kind: 'range';
	readonly query: string;
	readonly startMs: number;
	readonly endMs: number;
	readonly stepMs: number;
	readonly limit?: number;
	readonly lookbackMs?: number;
	readonly timeoutMs?: number;
	readonly stats?: 'totals' | 'all';
}

/** `selectors` are series selectors as text (`match[]`); none means all series where that is allowed. */
interface SelectionRequest {
	readonly selectors: readonly string[];
	readonly startMs: number;
	readonly endMs: number;
	readonly limit?: number;
}

export interface SeriesRequest extends SelectionRequest {
	readonly kind: 'series';
}

export interface LabelsRequest extends SelectionRequest {
	readonly kind: 'labels';
}

export interface LabelValuesRequest extends SelectionRequest {
	readonly kind: 'labelValues';
	readonly name: string;
}

export type QueryRequest =
	| InstantRequest
	| RangeRequest
	| SeriesRequest
	| LabelsRequest
	| LabelValuesRequest
	| FederateRequest
	| ReadRequest;

export interface QueryAnswer {
	/**
	 * The whole body of Prometheus' answer as UTF-8, made here so that nobody has to copy it again; of `federate` the text exposition, of `read`
	 * a protobuf `ReadResponse`. It begins its buffer, which may be longer and belongs to the receiver.
	 */
	readonly json: Uint8Array<ArrayBuffer>;
	readonly warnings: readonly string[];
	readonly infos: readonly string[];
	/** Only of queries. */
	readonly stats?: QueryStats;
	/** How long it took to make, in milliseconds, with everything but waiting and sending. */
	readonly spentMs?: number;
}

export interface ExecuteOptions {
	readonly signal?: AbortSignal;
	readonly cancelFlag?: Int32Array;
	/** Who asks, for the slow-query log and for fairness between those who wait. */
	readonly caller?: string;
}

/** Answers the reading half of the Prometheus API. Rejects with `AppError`: its `status` is the HTTP status. */
export interface QueryService {
	execute(request: QueryRequest, options?: ExecuteOptions): Promise<QueryAnswer>;
}

/** An error that can be posted between threads. */
export interface QueryFailure {
	readonly code: string;
	readonly message: string;
	readonly status: number;
	readonly retryable: boolean;
}

export function failureOf(error: unknown): QueryFailure {
	if (error instanceof AppError) return { code: error.code, message: error.message, status: error.status, retryable: error.retryable };
	return { code: 'FN_QUERY_INTERNAL', message: `the query failed: ${errorText(error)}`, status: 500, retryable: false };
}

export function errorOf(failure: QueryFailure): AppError {
	return new AppError(failure.code, failure.message, { status: failure.status, retryable: failure.retryable });
}

/** The service in this thread. */
export function localQueryService(engine: Engine, queryable: Queryable): QueryService {
	const answer = answering(engine, queryable);
	return {
		execute: async (request, options = {}) => {
			const begun = performance.now();
			const answered = await answer(request, options);
			return { ...answered, spentMs: performance.now() - begun };
		},
	};
}

function answering(engine: Engine, queryable: Queryable): (request: QueryRequest, options: ExecuteOptions) => Promise<QueryAnswer> {
	return async (request, options) => {
		switch (request.kind) {
			case 'instant':
			case 'range':
				return query(engine, request, options);
			case 'series':
				return series(queryable, request, options);
			case 'federate': {
				const { text, truncated } = await federate(queryable, request, selectOptions(options));
				return { json: new TextEncoder().encode(text), warnings: truncated ? [TRUNCATED] : [], infos: [] };
			}
			case 'read':
				return { json: await readSamples(queryable, request, selectOptions(options)), warnings: [], infos: [] };
			case 'labels':
				return names(
					request,
					await union(request, (matchers, from, to) => queryable.labelNames(matchers, from, to, selectOptions(options))),
				);
			case 'labelValues':
				return names(
					request,
					await union(request, (matchers, from, to) => queryable.labelValues(request.name, matchers, from, to, selectOptions(options))),
				);
		}
	};
}

function selectOptions(options: ExecuteOptions): { readonly signal?: AbortSignal } {
	return options.signal === undefined ? {} : { signal: options.signal };
}

async function query(engine: Engine, request: InstantRequest | RangeRequest, options: ExecuteOptions): Promise<QueryAnswer> {
	const queryOptions: QueryOptions = {
		...(request.stats === undefined ? {} : { countSteps: true }),
		...selectOptions(options),
		...(options.cancelFlag === undefined ? {} : { cancelFlag: options.cancelFlag }),
		...(request.lookbackMs === undefined ? {} : { lookbackMs: request.lookbackMs }),
		...(request.timeoutMs === undefined ? {} : { timeoutMs: request.timeoutMs }),
	};
	const result =
		request.kind === 'instant'
			? await engine.instant(request.query, request.timeMs, queryOptions)
			: await engine.range(request.query, request.startMs, request.endMs, request.stepMs, queryOptions);
	return answered(expectedBytes(result.value), result, (json) => {
		const truncated = writeResult(json, result.value, request.limit ?? 0);
		if (request.stats !== undefined) json.text(`,"stats":${statsJson(result.stats, request.stats)}`);
		json.text('}');
		return truncated;
	});
}

const TRUNCATED = 'results truncated due to limit';
/** Braces, names and warnings around the data. */
const ENVELOPE_BYTES = 256;

/** The body around the data that `write` writes; it returns whether the data were cut at a limit. */
function answered(
	expected: number,
	result: { readonly warnings?: readonly string[]; readonly infos?: readonly string[]; readonly stats?: QueryStats },
	write: (json: JsonBytes) => boolean,
): QueryAnswer {
	try {
		const json = new JsonBytes(expected + ENVELOPE_BYTES, MAX_BYTES);
		json.text('{"status":"success","data":');
		const truncated = write(json);
		const warnings = [...(result.warnings ?? []), ...(truncated ? [TRUNCATED] : [])];
		const infos = result.infos ?? [];
		if (warnings.length > 0) json.text(`,"warnings":${JSON.stringify(warnings)}`);
		if (infos.length > 0) json.text(`,"infos":${JSON.stringify(infos)}`);
		json.text('}');
		return { json: json.finish(), warnings, infos, ...(result.stats === undefined ? {} : { stats: result.stats }) };
	} catch (error) {
		// A client that asks for more than can be sent is better told how to ask for less.
		if (!(error instanceof RangeError)) throw error;
		throw new AppError(
			'FN_QUERY_SAMPLE_LIMIT',
			'the answer is too large to be sent; ask for fewer series, a shorter time or a larger step',
			{
				status: 422,
				cause: error,
			},
		);
	}
}

/** Of a series with some labels. */
const SERIES_BYTES = 256;

async function series(queryable: Queryable, request: SeriesRequest, options: ExecuteOptions): Promise<QueryAnswer> {
	if (request.selectors.length === 0) {
		throw new AppError('FN_QUERY_BAD_PARAMETER', 'no match[] parameter provided', { status: 400 });
	}
	const found = new Map<string, readonly string[]>();
	for (const selector of request.selectors) {
		const matched = await queryable.series(selectorMatchers(selector), request.startMs, request.endMs, selectOptions(options));
		for (const labels of matched) found.set(labels.join('\uffff'), labels);
	}
	const limit = request.limit ?? 0;
	const count = limit > 0 ? Math.min(limit, found.size) : found.size;
	return answered(count * SERIES_BYTES, {}, (json) => {
		let written = 0;
		json.text('[');
		for (const labels of found.values()) {
			if (written === count) break;
			json.text(`${written++ === 0 ? '' : ','}${labelsJson(labels)}`);
		}
		json.text(']');
		return count < found.size;
	});
}

async function union(
	request: LabelsRequest | LabelValuesRequest,
	read: (matchers: readonly Matcher[], fromMs: number, toMs: number) => Promise<readonly string[]>,
): Promise<readonly string[]> {
	if (request.selectors.length === 0) return read([], request.startMs, request.endMs);
	const found = new Set<string>();
	for (const selector of request.selectors) {
		for (const name of await read(selectorMatchers(selector), request.startMs, request.endMs)) found.add(name);
	}
	return [...found].sort();
}

function names(request: LabelsRequest | LabelValuesRequest, found: readonly string[]): QueryAnswer {
	const limit = request.limit ?? 0;
	const truncated = limit > 0 && found.length > limit;
	const text = JSON.stringify(truncated ? found.slice(0, limit) : found);
	return answered(text.length, {}, (json) => {
		json.text(text);
		return truncated;
	});
}
