import type { Clock } from '../../../core/clock.ts';
import type { Logger } from '../../../core/log.ts';
import { FamilySet, type Input, singleGauge } from '../input.ts';
import { tlsFamilies } from '../probe/probe-families.ts';
import { type JourneyOptions, runJourney } from './run.ts';

export interface JourneyInputOptions extends Omit<JourneyOptions, 'monotonic' | 'now'> {
	/** `job` is `probe`; `check` and `journey` are the same id, so that availability counts a journey like any check. */
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly degradedAfterMs: number | null;
	readonly clock: Clock;
	readonly log: Logger;
}

const SUCCESS_HELP = 'Displays whether or not the probe was a success';
const REASON_HELP = 'Why the check failed; only there while it fails, always 1.';
/** Steps that always run have their own time behind that of the journey. */
const FINAL_MS = 10_000;
const GRACE_MS = 1000;

/** A visit as a user makes it: log in, open a page, find a text, log out. */
export function createJourneyInput(options: JourneyInputOptions): Input {
	const { clock, log } = options;
	const interval = singleGauge('fournines_check_interval_seconds', 'How often the check runs.', options.intervalMs / 1000);
	let failing = '';
	return {
		name: 'journey',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs + Math.min(options.timeoutMs, FINAL_MS) + GRACE_MS,
		onFailure: [
			singleGauge('probe_success', SUCCESS_HELP, 0),
			singleGauge('fournines_check_failure_info', REASON_HELP, 1, ['reason', 'other']),
			interval,
		],
		async collect(signal) {
			const outcome = await runJourney({ ...options, monotonic: () => clock.monotonic(), now: () => clock.now() }, signal);
			const { failure } = outcome;
			const now = failure === null ? '' : `${failure.step} ${failure.reason}`;
			if (now !== failing) {
				failing = now;
				const fields = { check: options.target['check'], target: options.base };
				if (failure === null) log.info(fields, 'a journey succeeds again');
				else log.warn({ ...fields, step: failure.step, reason: failure.reason, error: failure.message }, 'a journey fails');
			}
			const families = new FamilySet();
			families.gauge('probe_success', SUCCESS_HELP, failure === null ? 1 : 0);
			families.gauge('probe_duration_seconds', 'Returns how long the probe took to complete in seconds', outcome.seconds);
			for (const { name, success, seconds, status } of outcome.steps) {
				const labels = ['step', name];
				families.gauge('journey_step_success', 'Whether the step was answered as expected.', success ? 1 : 0, labels);
				families.gauge('journey_step_duration_seconds', 'How long the step took, redirects included.', seconds, labels);
				families.gauge('journey_step_status_code', 'Status of the last answer of the step; 0 when none came.', status, labels);
			}
			if (failure !== null) {
				families.gauge('fournines_check_failure_info', REASON_HELP, 1, ['reason', failure.reason]);
				families.gauge('journey_failed_step_info', 'At which step the journey failed; only there while it fails, always 1.', 1, [
					'step',
					failure.step,
				]);
			}
			const slow = failure === null && options.degradedAfterMs !== null && outcome.seconds * 1000 > options.degradedAfterMs;
			families.gauge('fournines_check_degraded', 'Whether the check succeeded, but slower than allowed.', slow ? 1 : 0);
			tlsFamilies(outcome.tls, families);
			return [...families.list(), interval];
		},
		async close() {},
	};
}
