import type { Registry } from 'prom-client';
import type { Clock } from '../../core/clock.ts';
import { AppError, errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { MetadataGatherer } from '../../protocol/exposition/metadata.ts';
import {
	type ExpositionFormat,
	ExpositionParser,
	type ExpositionSink,
	expositionFormat,
	type MetadataRange,
} from '../../protocol/exposition/parse.ts';
import { ExpositionError } from '../../protocol/exposition/parse-error.ts';
import type { SeriesRanges } from '../../protocol/exposition/series-ranges.ts';
import { METRIC_NAME } from '../../protocol/labels.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import { writePair } from '../storage/label-bytes.ts';
import { ColumnIntake } from './column-intake.ts';
import type { IngestLimits } from './config.ts';
import type { IngestAnswer } from './ingest.ts';
import { plainBody } from './request-body.ts';

export interface TextIngestOptions {
	readonly store: ColumnIngest;
	readonly limits: IngestLimits;
	readonly clock: Clock;
	readonly log: Logger;
	readonly metrics: Registry;
}

/** Query parameters of a text import. */
export interface TextImportQuery {
	/** Milliseconds, for lines without a time of their own; the moment of arrival otherwise. */
	readonly timestamp?: string | undefined;
	/** Labels of every series; they replace labels of the same name in the text. */
	readonly job?: string | undefined;
	readonly instance?: string | undefined;
}

const PROTOCOL = 'text';
/** What `curl --data-binary` and simple scripts send counts as text. */
const TEXT_TYPES = ['', 'text/plain', 'application/openmetrics-text', 'application/x-www-form-urlencoded', 'application/octet-stream'];
const ANSWER_HEADERS = { 'content-type': 'text/plain; charset=utf-8' };

/** Takes exposition text that is pushed, as `POST /api/v1/import/prometheus`. */
export class TextIngest {
	readonly #options: TextIngestOptions;
	readonly #intake: ColumnIntake;
	readonly #parser: ExpositionParser;
	readonly #sink: ImportSink;

	constructor(options: TextIngestOptions) {
		this.#options = options;
		this.#intake = new ColumnIntake(options);
		this.#parser = new ExpositionParser({ maxLabels: options.limits.max_labels });
		this.#sink = new ImportSink(this.#intake);
	}

	/**
	 * 204: everything was taken and survives a kill. 400: the text is malformed and nothing was taken, or a part was refused, which the body
	 * names, and the rest was taken. 413, 415: nothing was taken. 429, 503, 507: nothing was taken, try again. Never rejects.
	 */
	async importText(
		contentType: string | undefined,
		contentEncoding: string | undefined,
		body: Buffer,
		query: TextImportQuery = {},
	): Promise<IngestAnswer> {
		let answer: IngestAnswer;
		try {
			answer = await this.#take(contentType, contentEncoding, body, query);
		} catch (error) {
			answer = this.#failure(error);
		}
		this.#intake.metrics.requests.inc({ protocol: PROTOCOL, status: String(answer.status) });
		return answer;
	}

	async #take(
		contentType: string | undefined,
		contentEncoding: string | undefined,
		body: Buffer,
		query: TextImportQuery,
	): Promise<IngestAnswer> {
		const { limits, clock, store } = this.#options;
		if (!TEXT_TYPES.includes((contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '')) {
			throw new AppError('FN_INGEST_CONTENT_TYPE', 'the content type is not taken; send text/plain or application/openmetrics-text', {
				status: 415,
			});
		}
		const defaultMs = parseTimestamp(query.timestamp) ?? clock.now();
		const text = await plainBody(contentEncoding, body, limits);
		this.#intake.metrics.bytes.inc({ protocol: PROTOCOL }, body.length);
		const format = expositionFormat(contentType);
		const sink = this.#sink;
		sink.begin(format, defaultMs, { job: query.job ?? '', instance: query.instance ?? '' });
		this.#parser.parse(text, format, sink);
		sink.metadataOfAll.forEach(format, (metric, metadata) => store.describe(metric, metadata));
		const { written, refusals } = await this.#intake.write(PROTOCOL);
		if (refusals.samples === 0) return { status: 204, headers: ANSWER_HEADERS, body: '' };
		return said(
			400,
			'FN_INGEST_REFUSED',
			`${refusals.samples} samples were refused, ${written} were taken: ${refusals.messages.join('; ')}`,
		);
	}

	#failure(error: unknown): IngestAnswer {
		this.#intake.clear();
		if (error instanceof ExpositionError) {
			return said(400, 'FN_INGEST_BODY_INVALID', `the body is not exposition text, nothing was taken: ${error.message}`);
		}
		if (error instanceof AppError) {
			const answer = said(error.status, error.code, error.message);
			return error.retryable ? { ...answer, headers: { ...ANSWER_HEADERS, 'retry-after': '5' } } : answer;
		}
		this.#options.log.error({ error: errorText(error) }, 'an import of text failed unexpectedly');
		return said(500, 'FN_INGEST_FAILED', 'the request could not be processed; the log of the server says why');
	}
}

