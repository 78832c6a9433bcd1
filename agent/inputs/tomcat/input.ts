import { AppError } from '../../../core/errors.ts';
import type { Secret } from '../../../core/secret.ts';
import { type Input, singleGauge } from '../input.ts';
import { readStatusPage } from '../service-http.ts';
import { parseTomcatStatus } from './status-xml.ts';

/** Tomcat's LockOutRealm locks an account for five minutes after five wrong passwords; one attempt per lock time never gets there. */
const REFUSED_PAUSE_MS = 5 * 60_000;

export interface TomcatInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	/** Base address of the server, or the full address of a status document. */
	readonly url: string;
	readonly username: string | null;
	readonly password: () => Secret | null;
	readonly userAgent: string;
}

/** Tomcat through the manager's status document (role `manager-status`). */
export function createTomcatInput(options: TomcatInputOptions): Input {
	const url = statusUrl(options.url);
	let refusedUntilMs = 0;
	return {
		name: 'tomcat',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('tomcat_up', 'Whether the last read of the manager status succeeded.', 0)],
		async collect(signal, nowMs) {
			if (nowMs < refusedUntilMs) {
				throw new AppError(
					'FN_AGENT_SOURCE_REFUSED',
					'the server refused the account; the next attempt waits, so that the account is not locked',
					{
						retryable: true,
					},
				);
			}
			const headers: Record<string, string> = { 'user-agent': options.userAgent };
			if (options.username !== null) {
				const password = options.password()?.reveal() ?? '';
				headers['authorization'] = `Basic ${Buffer.from(`${options.username}:${password}`).toString('base64')}`;
			}
			try {
				return parseTomcatStatus(await readStatusPage(url, { headers, timeoutMs: options.timeoutMs, maxBodyBytes: 1024 * 1024, signal }));
			} catch (error) {
				if (error instanceof AppError && error.status === 401) refusedUntilMs = nowMs + REFUSED_PAUSE_MS;
				throw error;
			}
		},
		async close() {},
	};
}

function statusUrl(base: string): string {
	const url = new URL(base);
	if (url.pathname === '/' || url.pathname === '') url.pathname = '/manager/status';
	url.searchParams.set('XML', 'true');
	return url.href;
}
