import { connect } from 'node:net';
import type { Clock } from '../../../core/clock.ts';
import { AppError, errorText } from '../../../core/errors.ts';
import { httpExchange } from '../../../core/http-client.ts';
import type { Logger } from '../../../core/log.ts';
import { FamilySet, type Input, type MetricFamily, singleGauge } from '../input.ts';
import { parseServiceAddress } from '../service-address.ts';

export interface ProbeInputOptions {
	/** `job`, `instance` (the target), `check` and `vantage` (this host). */
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly kind: 'http' | 'tcp';
	readonly address: string;
	/** `null`: 200 to 399. */
	readonly expectStatus: readonly number[] | null;
	readonly expectText: string | null;
	/** `null`: never degraded. */
	readonly degradedAfterMs: number | null;
	readonly ca: string | null;
	readonly userAgent: string;
	readonly clock: Clock;
	readonly log: Logger;
}

interface Verdict {
	readonly success: boolean;
	readonly reason: string;
	/** HTTP only; 0 when no answer came. */
	readonly status: number | null;
	/** HTTP with an expected text only. */
	readonly textMissing: boolean | null;
}

/** The scheduler's deadline lies behind the probe's own, so that a slow target is a failed check and not a failed input. */
const GRACE_MS = 1000;
const BODY_LIMIT_BYTES = 1024 * 1024;
const SUCCESS_HELP = 'Whether the probe was a success.';

/** A check of one target: `probe_success` and what explains it, stamped with the probe's start. A target that fails is a result, not an error. */
export function createProbeInput(options: ProbeInputOptions): Input {
	const { clock, log } = options;
	const interval = singleGauge('fournines_check_interval_seconds', 'How often the check runs.', options.intervalMs / 1000);
	let failing = false;
	return {
		name: 'probe',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs + GRACE_MS,
		onFailure: [singleGauge('probe_success', SUCCESS_HELP, 0), interval],
		async collect(signal) {
			const started = clock.monotonic();
			const verdict = options.kind === 'http' ? await probeHttp(options, signal) : await probeTcp(options, signal);
			const elapsedMs = clock.monotonic() - started;
			if (failing === verdict.success) {
				failing = !verdict.success;
				const fields = { check: options.target['check'], target: options.address, reason: verdict.reason };
				if (failing) log.warn(fields, 'a check fails');
				else log.info(fields, 'a check succeeds again');
			}
			return [...verdictFamilies(verdict, elapsedMs, options.degradedAfterMs), interval];
		},
		async close() {},
	};
}

function verdictFamilies(verdict: Verdict, elapsedMs: number, degradedAfterMs: number | null): readonly MetricFamily[] {
	const families = new FamilySet();
	families.gauge('probe_success', SUCCESS_HELP, verdict.success ? 1 : 0);
	families.gauge('probe_duration_seconds', 'How long the probe took to complete.', elapsedMs / 1000);
	if (verdict.status !== null) families.gauge('probe_http_status_code', 'Response HTTP status code.', verdict.status);
	if (verdict.textMissing !== null) {
		families.gauge(
			'probe_failed_due_to_regex',
			'Whether the probe failed because the expected text was missing.',
			verdict.textMissing ? 1 : 0,
		);
	}
	families.gauge(
		'fournines_check_degraded',
		'Whether the check succeeded, but slower than allowed.',
		verdict.success && degradedAfterMs !== null && elapsedMs > degradedAfterMs ? 1 : 0,
	);
	return families.list();
}

async function probeHttp(options: ProbeInputOptions, signal: AbortSignal): Promise<Verdict> {
	const { expectText, expectStatus } = options;
	const unknownText = expectText === null ? null : false;
	try {
		const response = await httpExchange(options.address, {
			headers: { 'user-agent': options.userAgent, accept: '*/*' },
			timeoutMs: options.timeoutMs,
			maxBodyBytes: BODY_LIMIT_BYTES,
			signal,
			...(options.ca === null ? {} : { ca: options.ca }),
		});
		const { status } = response;
		const statusFits = expectStatus === null ? status >= 200 && status < 400 : expectStatus.includes(status);
		if (!statusFits) return { success: false, reason: `status ${status}`, status, textMissing: unknownText };
		if (expectText !== null && !response.body.includes(expectText)) {
			return { success: false, reason: 'the expected text is missing', status, textMissing: true };
		}
		return { success: true, reason: '', status, textMissing: unknownText };
	} catch (error) {
		// A body beyond the limit cannot be searched, and a page that large is not the one that was configured.
		if (!(error instanceof AppError)) throw error;
		return { success: false, reason: errorText(error), status: 0, textMissing: unknownText };
	}
}

function probeTcp(options: ProbeInputOptions, signal: AbortSignal): Promise<Verdict> {
	const address = parseServiceAddress(options.address, 0);
	return new Promise((resolve) => {
		const socket = address.kind === 'socket' ? connect(address.path) : connect(address.port, address.host);
		let settled = false;
		const settle = (success: boolean, reason: string) => {
			if (settled) return;
			settled = true;
			clearTimeout(timer);
			signal.removeEventListener('abort', cancel);
			socket.destroy();
			resolve({ success, reason, status: null, textMissing: null });
		};
		const cancel = () => settle(false, 'cancelled');
		const timer = setTimeout(() => settle(false, `no connection within ${options.timeoutMs} ms`), options.timeoutMs);
		signal.addEventListener('abort', cancel, { once: true });
		socket.on('connect', () => settle(true, ''));
		socket.on('error', (error) => settle(false, error.message));
	});
}
