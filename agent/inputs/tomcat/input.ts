import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { AppError, errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import type { Secret } from '../../../core/secret.ts';
import { type Input, type MetricFamily, singleGauge } from '../input.ts';
import { readStatusPage } from '../service-http.ts';
import { readJmx } from './jmx-proxy.ts';
import { tomcatProcessReader } from './process-view.ts';
import { parseTomcatStatus } from './status-xml.ts';

/** Tomcat's LockOutRealm locks an account for five minutes after five wrong passwords; one attempt per lock time never gets there. */
const REFUSED_PAUSE_MS = 5 * 60_000;
/** How long a manager that is not there is not asked for again. */
const ABSENT_PAUSE_MS = 10 * 60_000;
const MAX_BODY_BYTES = 1024 * 1024;

export interface TomcatInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	/** Base address of the server, or the full address of a status document. */
	readonly url: string;
	readonly username: string | null;
	readonly password: () => Secret | null;
	readonly userAgent: string;
	/** Default `manager`. */
	readonly way?: 'auto' | 'manager' | 'process';
	/** Whether the JMX proxy is read as well. Default false. */
	readonly jmxproxy?: boolean;
	readonly log?: Logger;
}

/** Tomcat through the manager's status document (role `manager-status`), its JMX proxy, or where the manager was removed, the JVM's own counters. `fournines_tomcat_way` says which. */
export function createTomcatInput(options: TomcatInputOptions): Input {
	const url = statusUrl(options.url);
	const way = options.way ?? 'manager';
	const address = new URL(options.url);
	const local = /^(localhost|127\..*|\[::1\])$/.test(address.hostname);
	const agent =
		address.protocol === 'https:' ? new TlsAgent({ keepAlive: true, maxSockets: 1 }) : new Agent({ keepAlive: true, maxSockets: 1 });
	let refusedUntilMs = 0;
	let absentUntilMs = 0;

	const page = (target: string, signal: AbortSignal) => {
		const headers: Record<string, string> = { 'user-agent': options.userAgent };
		if (options.username !== null) {
			const password = options.password()?.reveal() ?? '';
			headers['authorization'] = `Basic ${Buffer.from(`${options.username}:${password}`).toString('base64')}`;
		}
		return readStatusPage(target, { headers, timeoutMs: options.timeoutMs, maxBodyBytes: MAX_BODY_BYTES, signal, agent });
	};

	const byManager = async (signal: AbortSignal, nowMs: number): Promise<readonly MetricFamily[]> => {
		if (nowMs < refusedUntilMs) {
			throw new AppError(
				'FN_AGENT_SOURCE_REFUSED',
				'the server refused the account; the next attempt waits, so that the account is not locked',
				{
					retryable: true,
				},
			);
		}
		try {
			const status = parseTomcatStatus(await page(url, signal));
			if (options.jmxproxy !== true) return [...status, ...inUse('manager')];
			return [...status, ...(await byJmx(status, signal))];
		} catch (error) {
			if (error instanceof AppError && error.status === 401) refusedUntilMs = nowMs + REFUSED_PAUSE_MS;
			throw error;
		}
	};

	const byJmx = async (status: readonly MetricFamily[], signal: AbortSignal): Promise<readonly MetricFamily[]> => {
		const pools =
			status.find((family) => family.name === 'jvm_memory_pool_used_bytes')?.measurements.map(({ labels }) => labels[1] ?? '') ?? [];
		const proxy = new URL('/manager/jmxproxy/', options.url).href;
		try {
			return [...(await readJmx((query) => page(`${proxy}?${query}`, signal), pools)), ...part(1), ...inUse('jmxproxy')];
		} catch (error) {
			// The status document was read: a missing role costs the proxy's part only. An account that is refused concerns both.
			if (!(error instanceof AppError) || error.status === 401) throw error;
			options.log?.debug({ error: errorText(error) }, 'the JMX proxy cannot be read');
			return [...part(0), ...inUse('manager')];
		}
	};

	const port = Number(address.port === '' ? (address.protocol === 'https:' ? 443 : 80) : address.port);
	const readProcess = tomcatProcessReader({ host: address.hostname.replace(/^\[|\]$/g, ''), port });
	const byProcess = async (signal: AbortSignal): Promise<readonly MetricFamily[]> => {
		const view = await readProcess(signal);
		return [singleGauge('tomcat_up', 'Whether the last read of the manager status succeeded.', 1), ...view.families, ...inUse(view.way)];
	};

	return {
		name: 'tomcat',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('tomcat_up', 'Whether the last read of the manager status succeeded.', 0)],
		async collect(signal, nowMs) {
			if (way === 'process') return byProcess(signal);
			if (way === 'auto' && local && nowMs < absentUntilMs) return byProcess(signal);
			try {
				return await byManager(signal, nowMs);
			} catch (error) {
				if (way !== 'auto' || !local || !isAbsent(error, options.username)) throw error;
				absentUntilMs = nowMs + ABSENT_PAUSE_MS;
				return byProcess(signal);
			}
		},
		async close() {
			agent.destroy();
		},
	};
}

/** No manager under the address, or none for us: nothing there (404), closed to this address (403), or a log-in that was not configured. */
function isAbsent(error: unknown, username: string | null): boolean {
	if (!(error instanceof AppError)) return false;
	return (
		error.status === 404 || error.status === 403 || (error.status === 401 && username === null) || error.code === 'FN_AGENT_SOURCE_FORMAT'
	);
}

function inUse(way: 'manager' | 'jmxproxy' | 'hsperfdata' | 'process'): readonly MetricFamily[] {
	return [singleGauge('fournines_tomcat_way', 'Which way the server is read; the value is always 1.', 1, ['way', way])];
}

function part(success: 0 | 1): readonly MetricFamily[] {
	return [
		singleGauge('fournines_tomcat_part_success', 'Whether the part could be read; 0 is usually a missing role.', success, [
			'part',
			'jmxproxy',
		]),
	];
}

function statusUrl(base: string): string {
	const url = new URL(base);
	if (url.pathname === '/' || url.pathname === '') url.pathname = '/manager/status';
	url.searchParams.set('XML', 'true');
	return url.href;
}