export function createTextIngest(options: TextIngestOptions): TextIngest {
	return new TextIngest(options);
}

function said(status: number, code: string, message: string): IngestAnswer {
	return { status, headers: ANSWER_HEADERS, body: `${code}: ${message}\n` };
}

function parseTimestamp(text: string | undefined): number | null {
	if (text === undefined || text === '') return null;
	if (!/^[0-9]{1,15}$/.test(text)) {
		throw new AppError('FN_INGEST_TIMESTAMP', `timestamp=${JSON.stringify(text.slice(0, 50))} is not a number of milliseconds`, {
			status: 400,
		});
	}
	return Number(text);
}

const METRIC_LABEL = Buffer.from(METRIC_NAME);

/** Writes the labels of each line as canonical bytes, without making strings of them. */
class ImportSink implements ExpositionSink {
	readonly metadataOfAll = new MetadataGatherer();
	readonly #intake: ColumnIntake;
	#format: ExpositionFormat = 'text';
	#defaultMs = 0;
	#extra: readonly (readonly [Uint8Array, Uint8Array])[] = [];
	#labelEnd = 0;
	/** Name and value of each label, in the order of their names. */
	#names: Uint8Array[] = [];
	#values: Uint8Array[] = [];

	constructor(intake: ColumnIntake) {
		this.#intake = intake;
	}

	begin(format: ExpositionFormat, defaultMs: number, extra: Readonly<Record<string, string>>): void {
		this.#format = format;
		this.#defaultMs = defaultMs;
		this.#extra = Object.entries(extra)
			.filter(([, value]) => value !== '')
			.map(([name, value]) => [Buffer.from(name), Buffer.from(value)] as const);
		this.metadataOfAll.clear();
		this.#intake.clear();
	}

	findSeries(): number {
		return -1;
	}

	addSeries(series: SeriesRanges, start: number, end: number): number {
		this.#names.length = 0;
		this.#values.length = 0;
		let size = 64;
		this.#insert(METRIC_LABEL, series.bytes.subarray(series.metricStart, series.metricEnd));
		for (const [name, value] of this.#extra) {
			this.#insert(name, value);
			size += name.length + value.length + 32;
		}
		for (let i = 0; i < series.count; i++) {
			size += 32;
			const name = series.bytes.subarray(series.nameStart[i] as number, series.nameEnd[i] as number);
			if (this.#extra.some(([given]) => compareBytes(given, name) === 0)) continue;
			const from = series.valueStart[i] as number;
			const to = series.valueEnd[i] as number;
			if (from === to) continue;
			this.#insert(name, series.escaped[i] === 1 ? series.labelValueBytes(i, new Uint8Array(to - from)) : series.bytes.subarray(from, to));
		}
		const { target, start: at } = this.#intake.labelSpace(size + end - start);
		let pos = at;
		for (let i = 0; i < this.#names.length; i++) pos = writePair(target, pos, this.#names[i] as Uint8Array, this.#values[i] as Uint8Array);
		this.#labelEnd = pos;
		return 0;
	}

	sample(_series: number, value: number, timestampMs: number): void {
		this.#intake.addSample(this.#labelEnd, timestampMs === timestampMs ? timestampMs : this.#defaultMs, value);
	}

	metadata(line: MetadataRange): void {
		this.metadataOfAll.add(line, this.#format);
	}

	#insert(name: Uint8Array, value: Uint8Array): void {
		const names = this.#names;
		const values = this.#values;
		let at = names.length;
		names.push(name);
		values.push(value);
		while (at > 0 && compareBytes(name, names[at - 1] as Uint8Array) < 0) {
			names[at] = names[at - 1] as Uint8Array;
			values[at] = values[at - 1] as Uint8Array;
			at--;
		}
		names[at] = name;
		values[at] = value;
	}
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
	const shared = Math.min(a.length, b.length);
	for (let i = 0; i < shared; i++) if (a[i] !== b[i]) return (a[i] as number) - (b[i] as number);
	return a.length - b.length;
}
