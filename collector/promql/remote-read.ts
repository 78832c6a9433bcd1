import { AppError, errorText } from '../../core/errors.ts';
import { encodeRemoteWriteV1 } from '../../protocol/remote-write/encode-v1.ts';
import { ProtoWriter } from '../../protocol/remote-write/proto-writer.ts';
import type { WriteSample } from '../../protocol/remote-write/write-series.ts';
import { isStaleAt, type Matcher, type MatcherKind, type Queryable, type SelectOptions } from '../storage/storage.ts';
import { createMatcher } from './matcher.ts';

/** `prometheus.Query`: series that match all of `matchers`, both ends of the time included. */
export interface ReadQuery {
	readonly startMs: number;
	readonly endMs: number;
	readonly matchers: readonly { readonly kind: MatcherKind; readonly name: string; readonly value: string }[];
}

export interface ReadRequest {
	readonly kind: 'read';
	readonly queries: readonly ReadQuery[];
	/** Samples that the answer may hold. */
	readonly sampleLimit: number;
}

/**
 * `prometheus.ReadResponse` with raw samples (`SAMPLES`), uncompressed: `results` = field 1, each a `QueryResult` with
 * `timeseries` = field 1, which on the wire is what a `WriteRequest` of remote write 1 is.
 */
export async function readSamples(queryable: Queryable, request: ReadRequest, options: SelectOptions): Promise<Uint8Array<ArrayBuffer>> {
	const writer = new ProtoWriter();
	let left = request.sampleLimit;
	for (const { matchers, startMs, endMs } of request.queries) {
		const found = await queryable.select(matchers.map(readMatcher), startMs, endMs, { ...options, sampleLimit: left });
		const result = encodeRemoteWriteV1(
			found.map(({ labels, timestamps, values }) => {
				left -= values.length;
				const samples: WriteSample[] = [];
				for (let i = 0; i < values.length; i++) {
					samples.push({
						timestampMs: timestamps[i] as number,
						value: values[i] as number,
						...(isStaleAt(values, i) ? { stale: true } : {}),
					});
				}
				return { labels, samples };
			}),
		);
		writer.bytes(1, result);
	}
	return writer.finish().slice();
}

function readMatcher({ kind, name, value }: ReadQuery['matchers'][number]): Matcher {
	try {
		return createMatcher(kind, name, value);
	} catch (error) {
		throw new AppError('FN_QUERY_READ_REQUEST', `the matcher of "${name}" is no regular expression in RE2 syntax: ${errorText(error)}`, {
			status: 400,
			cause: error,
		});
	}
}
