/** Why a check failed, as the label `reason` of `fournines_check_failure_info` says it. Bounded: a reader can enumerate it. */
export const FAILURE_REASONS = [
	'config',
	'resolve',
	'connect_refused',
	'connect_failed',
	'proxy',
	'tls_handshake',
	'tls_gm_only',
	'tls_untrusted',
	'tls_expired',
	'tls_name',
	'timeout',
	'protocol',
	'broken_off',
	'status',
	'redirect',
	'header',
	'text',
	'json',
	'size',
	'answer',
	'refused',
	'other',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** Ends a probe or a step of a journey. The message is for the log and contains no secret. */
export class ProbeFailure extends Error {
	readonly reason: FailureReason;

	constructor(reason: FailureReason, message: string, cause?: unknown) {
		super(message, cause === undefined ? undefined : { cause });
		this.name = 'ProbeFailure';
		this.reason = reason;
	}
}

/** Whatever a socket or a library threw, as a failure with a reason. */
export function toFailure(error: unknown, otherwise: FailureReason = 'other'): ProbeFailure {
	if (error instanceof ProbeFailure) return error;
	const message = error instanceof Error ? error.message : String(error);
	const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
	if (code === 'ECONNREFUSED') return new ProbeFailure('connect_refused', 'the connection was refused', error);
	if (['EHOSTUNREACH', 'ENETUNREACH', 'EADDRNOTAVAIL', 'ENOENT', 'EACCES', 'ETIMEDOUT'].includes(code))
		return new ProbeFailure('connect_failed', message, error);
	if (['ECONNRESET', 'EPIPE'].includes(code)) return new ProbeFailure('broken_off', message, error);
	if (code.startsWith('HPE_')) return new ProbeFailure('protocol', `the answer is not HTTP (${code})`, error);
	return new ProbeFailure(otherwise, message, error);
}
