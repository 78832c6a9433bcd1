import type { Registry } from 'prom-client';
import { AppError, errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { MetricType } from '../../protocol/metric-type.ts';
import { decodeWriteV1 } from '../../protocol/remote-write/decode-v1.ts';
import { decodeWriteV2 } from '../../protocol/remote-write/decode-v2.ts';
import { ProtocolError } from '../../protocol/remote-write/protocol-error.ts';
import { WriteColumns } from '../../protocol/remote-write/write-columns.ts';
import { METRIC_TYPE_NUMBERS } from '../../protocol/remote-write/write-series.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import { ColumnAdmission, Refusals } from './column-admission.ts';
import type { IngestLimits } from './config.ts';
import { createIngestMetrics, type IngestMetrics } from './ingest-metrics.ts';
import { decompressSnappy } from './snappy-block.ts';

export interface IngestOptions {
	readonly store: ColumnIngest;
	readonly limits: IngestLimits;
	readonly log: Logger;
	readonly metrics: Registry;
}

export interface IngestAnswer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	/** Plain text; empty when all was taken. */
	readonly body: string;
}

type WriteProtocol = 'remote_write_1' | 'remote_write_2';

const V1_MESSAGE = 'prometheus.WriteRequest';
const V2_MESSAGE = 'io.prometheus.write.v2.Request';
const MAX_HELP_CHARACTERS = 4096;

/** Takes write requests, without knowing the HTTP server: the route hands over header values and the body as it came. */
export class Ingest {
	readonly #store: ColumnIngest;
	readonly #limits: IngestLimits;
	readonly #log: Logger;
	readonly #metrics: IngestMetrics;
	readonly #columns = new WriteColumns();
	readonly #admission: ColumnAdmission;

	constructor(options: IngestOptions) {
		this.#store = options.store;
		this.#limits = options.limits;
		this.#log = options.log;
		this.#metrics = createIngestMetrics(options.metrics);
		this.#admission = new ColumnAdmission(options.store, options.limits);
	}

	/**
	 * `POST /api/v1/write`, remote write 1.0 and 2.0. 204: everything was taken and survives a kill. 400: the request is malformed,
	 * or a part was refused, which the body names, and the rest was taken; sending it again is useless. 413, 415 likewise.
	 * 429, 503, 507: nothing was taken, try again. Never rejects.
	 */
	async remoteWrite(contentType: string | undefined, contentEncoding: string | undefined, body: Buffer): Promise<IngestAnswer> {
		const protocol = writeProtocol(contentType);
		let answer: IngestAnswer;
		try {
			if (protocol === null) {
				throw new AppError(
					'FN_INGEST_CONTENT_TYPE',
					`content type ${quoted(contentType)} is not taken; send application/x-protobuf with proto=${V1_MESSAGE} or proto=${V2_MESSAGE}`,
					{ status: 415 },
				);
			}
			answer = await this.#take(protocol, contentEncoding, body);
		} catch (error) {
			answer = this.#failure(protocol, error);
		}
		this.#metrics.requests.inc({ protocol: protocol ?? 'unknown', status: String(answer.status) });
		return answer;
	}

