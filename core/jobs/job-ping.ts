import { tryParseDuration } from '../duration.ts';
import { AppError } from '../errors.ts';
import { parseSchedule, type ScheduleConfig } from '../schedule.ts';

export const JOB_EVENTS = ['start', 'success', 'fail'] as const;
export type JobEvent = (typeof JOB_EVENTS)[number];

/** Name of a scheduled task; it becomes the label `task`. */
export const JOB_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}$/;

/** When a job is expected and how long it may take. */
export interface JobDefinition {
	readonly schedule: ScheduleConfig | null;
	/** Until how long after the expected time a success may come. */
	readonly graceMs: number;
	/** A run without an end for longer than this has gone silent. */
	readonly maxDurationMs: number;
}

/** What a job says of itself. */
export interface JobPing {
	readonly job: string;
	readonly event: JobEvent;
	/** Tells parallel runs apart; `''` where the job gives none. */
	readonly run: string;
	readonly host: string;
	readonly durationSeconds: number | null;
	/** Counts by kind: `rows_read=10` is `read` and 10. */
	readonly rows: Readonly<Record<string, number>>;
	/** Only what the ping says; the rest stays as it was. */
	readonly definition: Partial<JobDefinition>;
}

const MOST_KINDS = 10;
const DEFINITION_KEYS = ['every', 'offset', 'from', 'until', 'at', 'cron', 'weekdays', 'zone'] as const;

/**
 * Reads a ping from query or form fields. `duration` is a Prometheus duration or a number of seconds; the schedule is `every`, `at`
 * (comma-separated) or `cron`, with `zone`, `grace` and `max_duration`. Throws `FN_JOB_PING` (400).
 */
export function parseJobPing(job: string, event: string, fields: Readonly<Record<string, string>>): JobPing {
	if (!JOB_NAME.test(job)) throw bad(`"${job.slice(0, 120)}" is not a job's name; use letters, digits, ".", "_" and "-"`);
	const known = JOB_EVENTS.find((name) => name === event);
	if (known === undefined) throw bad(`"${event.slice(0, 40)}" is not one of ${JOB_EVENTS.join(', ')}`);
	const rows: Record<string, number> = {};
	for (const [name, text] of Object.entries(fields)) {
		const kind = /^rows(?:_([a-z][a-z0-9_]{0,30}))?$/.exec(name);
		if (kind !== null) {
			const value = Number(text);
			if (text.trim() === '' || !Number.isFinite(value)) throw bad(`${name}=${text.slice(0, 40)} is not a number`);
			rows[kind[1] ?? 'total'] = value;
		} else if (!FIELDS.has(name)) throw bad(`"${name.slice(0, 40)}" is not known; known are ${[...FIELDS].join(', ')} and rows_<kind>`);
	}
	if (Object.keys(rows).length > MOST_KINDS) throw bad(`more than ${MOST_KINDS} kinds of rows`);
	const definition: { schedule?: ScheduleConfig; graceMs?: number; maxDurationMs?: number } = {};
	if (DEFINITION_KEYS.some((key) => fields[key] !== undefined)) definition.schedule = readSchedule(fields);
	if (fields['grace'] !== undefined) definition.graceMs = duration('grace', fields['grace']);
	if (fields['max_duration'] !== undefined) definition.maxDurationMs = duration('max_duration', fields['max_duration']);
	return {
		job,
		event: known,
		run: (fields['run'] ?? '').slice(0, 100),
		host: (fields['host'] ?? '').slice(0, 255),
		durationSeconds: fields['duration'] === undefined ? null : duration('duration', fields['duration']) / 1000,
		rows,
		definition,
	};
}

const FIELDS: ReadonlySet<string> = new Set(['run', 'host', 'duration', 'grace', 'max_duration', ...DEFINITION_KEYS]);

function readSchedule(fields: Readonly<Record<string, string>>): ScheduleConfig {
	const { every, offset, from, until, at, cron, weekdays, zone } = fields;
	const config: ScheduleConfig = {
		...(every === undefined ? {} : { every }),
		...(offset === undefined ? {} : { offset }),
		...(from === undefined ? {} : { from }),
		...(until === undefined ? {} : { until }),
		...(at === undefined ? {} : { at: at.split(',') }),
		...(cron === undefined ? {} : { cron }),
		...(weekdays === undefined ? {} : { weekdays: weekdays.split(',').map(Number) }),
		...(zone === undefined ? {} : { zone }),
	};
	const result = parseSchedule(config);
	if (result.kind === 'bad') throw bad(result.message);
	return config;
}

/** Milliseconds of `1h30m` or of a number of seconds. */
function duration(name: string, text: string): number {
	const seconds = /^[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) * 1000 : tryParseDuration(text);
	if (seconds === null) throw bad(`${name}=${text.slice(0, 40)} is not a duration; write for example 90s or 1h30m`);
	return seconds;
}

function bad(message: string): AppError {
	return new AppError('FN_JOB_PING', message, { status: 400 });
}
