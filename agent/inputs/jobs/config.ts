import { type Static, Type } from 'typebox';
import { parseDuration } from '../../../core/duration.ts';
import type { JobDefinition } from '../../../core/jobs/job-ping.ts';
import { ScheduleSchema } from '../../../core/schedule.ts';
import { durationSchema } from '../entry-schema.ts';

/** Heartbeats of scheduled tasks on this host, taken at `http://<listen>/jobs/<task>/{start,success,fail}`. */
export const JobsConfigSchema = Type.Object(
	{
		interval: Type.Optional(durationSchema()),
		/** Tasks that are expected although they may never have reported; others appear with their first report. */
		tasks: Type.Array(
			Type.Object(
				{
					/** Label `task`. */
					name: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}$' }),
					schedule: Type.Optional(ScheduleSchema),
					grace: durationSchema('10m'),
					max_duration: durationSchema('1d'),
				},
				{ additionalProperties: false },
			),
			{ default: [], maxItems: 1000 },
		),
		labels: Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String(), { default: {} }),
	},
	{ additionalProperties: false },
);
export type JobsConfig = Static<typeof JobsConfigSchema>;

export interface ConfiguredTask {
	readonly name: string;
	readonly definition: JobDefinition;
}

/** What a `JobDesk` is to know of the configuration; `null` where reports are not taken. */
export function configuredTasks(jobs: JobsConfig | undefined): readonly ConfiguredTask[] | null {
	if (jobs === undefined) return null;
	return jobs.tasks.map(({ name, schedule, grace, max_duration: longest }) => ({
		name,
		definition: { schedule: schedule ?? null, graceMs: parseDuration(grace), maxDurationMs: parseDuration(longest) },
	}));
}
