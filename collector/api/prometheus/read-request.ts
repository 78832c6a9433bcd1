import { AppError, errorText } from '../../../core/errors.ts';
import { ProtocolError } from '../../../protocol/remote-write/protocol-error.ts';
import { WIRE_BYTES, WIRE_VARINT, WireCursor } from '../../../protocol/remote-write/wire-cursor.ts';
import type { ReadQuery } from '../../promql/remote-read.ts';
import type { MatcherKind } from '../../storage/storage.ts';

/** Enum `prometheus.LabelMatcher.Type`. */
const KINDS: readonly MatcherKind[] = ['=', '!=', '=~', '!~'];

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * `prometheus.ReadRequest` (prompb/remote.proto): `queries` = 1, each with `start_timestamp_ms` = 1, `end_timestamp_ms` = 2 and
 * `matchers` = 3 of `type` = 1, `name` = 2, `value` = 3. Hints and accepted response types are passed over: every client takes
 * samples. Throws `FN_QUERY_READ_REQUEST` (400).
 */
export function decodeReadRequest(body: Uint8Array): readonly ReadQuery[] {
	const cursor = new WireCursor();
	cursor.reset(body);
	const queries: ReadQuery[] = [];
	try {
		eachField(cursor, body.length, (field, type) => {
			if (field !== 1 || type !== WIRE_BYTES) return false;
			queries.push(decodeQuery(cursor, cursor.messageEnd(body.length)));
			return true;
		});
	} catch (error) {
		if (!(error instanceof ProtocolError || error instanceof TypeError)) throw error;
		throw badRequest(errorText(error), error);
	}
	return queries;
}

function decodeQuery(cursor: WireCursor, end: number): ReadQuery {
	let startMs = 0;
	let endMs = 0;
	const matchers: ReadQuery['matchers'][number][] = [];
	eachField(cursor, end, (field, type) => {
		if (field === 1 && type === WIRE_VARINT) startMs = cursor.int64(end);
		else if (field === 2 && type === WIRE_VARINT) endMs = cursor.int64(end);
		else if (field === 3 && type === WIRE_BYTES) matchers.push(decodeMatcher(cursor, cursor.messageEnd(end)));
		else return false;
		return true;
	});
	if (matchers.length === 0) throw badRequest('a query has no matcher');
	return { startMs, endMs, matchers };
}

function decodeMatcher(cursor: WireCursor, end: number): ReadQuery['matchers'][number] {
	let kind: MatcherKind | undefined = '=';
	let name = '';
	let value = '';
	eachField(cursor, end, (field, type) => {
		if (field === 1 && type === WIRE_VARINT) kind = KINDS[cursor.uint31(end)];
		else if (field === 2 && type === WIRE_BYTES) name = text(cursor, end);
		else if (field === 3 && type === WIRE_BYTES) value = text(cursor, end);
		else return false;
		return true;
	});
	if (kind === undefined) throw badRequest(`the matcher of "${name}" has a type that is not known`);
	return { kind, name, value };
}

function text(cursor: WireCursor, end: number): string {
	const until = cursor.messageEnd(end);
	const result = decoder.decode(cursor.bytes.subarray(cursor.pos, until));
	cursor.pos = until;
	return result;
}

/** Calls `read` at every field; what it does not take is skipped. */
function eachField(cursor: WireCursor, end: number, read: (field: number, type: number) => boolean): void {
	while (cursor.pos < end) {
		const tag = cursor.uint31(end);
		if (!read(tag >>> 3, tag & 7)) cursor.skip(tag & 7, end);
	}
}

function badRequest(message: string, cause?: unknown): AppError {
	return new AppError('FN_QUERY_READ_REQUEST', `the remote read request cannot be read: ${message}`, { status: 400, cause });
}
