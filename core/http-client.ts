import { type Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { AppError } from './errors.ts';

export interface HttpRequest {
	readonly method?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: Uint8Array | string;
	/** Whole exchange, from the call to the last byte. */
	readonly timeoutMs: number;
	/** Answers longer than this are refused with `FN_HTTP_BODY_TOO_LARGE`. Default 4 MiB. */
	readonly maxBodyBytes?: number;
	readonly signal?: AbortSignal;
	/** Connection pool and TLS settings, of the kind that the scheme needs; the default agents of Node otherwise. */
	readonly agent?: Agent;
	/** PEM of a private CA. */
	readonly ca?: string;
}

export interface HttpResponse {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: Buffer;
}

/**
 * One HTTP exchange without redirects, on Node's own client: the agent also runs on Node 16, which has no global fetch.
 * Any status is an answer; throws `FN_HTTP_FAILED` (retryable) when none arrives, `FN_HTTP_TIMEOUT` (retryable) when it
 * is late. The address in messages has its user info and query removed, because both may carry secrets.
 */
export function httpExchange(url: string, options: HttpRequest): Promise<HttpResponse> {
	return new Promise((resolve, reject) => {
		let target: URL;
		try {
			target = new URL(url);
		} catch {
			reject(new AppError('FN_HTTP_URL_INVALID', 'the address is not a valid URL; write for example http://127.0.0.1:8080/path'));
			return;
		}
		if (target.protocol !== 'http:' && target.protocol !== 'https:') {
			reject(new AppError('FN_HTTP_URL_INVALID', `the address has the scheme ${target.protocol} but only http: and https: are known`));
			return;
		}
		const place = `${target.protocol}//${target.host}${target.pathname}`;
		if (options.signal?.aborted) {
			reject(new AppError('FN_HTTP_FAILED', `${options.method ?? 'GET'} ${place} was cancelled`, { retryable: true }));
			return;
		}
		const body = typeof options.body === 'string' ? Buffer.from(options.body) : options.body;
		const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
		const request = send(target, {
			method: options.method ?? 'GET',
			headers: { ...options.headers, ...(body === undefined ? {} : { 'content-length': String(body.length) }) },
			...(options.agent === undefined ? {} : { agent: options.agent }),
			...(options.ca === undefined ? {} : { ca: options.ca }),
		});
		const maxBytes = options.maxBodyBytes ?? 4 * 1024 * 1024;
		let settled = false;
		const settle = (act: () => void) => {
			if (settled) return;
			settled = true;
			clearTimeout(timer);
			options.signal?.removeEventListener('abort', onAbort);
			act();
		};
		const fail = (error: AppError) =>
			settle(() => {
				reject(error);
				request.destroy();
			});
		const onAbort = () => fail(new AppError('FN_HTTP_FAILED', `${options.method ?? 'GET'} ${place} was cancelled`, { retryable: true }));
		const timer = setTimeout(
			() =>
				fail(
					new AppError('FN_HTTP_TIMEOUT', `${options.method ?? 'GET'} ${place} gave no complete answer within ${options.timeoutMs} ms`, {
						retryable: true,
					}),
				),
			options.timeoutMs,
		);
		options.signal?.addEventListener('abort', onAbort, { once: true });
		request.on('error', (error) =>
			fail(new AppError('FN_HTTP_FAILED', `${options.method ?? 'GET'} ${place} failed`, { cause: error, retryable: true })),
		);
		request.on('response', (response) => {
			const chunks: Buffer[] = [];
			let size = 0;
			response.on('data', (chunk: Buffer) => {
				size += chunk.length;
				if (size > maxBytes) fail(new AppError('FN_HTTP_BODY_TOO_LARGE', `${place} answered with more than ${maxBytes} bytes`));
				else chunks.push(chunk);
			});
			response.on('error', (error) =>
				fail(new AppError('FN_HTTP_FAILED', `the answer of ${place} broke off`, { cause: error, retryable: true })),
			);
			response.on('end', () =>
				settle(() => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })),
			);
			response.on('close', () => {
				// It closes after every answer, and an error takes its stack along, which is not free.
				if (!settled) fail(new AppError('FN_HTTP_FAILED', `the answer of ${place} broke off`, { retryable: true }));
			});
		});
		request.end(body);
	});
}
