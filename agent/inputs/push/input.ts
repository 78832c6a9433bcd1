import { dueTime, expectedIntervalMs, type Schedule } from '../../../core/schedule.ts';
import { FamilySet, type Input, singleGauge } from '../input.ts';
import type { PushSource } from './push-state.ts';

export interface PushInputOptions {
	/** `job` is `interface`; `interface` and `peer` name it. */
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly source: PushSource;
	readonly schedule: Schedule;
	readonly graceMs: number;
	readonly earlyMs: number;
}

const UP_HELP = 'Whether it could be found out when data was last delivered.';

/** When data was last delivered through an interface, against the interface's own schedule. */
export function createPushInput(options: PushInputOptions): Input {
	return {
		name: 'push',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: [singleGauge('interface_up', UP_HELP, 0)],
		async collect(signal, nowMs) {
			const state = await options.source.read(signal, nowMs);
			const families = new FamilySet();
			families.gauge('interface_up', UP_HELP, 1);
			families.gauge(
				'interface_last_success_timestamp_seconds',
				'When data was last delivered; 0 when it never was.',
				state.lastSuccessMs === null ? 0 : state.lastSuccessMs / 1000,
			);
			const interval = expectedIntervalMs(options.schedule, nowMs);
			if (interval !== null)
				families.gauge(
					'interface_expected_interval_seconds',
					'How long lies between two expected deliveries at this time.',
					interval / 1000,
				);
			const due = dueTime(options.schedule, state.lastSuccessMs, { nowMs, graceMs: options.graceMs, earlyMs: options.earlyMs });
			if (due !== null)
				families.gauge('interface_due_timestamp_seconds', 'When the next delivery is late, its grace included.', due / 1000);
			if (state.lastRunSuccess !== undefined)
				families.gauge('interface_last_run_success', 'Whether the last run succeeded.', state.lastRunSuccess ? 1 : 0);
			if (state.lastRunSeconds !== undefined)
				families.gauge('interface_last_run_duration_seconds', 'How long the last run took.', state.lastRunSeconds);
			const records = [
				['sent', state.sent],
				['received', state.received],
				['rejected', state.rejected],
			] as const;
			for (const [what, value] of records)
				if (value !== undefined) families.counter(`interface_records_${what}_total`, `Records ${what} through the interface.`, value);
			return families.list();
		},
		async close() {
			options.source.close();
		},
	};
}
