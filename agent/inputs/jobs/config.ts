import { type Static, Type } from 'typebox';
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
