import type { Clock } from '../../../core/clock.ts';
import { JOB_HELP, jobSamples } from '../../../core/jobs/job-state.ts';
import { FamilySet, type Input } from '../input.ts';
import type { JobDesk } from './job-desk.ts';

export interface JobsInputOptions {
	/** `job` is `job`; the task is the label `task`. */
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly desk: JobDesk;
	readonly clock: Clock;
}

/** What scheduled tasks have reported. */
export function createJobsInput({ target, intervalMs, desk, clock }: JobsInputOptions): Input {
	return {
		name: 'jobs',
		target,
		intervalMs,
		timeoutMs: 5000,
		onFailure: [],
		async collect() {
			const families = new FamilySet();
			for (const state of desk.states()) {
				for (const { name, type, labels, value } of jobSamples(state, clock.now()))
					families.add(name, type, JOB_HELP[name] ?? '', value, labels);
			}
			return families.list();
		},
		async close() {},
	};
}
