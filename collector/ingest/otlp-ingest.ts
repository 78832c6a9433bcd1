import type { Registry } from 'prom-client';
import { AppError, errorText } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import {
	type OtlpPartialSuccess,
	otlpFailureJson,
	otlpFailureProtobuf,
	otlpSuccessJson,
	otlpSuccessProtobuf,
} from '../../protocol/otlp/answer.ts';
import { decodeOtlpJson, OtlpJsonError } from '../../protocol/otlp/decode-json.ts';
import { decodeOtlpProtobuf } from '../../protocol/otlp/decode-protobuf.ts';
import type { OtlpResourceMetrics } from '../../protocol/otlp/metrics-model.ts';
import { ProtocolError } from '../../protocol/remote-write/protocol-error.ts';
import type { ColumnIngest } from '../storage/column-ingest.ts';
import { STALE_HIGH, STALE_LOW } from '../storage/storage.ts';
import { ColumnIntake } from './column-intake.ts';
import type { IngestLimits } from './config.ts';
import { DeltaStreams } from './delta-streams.ts';
import { OtlpLabelCache } from './otlp-label-cache.ts';
import { translateOtlp } from './otlp-samples.ts';
import { plainBody } from './request-body.ts';

export interface OtlpIngestOptions {
	readonly store: ColumnIngest;
	readonly limits: IngestLimits;
	readonly log: Logger;
	readonly metrics: Registry;
	/** Default 200,000 streams of deltas that are added up at a time. */
	readonly maxDeltaStreams?: number;
}

export interface OtlpAnswer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	/** In the encoding of the request. */
	readonly body: Uint8Array | string;
}

type Encoding = 'protobuf' | 'json';

const PROTOBUF_TYPE = 'application/x-protobuf';
const JSON_TYPE = 'application/json';
const SHOWN_REASONS = 5;
const MAX_HELP_CHARACTERS = 4096;
/** gRPC's codes for a request that is wrong, and for one that can be repeated. */
const INVALID_ARGUMENT = 3;
const INTERNAL = 13;
const UNAVAILABLE = 14;

/** Takes metrics of the OpenTelemetry protocol over HTTP (https://opentelemetry.io/docs/specs/otlp/#otlphttp), as `POST /v1/metrics`. */
export class OtlpIngest {
	readonly #options: OtlpIngestOptions;
	readonly #intake: ColumnIntake;
	readonly #deltas: DeltaStreams;
	readonly #labels = new OtlpLabelCache();

	constructor(options: OtlpIngestOptions) {
		this.#options = options;
		this.#intake = new ColumnIntake(options);
		this.#deltas = new DeltaStreams(options.maxDeltaStreams);
	}

	/**
	 * 200: what the body does not name as rejected was taken and survives a kill; sending it again is useless. 400, 413, 415: nothing
	 * was taken. 429, 503: nothing was taken, try again. Never rejects.
	 */
	async metrics(contentType: string | undefined, contentEncoding: string | undefined, body: Buffer): Promise<OtlpAnswer> {
		const encoding = encodingOf(contentType);
		let answer: OtlpAnswer;
		try {
			if (encoding === null) {
				throw new AppError('FN_INGEST_CONTENT_TYPE', `the content type is not taken; send ${PROTOBUF_TYPE} or ${JSON_TYPE}`, {
					status: 415,
				});
			}
			const plain = await plainBody(contentEncoding, body, this.#options.limits);
			this.#intake.metrics.bytes.inc({ protocol: `otlp_${encoding}` }, body.length);
			const partial = await this.#take(decode(encoding, plain), encoding);
			answer = {
				status: 200,
				headers: headersOf(encoding),
				body: encoding === 'json' ? otlpSuccessJson(partial) : otlpSuccessProtobuf(partial),
			};
		} catch (error) {
			answer = this.#failure(encoding ?? 'json', error);
		}
		this.#intake.metrics.requests.inc({ protocol: encoding === null ? 'unknown' : `otlp_${encoding}`, status: String(answer.status) });
		return answer;
	}

	async #take(resources: readonly OtlpResourceMetrics[], encoding: Encoding): Promise<OtlpPartialSuccess | null> {
		const intake = this.#intake;
		const { store } = this.#options;
		const deltas = this.#deltas.request();
		const reasons: string[] = [];
		let rejected = 0;
		const reject = (points: number, message: string) => {
			rejected += points;
			if (reasons.length < SHOWN_REASONS) reasons.push(message);
		};
		const labels = this.#labels;
		const room = (size: number) => intake.labelSpace(size);
		let scope = 0;
		intake.clear();
		try {
			translateOtlp(resources, deltas, {
				begin: (metric) => {
					scope = labels.scopeNumber(metric);
				},
				sample: (series, timestampMs, value) => {
					const labelEnd = labels.write(series, scope, room);
					if (value === null) intake.addWords(labelEnd, timestampMs, STALE_LOW, STALE_HIGH);
					else intake.addSample(labelEnd, timestampMs, value);
				},
				describe: (metric, metadata) => store.describe(metric, { ...metadata, help: metadata.help.slice(0, MAX_HELP_CHARACTERS) }),
				reject,
			});
			const { refusals } = await intake.write(`otlp_${encoding}`);
			for (const message of refusals.messages) reject(0, message);
			rejected += refusals.samples;
		} catch (error) {
			deltas.rollback();
			intake.clear();
			throw error;
		}
		return rejected === 0 ? null : { rejectedPoints: rejected, message: `${rejected} were rejected: ${reasons.join('; ')}` };
	}

	#failure(encoding: Encoding, error: unknown): OtlpAnswer {
		if (error instanceof ProtocolError || error instanceof OtlpJsonError) {
			return failed(encoding, 400, INVALID_ARGUMENT, `FN_INGEST_BODY_INVALID: the body is not an OTLP metrics request: ${error.message}`);
		}
		if (error instanceof AppError) {
			// 507 is not among the statuses that OTLP senders repeat.
			const status = error.status === 507 ? 503 : error.status;
			const answer = failed(encoding, status, error.retryable ? UNAVAILABLE : INVALID_ARGUMENT, `${error.code}: ${error.message}`);
			return error.retryable ? { ...answer, headers: { ...answer.headers, 'retry-after': '5' } } : answer;
		}
		this.#options.log.error({ error: errorText(error) }, 'an OTLP request failed unexpectedly');
		return failed(encoding, 500, INTERNAL, 'FN_INGEST_FAILED: the request could not be processed; the log of the server says why');
	}
}

export function createOtlpIngest(options: OtlpIngestOptions): OtlpIngest {
	return new OtlpIngest(options);
}

function encodingOf(contentType: string | undefined): Encoding | null {
	const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
	return type === PROTOBUF_TYPE ? 'protobuf' : type === JSON_TYPE ? 'json' : null;
}

function decode(encoding: Encoding, body: Uint8Array): readonly OtlpResourceMetrics[] {
	if (encoding === 'protobuf') return decodeOtlpProtobuf(body);
	let text: string;
	try {
		text = new TextDecoder('utf-8', { fatal: true }).decode(body);
	} catch {
		throw new OtlpJsonError('it is not UTF-8');
	}
	return decodeOtlpJson(text);
}

function headersOf(encoding: Encoding): Readonly<Record<string, string>> {
	return { 'content-type': encoding === 'json' ? JSON_TYPE : PROTOBUF_TYPE };
}

function failed(encoding: Encoding, status: number, code: number, message: string): OtlpAnswer {
	return {
		status,
		headers: headersOf(encoding),
		body: encoding === 'json' ? otlpFailureJson(code, message) : otlpFailureProtobuf(code, message),
	};
}
