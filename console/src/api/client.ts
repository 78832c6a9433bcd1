/** What the collector said no with, or that it did not answer at all (`status` 0). */
export class ApiError extends Error {
	readonly status: number;
	readonly code: string;

	constructor(message: string, options: { readonly status: number; readonly code: string }) {
		super(message);
		this.name = 'ApiError';
		this.status = options.status;
		this.code = options.code;
	}
}

export interface RequestOptions {
	readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
	/** Sent as JSON. */
	readonly json?: unknown;
	/** Sent as a form, which is how the Prometheus API takes long queries. */
	readonly form?: URLSearchParams;
	readonly signal?: AbortSignal;
}

const TIMEOUT_MS = 30_000;

/**
 * One request to the collector that served this page. The answer's type is the caller's word: both sides are one
 * release and share `protocol/`. Throws `ApiError`, or `AbortError` when the caller gave up.
 */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
	const timeout = AbortSignal.timeout(TIMEOUT_MS);
	const signal = options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
	// A refusal that offers HTTP Basic opens the browser's own dialog and holds the answer back; the collector offers it
	// to programs only, and knows pages by this header.
	const headers: Record<string, string> = { accept: 'application/json', 'x-requested-with': 'XMLHttpRequest' };
	if (options.json !== undefined) headers['content-type'] = 'application/json';
	let response: Response;
	let text: string;
	try {
		response = await fetch(path, {
			method: options.method ?? 'GET',
			headers,
			signal,
			credentials: 'same-origin',
			body: options.json === undefined ? (options.form ?? null) : JSON.stringify(options.json),
		});
		text = await response.text();
	} catch (error) {
		if (options.signal?.aborted === true) throw error;
		throw new ApiError(timeout.aborted ? `no answer within ${TIMEOUT_MS / 1000} s` : 'no connection', {
			status: 0,
			code: timeout.aborted ? 'timeout' : 'offline',
		});
	}
	const body: unknown = parseJson(text);
	if (!response.ok) throw new ApiError(messageOf(body) ?? `HTTP ${response.status}`, { status: response.status, code: codeOf(body) });
	return body as T;
}

function parseJson(text: string): unknown {
	if (text === '') return undefined;
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}

/** The product says `{error:{code,message}}`, Prometheus `{error,errorType}`, Alertmanager a bare string. */
function messageOf(body: unknown): string | null {
	if (typeof body === 'string') return body.slice(0, 500);
	if (typeof body !== 'object' || body === null || !('error' in body)) return null;
	const { error } = body;
	if (typeof error === 'string') return error;
	if (typeof error === 'object' && error !== null && 'message' in error) return String(error.message);
	return null;
}

function codeOf(body: unknown): string {
	if (typeof body !== 'object' || body === null) return '';
	if ('errorType' in body) return String(body.errorType);
	if (!('error' in body) || typeof body.error !== 'object' || body.error === null || !('code' in body.error)) return '';
	return String(body.error.code);
}