	async #take(protocol: WriteProtocol, contentEncoding: string | undefined, body: Buffer): Promise<IngestAnswer> {
		if (contentEncoding?.trim().toLowerCase() !== 'snappy') {
			throw new AppError(
				'FN_INGEST_CONTENT_ENCODING',
				`content encoding ${quoted(contentEncoding)} is not taken; send snappy (block format)`,
				{
					status: 415,
				},
			);
		}
		if (body.length > this.#limits.max_body_bytes) {
			throw new AppError(
				'FN_INGEST_BODY_TOO_LARGE',
				`the request is ${body.length} bytes; at most ${this.#limits.max_body_bytes} are taken, so send fewer series in one request`,
				{ status: 413 },
			);
		}
		this.#metrics.bytes.inc({ protocol }, body.length);
		const columns = this.#columns;
		const decoded = decompressSnappy(body, this.#limits.max_decoded_bytes);
		if (protocol === 'remote_write_1') decodeWriteV1(decoded, columns);
		else decodeWriteV2(decoded, columns, { maxLabelBytes: this.#limits.max_decoded_bytes });
		const refusals = new Refusals();
		if (columns.histogramCount > 0) {
			refusals.add(
				'native_histogram',
				columns.histogramCount,
				() => `${columns.histogramCount} native histograms are not stored; let the sender write classic histograms`,
			);
		}
		const written = this.#admission.admit(columns, refusals);
		for (const { metric, type, help, unit } of columns.metadata) {
			this.#store.describe(metric, { type: metricType(type), help: help.slice(0, MAX_HELP_CHARACTERS), unit });
		}
		// `write` has copied the columns when it returns; the next request may use them while this one waits for the disk.
		const samples = { ids: this.#admission.ids, timestamps: columns.timestamps, valueWords: columns.valueWords };
		if (written > 0) await this.#store.write(samples, written);
		this.#metrics.samples.inc({ protocol }, written);
		if (refusals.samples === 0) return { status: 204, headers: writtenHeaders(protocol, written), body: '' };
		for (const [reason, count] of refusals.byReason) this.#metrics.refused.inc({ reason }, count);
		const more = refusals.byReason.size > 0 && refusals.messages.length < refusals.samples ? `\n(${refusals.samples} refused in all)` : '';
		const text = said(
			'FN_INGEST_REFUSED',
			`${refusals.samples} samples were refused, ${written} were taken: ${refusals.messages.join('; ')}${more}`,
		);
		this.#log.debug({ refused: refusals.samples, written, first: refusals.messages[0] }, 'a write request was refused in part');
		return { status: 400, headers: writtenHeaders(protocol, written), body: text };
	}

	#failure(protocol: WriteProtocol | null, error: unknown): IngestAnswer {
		const headers = writtenHeaders(protocol, 0);
		if (error instanceof ProtocolError) {
			return { status: 400, headers, body: said('FN_INGEST_BODY_INVALID', `the body is not a write request: ${error.message}`) };
		}
		if (error instanceof AppError) {
			const retry: Record<string, string> = error.retryable ? { 'retry-after': '5' } : {};
			return { status: error.status, headers: { ...headers, ...retry }, body: said(error.code, error.message) };
		}
		this.#log.error({ error: errorText(error) }, 'a write request failed unexpectedly');
		return { status: 500, headers, body: said('FN_INGEST_FAILED', 'the request could not be processed; the log of the server says why') };
	}
}

export function createIngest(options: IngestOptions): Ingest {
	return new Ingest(options);
}

/** Which message a content type names; `application/x-protobuf` alone is version 1. */
export function writeProtocol(contentType: string | undefined): WriteProtocol | null {
	const [type = '', ...parameters] = (contentType ?? '').split(';').map((part) => part.trim());
	if (type.toLowerCase() !== 'application/x-protobuf') return null;
	for (const parameter of parameters) {
		const [name = '', value = ''] = parameter.split('=').map((part) => part.trim());
		if (name.toLowerCase() !== 'proto') continue;
		if (value === V1_MESSAGE) return 'remote_write_1';
		return value === V2_MESSAGE ? 'remote_write_2' : null;
	}
	return 'remote_write_1';
}

function writtenHeaders(protocol: WriteProtocol | null, samples: number): Readonly<Record<string, string>> {
	const text = { 'content-type': 'text/plain; charset=utf-8' };
	if (protocol !== 'remote_write_2') return text;
	return {
		...text,
		'x-prometheus-remote-write-samples-written': String(samples),
		'x-prometheus-remote-write-histograms-written': '0',
		'x-prometheus-remote-write-exemplars-written': '0',
	};
}

function said(code: string, message: string): string {
	return `${code}: ${message}\n`;
}

function metricType(type: string): MetricType {
	return type in METRIC_TYPE_NUMBERS ? (type as MetricType) : 'unknown';
}

function quoted(value: string | undefined): string {
	return value === undefined ? '(none)' : JSON.stringify(value.slice(0, 200));
}
