import type { Clock } from '../../../core/clock.ts';
import type { Logger } from '../../../core/log.ts';
import { FamilySet, type Input, singleGauge } from '../input.ts';
import type { Check } from './checks.ts';
import { Deadline } from './deadline.ts';
import { type ProbeFailure, toFailure } from './failure.ts';

export interface ProbeInputOptions {
	/** `job`, `instance` (the target), `check` and `vantage` (this host). */
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly check: Check;
	/** `null`: never degraded. */
	readonly degradedAfterMs: number | null;
	readonly clock: Clock;
	readonly log: Logger;
}

/** The scheduler's deadline lies behind the probe's own, so that a slow target is a failed check and not a failed input. */
export const PROBE_GRACE_MS = 1000;
const SUCCESS_HELP = 'Displays whether or not the probe was a success';
const REASON_HELP = 'Why the check failed; only there while it fails, always 1.';

/** A check of one target: `probe_success` and what explains it, stamped with the probe's start. A target that fails is a result, not an error. */
export function createProbeInput(options: ProbeInputOptions): Input {
	const { clock, log } = options;
	const interval = singleGauge('fournines_check_interval_seconds', 'How often the check runs.', options.intervalMs / 1000);
	let failing = false;
	return {
		name: 'probe',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs + PROBE_GRACE_MS,
		onFailure: [
			singleGauge('probe_success', SUCCESS_HELP, 0),
			singleGauge('fournines_check_failure_info', REASON_HELP, 1, ['reason', 'other']),
			interval,
		],
		async collect(signal) {
			const families = new FamilySet();
			const deadline = new Deadline(options.timeoutMs, signal);
			const started = clock.monotonic();
			let failure: ProbeFailure | null = null;
			try {
				await options.check({ deadline, monotonic: () => clock.monotonic(), families });
			} catch (error) {
				failure = toFailure(error);
			} finally {
				deadline.end();
			}
			const elapsedMs = clock.monotonic() - started;
			if (failing !== (failure !== null)) {
				failing = failure !== null;
				const fields = { check: options.target['check'], target: options.target['instance'] };
				if (failure === null) log.info(fields, 'a check succeeds again');
				else log.warn({ ...fields, reason: failure.reason, error: failure.message }, 'a check fails');
			}
			families.gauge('probe_success', SUCCESS_HELP, failure === null ? 1 : 0);
			families.gauge('probe_duration_seconds', 'Returns how long the probe took to complete in seconds', elapsedMs / 1000);
			if (failure !== null) families.gauge('fournines_check_failure_info', REASON_HELP, 1, ['reason', failure.reason]);
			const slow = failure === null && options.degradedAfterMs !== null && elapsedMs > options.degradedAfterMs;
			families.gauge('fournines_check_degraded', 'Whether the check succeeded, but slower than allowed.', slow ? 1 : 0);
			return [...families.list(), interval];
		},
		async close() {},
	};
}
