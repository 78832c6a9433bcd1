import { compressSync, uncompressSync } from 'snappy';
import { decodeLabelBytes } from '../collector/storage/label-bytes.ts';
import type { Matcher, MatcherKind, Queryable, SeriesSamples } from '../collector/storage/storage.ts';
import { AppError } from '../core/errors.ts';
import { httpExchange } from '../core/http-client.ts';
import { compareLabels, labelValue } from '../core/labels.ts';
import type { Labels } from '../protocol/labels.ts';
import { decodeWriteV1 } from '../protocol/remote-write/decode-v1.ts';
import { ProtoWriter } from '../protocol/remote-write/proto-writer.ts';
import { WireCursor } from '../protocol/remote-write/wire-cursor.ts';
import { WriteColumns } from '../protocol/remote-write/write-columns.ts';
import type { CollectorAccess } from './client.ts';

/** Enum `prometheus.LabelMatcher.Type`. */
const KINDS: readonly MatcherKind[] = ['=', '!=', '=~', '!~'];
const TIMEOUT_MS = 130_000;
const MAX_BODY_BYTES = 512 * 1024 * 1024;

/** The samples of a running collector, stale markers included, by remote read (prompb/remote.proto). */
export function remoteSamples(access: CollectorAccess): Queryable {
	const select = async (matchers: readonly Matcher[], minMs: number, maxMs: number): Promise<readonly SeriesSamples[]> => {
		const response = await httpExchange(`${access.url}/api/v1/read`, {
			method: 'POST',
			timeoutMs: TIMEOUT_MS,
			maxBodyBytes: MAX_BODY_BYTES,
			headers: {
				'content-type': 'application/x-protobuf',
				'content-encoding': 'snappy',
				'x-prometheus-remote-read-version': '0.1.0',
				...(access.token === null ? {} : { authorization: `Bearer ${access.token}` }),
			},
			body: compressSync(Buffer.from(readRequest(matchers, minMs, maxMs))),
		});
		if (response.status !== 200) {
			throw new AppError(
				'FN_CLI_COLLECTOR',
				`the collector at ${access.url} answered ${response.status} to a remote read: ${response.body.toString('utf8').slice(0, 300)}`,
			);
		}
		return readResponse(uncompressSync(response.body, { asBuffer: true }) as Buffer).sort((a, b) => compareLabels(a.labels, b.labels));
	};
	const series = async (matchers: readonly Matcher[], minMs: number, maxMs: number): Promise<readonly Labels[]> =>
		(await select(matchers, minMs, maxMs)).map(({ labels }) => labels);
	return {
		select,
		series,
		labelNames: async (matchers, minMs, maxMs) => {
			const all = (await series(matchers, minMs, maxMs)).flatMap((labels) => labels.filter((_, i) => i % 2 === 0));
			return [...new Set(all)].sort();
		},
		labelValues: async (name, matchers, minMs, maxMs) => {
			const all = (await series(matchers, minMs, maxMs)).map((labels) => labelValue(labels, name));
			return [...new Set(all.filter((value) => value !== ''))].sort();
		},
	};
}

function readRequest(matchers: readonly Matcher[], minMs: number, maxMs: number): Uint8Array {
	const encoder = new TextEncoder();
	const query = new ProtoWriter();
	query.int64(1, minMs);
	query.int64(2, maxMs);
	for (const { kind, name, value } of matchers) {
		const matcher = new ProtoWriter();
		matcher.uint(1, KINDS.indexOf(kind));
		matcher.bytes(2, encoder.encode(name));
		matcher.bytes(3, encoder.encode(value));
		query.bytes(3, matcher.finish());
	}
	const request = new ProtoWriter();
	request.bytes(1, query.finish());
	return request.finish();
}

/** `results` = 1, each a `QueryResult`, which on the wire is what a `WriteRequest` of remote write 1 is. */
function readResponse(body: Uint8Array): SeriesSamples[] {
	const cursor = new WireCursor();
	cursor.reset(body);
	const found: SeriesSamples[] = [];
	const columns = new WriteColumns();
	while (cursor.pos < body.length) {
		const tag = cursor.uint31(body.length);
		if (tag !== ((1 << 3) | 2)) {
			cursor.skip(tag & 7, body.length);
			continue;
		}
		const end = cursor.messageEnd(body.length);
		const result = body.subarray(cursor.pos, end);
		cursor.pos = end;
		decodeWriteV1(result, columns);
		for (let i = 0; i < columns.seriesCount; i++) {
			const from = i === 0 ? 0 : (columns.sampleEnd[i - 1] as number);
			const to = columns.sampleEnd[i] as number;
			found.push({
				labels: decodeLabelBytes(columns.labelBytes, columns.labelStart[i] as number, columns.labelEnd[i] as number),
				timestamps: columns.timestamps.slice(from, to),
				values: columns.values.slice(from, to),
			});
		}
	}
	return found;
}
