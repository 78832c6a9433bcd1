import { uncompressSync } from 'snappy';
import { AppError } from '../../core/errors.ts';

/**
 * Decompresses a snappy block (https://github.com/google/snappy/blob/main/format_description.txt). Its first bytes say how long
 * the result is, so that is compared with `maxBytes` before any memory is taken. Throws `FN_INGEST_BODY_TOO_LARGE` (413) and
 * `FN_INGEST_SNAPPY_INVALID` (400).
 */
export function decompressSnappy(body: Buffer, maxBytes: number): Uint8Array {
	const length = declaredLength(body);
	if (length > maxBytes) {
		throw new AppError(
			'FN_INGEST_BODY_TOO_LARGE',
			`the request is ${length} bytes when decompressed; at most ${maxBytes} are taken, so send fewer series in one request`,
			{ status: 413 },
		);
	}
	if (length === 0) return new Uint8Array(0);
	let result: string | Buffer;
	try {
		result = uncompressSync(body, { asBuffer: true });
	} catch (error) {
		throw invalid(error);
	}
	if (typeof result === 'string') throw invalid(new TypeError('a text instead of bytes'));
	return result;
}

function declaredLength(body: Buffer): number {
	let length = 0;
	for (let i = 0; i < 5 && i < body.length; i++) {
		const byte = body[i] as number;
		length += (byte & 0x7f) * 2 ** (7 * i);
		if (byte < 0x80) return length;
	}
	throw invalid(new RangeError('the length at its beginning is cut off'));
}

function invalid(cause: unknown): AppError {
	return new AppError('FN_INGEST_SNAPPY_INVALID', 'the body is not a snappy block; compress it in the block format, not the framed one', {
		cause,
		status: 400,
	});
}
