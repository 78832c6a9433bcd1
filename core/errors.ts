/**
 * The one error class of the product. `code` is stable and documented in `docs/errors.md` (a test compares both ways);
 * the message says what failed, the value, and the way out, and never contains a secret.
 */
export class AppError extends Error {
	readonly code: string;
	/** Whether the same call can succeed later without anybody changing anything. */
	readonly retryable: boolean;
	/** HTTP status that an API answers with when this error reaches it. */
	readonly status: number;

	constructor(code: string, message: string, options: AppErrorOptions = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause });
		this.name = 'AppError';
		this.code = code;
		this.retryable = options.retryable ?? false;
		this.status = options.status ?? 500;
	}
}

export interface AppErrorOptions {
	readonly cause?: unknown;
	/** Default false. */
	readonly retryable?: boolean;
	/** Default 500. */
	readonly status?: number;
}

/** Text of anything that was thrown, without a stack; causes are appended, because the first message alone often says only "failed". */
export function errorText(error: unknown): string {
	if (!(error instanceof Error)) return String(error);
	const own = error.message || error.name;
	return error.cause === undefined ? own : `${own}: ${errorText(error.cause)}`;
}

/** The `code` of a Node system error (`ENOENT`, `EADDRINUSE`, …), or `''`. */
export function systemErrorCode(error: unknown): string {
	if (typeof error !== 'object' || error === null || !('code' in error)) return '';
	return typeof error.code === 'string' ? error.code : '';
}
