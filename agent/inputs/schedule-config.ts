import { Type } from 'typebox';
import { DURATION_PATTERN, tryParseDuration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { parseSchedule, type Schedule, ScheduleSchema } from '../../core/schedule.ts';
import { durationSchema } from './entry-schema.ts';
import type { Report } from './probe/check-config.ts';

/** When something is expected, and how late it may be. */
export function scheduleProperties() {
	return {
		schedule: ScheduleSchema,
		/** Until how long after the expected time it may arrive. */
		grace: durationSchema('10m'),
		/** Up to how long before the expected time it counts for it already. */
		early: Type.String({ default: '0s', pattern: DURATION_PATTERN }),
	};
}

export function checkSchedule(
	entry: { readonly schedule: Parameters<typeof parseSchedule>[0]; readonly grace: string; readonly early: string },
	path: readonly (string | number)[],
	report: Report,
): void {
	const result = parseSchedule(entry.schedule);
	if (result.kind === 'bad') report(result.key === '' ? [...path, 'schedule'] : [...path, 'schedule', result.key], result.message);
	for (const key of ['grace', 'early'] as const) if (tryParseDuration(entry[key]) === null) report([...path, key], 'is not a duration');
}

/** The schedule of a checked configuration. */
export function scheduleOf(config: Parameters<typeof parseSchedule>[0]): Schedule {
	const result = parseSchedule(config);
	if (result.kind === 'bad') throw new AppError('FN_SCHEDULE_INVALID', `${result.key}: ${result.message}`, { status: 400 });
	return result.schedule;
}
