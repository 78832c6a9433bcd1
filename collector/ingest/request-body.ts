import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import type { IngestLimits } from './config.ts';

const gunzipped = promisify(gunzip);

/**
 * The bytes of a request that may be compressed by gzip. Throws `FN_INGEST_BODY_TOO_LARGE` (413), `FN_INGEST_GZIP_INVALID` (400) and
 * `FN_INGEST_CONTENT_ENCODING` (415). Decompression stops at the limit.
 */
export async function plainBody(contentEncoding: string | undefined, body: Buffer, limits: IngestLimits): Promise<Uint8Array> {
	if (body.length > limits.max_body_bytes) throw tooLarge(`${body.length} bytes; at most ${limits.max_body_bytes} are taken`);
	const encoding = (contentEncoding ?? '').trim().toLowerCase();
	if (encoding === '' || encoding === 'identity') return body;
	if (encoding !== 'gzip') {
		throw new AppError(
			'FN_INGEST_CONTENT_ENCODING',
			`content encoding ${JSON.stringify(encoding.slice(0, 200))} is not taken; send gzip or none`,
			{
				status: 415,
			},
		);
	}
	try {
		return await gunzipped(body, { maxOutputLength: limits.max_decoded_bytes });
	} catch (error) {
		if (systemErrorCode(error) === 'ERR_BUFFER_TOO_LARGE') {
			throw tooLarge(`more than ${limits.max_decoded_bytes} bytes when decompressed, the most that is taken`);
		}
		throw new AppError('FN_INGEST_GZIP_INVALID', 'the body is not gzip, although its content encoding says so', {
			cause: error,
			status: 400,
		});
	}
}

function tooLarge(what: string): AppError {
	return new AppError('FN_INGEST_BODY_TOO_LARGE', `the request is ${what}, so send fewer series in one request`, { status: 413 });
}
