import { dueTime, expectedIntervalMs, parseSchedule, type ScheduleConfig } from '../schedule.ts';
import type { JobDefinition, JobPing } from './job-ping.ts';

/** What is known of one job. Plain data, so that it can be kept as JSON. Times are milliseconds. */
export interface JobState {
	readonly task: string;
	readonly host: string;
	readonly definition: JobDefinition;
	readonly firstSeenMs: number;
	readonly lastStartMs: number | null;
	readonly lastSuccessMs: number | null;
	readonly lastFailureMs: number | null;
	readonly lastRunSuccess: boolean | null;
	readonly lastRunSeconds: number | null;
	readonly rows: Readonly<Record<string, number>>;
	/** Runs that have begun and not ended, oldest first. */
	readonly running: readonly { readonly run: string; readonly sinceMs: number }[];
	readonly successes: number;
	readonly failures: number;
	/** Runs that began while another one was under way. */
	readonly overlaps: number;
}

export const DEFAULT_DEFINITION: JobDefinition = { schedule: null, graceMs: 10 * 60_000, maxDurationMs: 24 * 3_600_000 };

/** Runs that are remembered at most; a job that only ever starts would grow otherwise. */
const MOST_RUNNING = 10;

export function newJob(task: string, nowMs: number, definition: JobDefinition = DEFAULT_DEFINITION): JobState {
	return {
		task,
		host: '',
		definition,
		firstSeenMs: nowMs,
		lastStartMs: null,
		lastSuccessMs: null,
		lastFailureMs: null,
		lastRunSuccess: null,
		lastRunSeconds: null,
		rows: {},
		running: [],
		successes: 0,
		failures: 0,
		overlaps: 0,
	};
}

/** The state after a ping. */
export function applyPing(before: JobState, ping: JobPing, nowMs: number): JobState {
	const state: JobState = {
		...before,
		host: ping.host === '' ? before.host : ping.host,
		definition: { ...before.definition, ...ping.definition },
	};
	if (ping.event === 'start') {
		// A repeated start of the same run is the same run: curl was told to retry.
		if (ping.run !== '' && state.running.some(({ run }) => run === ping.run)) return state;
		// One that has gone silent is dead as far as anybody can tell; it does not overlap.
		const alive = state.running.filter(({ sinceMs }) => nowMs - sinceMs <= state.definition.maxDurationMs);
		return {
			...state,
			lastStartMs: nowMs,
			running: [...state.running, { run: ping.run, sinceMs: nowMs }].slice(-MOST_RUNNING),
			overlaps: state.overlaps + (alive.length > 0 ? 1 : 0),
		};
	}
	const index = endedRun(state, ping.run);
	const ended = index < 0 ? undefined : state.running[index];
	const success = ping.event === 'success';
	return {
		...state,
		running: state.running.filter((_, i) => i !== index),
		lastRunSuccess: success,
		lastRunSeconds: ping.durationSeconds ?? (ended === undefined ? null : (nowMs - ended.sinceMs) / 1000),
		rows: ping.rows,
		...(success ? { lastSuccessMs: nowMs, successes: state.successes + 1 } : { lastFailureMs: nowMs, failures: state.failures + 1 }),
	};
}

/** The run that an end belongs to: the one of that name, otherwise the newest without a name; the older ones have gone silent. */
function endedRun(state: JobState, run: string): number {
	for (let i = state.running.length - 1; i >= 0; i--) if (state.running[i]?.run === run) return i;
	return -1;
}

/** One value of a metric about jobs; `labels` are flat pairs. */
export interface JobSample {
	readonly name: string;
	readonly type: 'gauge' | 'counter';
	readonly labels: readonly string[];
	readonly value: number;
}

export const JOB_HELP: Readonly<Record<string, string>> = {
	job_last_start_timestamp_seconds: 'When a run last began.',
	job_last_success_timestamp_seconds: 'When a run last succeeded; 0 when none ever did.',
	job_last_failure_timestamp_seconds: 'When a run last failed.',
	job_last_run_success: 'Whether the last run that ended succeeded.',
	job_last_run_duration_seconds: 'How long the last run took.',
	job_last_run_rows: 'Rows of the last run by kind.',
	job_running: 'Runs under way.',
	job_running_since_timestamp_seconds: 'When the oldest run under way began.',
	job_silent_runs: 'Runs that began and have not ended within their longest time.',
	job_runs_total: 'Runs that ended, by result.',
	job_overlaps_total: 'Runs that began while another one was under way.',
	job_max_duration_seconds: 'How long a run may take.',
	job_expected_interval_seconds: 'How long lies between two expected runs at this time.',
	job_due_timestamp_seconds: 'When the next success is late, its grace included.',
};

/** The metrics of one job. */
export function jobSamples(state: JobState, nowMs: number): readonly JobSample[] {
	const own = ['task', state.task, ...(state.host === '' ? [] : ['host', state.host])];
	const samples: JobSample[] = [];
	const gauge = (name: string, value: number | null, labels: readonly string[] = []) => {
		if (value !== null) samples.push({ name, type: 'gauge', labels: [...own, ...labels], value });
	};
	const { definition, running } = state;
	gauge('job_last_start_timestamp_seconds', toSeconds(state.lastStartMs));
	gauge('job_last_success_timestamp_seconds', (state.lastSuccessMs ?? 0) / 1000);
	gauge('job_last_failure_timestamp_seconds', toSeconds(state.lastFailureMs));
	gauge('job_last_run_success', state.lastRunSuccess === null ? null : state.lastRunSuccess ? 1 : 0);
	gauge('job_last_run_duration_seconds', state.lastRunSeconds);
	for (const [kind, count] of Object.entries(state.rows)) gauge('job_last_run_rows', count, ['kind', kind]);
	const silent = running.filter(({ sinceMs }) => nowMs - sinceMs > definition.maxDurationMs);
	gauge('job_running', running.length - silent.length);
	gauge('job_running_since_timestamp_seconds', toSeconds(running[0]?.sinceMs ?? null));
	gauge('job_silent_runs', silent.length);
	gauge('job_max_duration_seconds', definition.maxDurationMs / 1000);
	samples.push({ name: 'job_overlaps_total', type: 'counter', labels: own, value: state.overlaps });
	samples.push({ name: 'job_runs_total', type: 'counter', labels: [...own, 'result', 'success'], value: state.successes });
	samples.push({ name: 'job_runs_total', type: 'counter', labels: [...own, 'result', 'fail'], value: state.failures });
	const schedule = definition.schedule === null ? null : parseSchedule(definition.schedule);
	if (schedule?.kind === 'ok') {
		const interval = expectedIntervalMs(schedule.schedule, nowMs);
		gauge('job_expected_interval_seconds', interval === null ? null : interval / 1000);
		// A job that has never succeeded is waited for from the time on at which it became known.
		const due = dueTime(schedule.schedule, state.lastSuccessMs ?? state.firstSeenMs, { nowMs, graceMs: definition.graceMs });
		gauge('job_due_timestamp_seconds', due === null ? null : due / 1000);
	}
	return samples;
}

function toSeconds(timeMs: number | null): number | null {
	return timeMs === null ? null : timeMs / 1000;
}

/** A state that was kept as JSON, or `null` when it is not one. */
export function readJobState(text: string): JobState | null {
	let value: unknown;
	try {
		value = JSON.parse(text);
	} catch {
		return null;
	}
	if (typeof value !== 'object' || value === null) return null;
	const raw = value as Readonly<Record<string, unknown>>;
	const { task, host, definition, firstSeenMs, rows, running } = raw;
	const numbers = ['successes', 'failures', 'overlaps'].every((key) => typeof raw[key] === 'number');
	const times = ['lastStartMs', 'lastSuccessMs', 'lastFailureMs', 'lastRunSeconds'].every(
		(key) => raw[key] === null || typeof raw[key] === 'number',
	);
	const shaped =
		typeof definition === 'object' && definition !== null && typeof rows === 'object' && rows !== null && Array.isArray(running);
	if (typeof task !== 'string' || typeof host !== 'string' || typeof firstSeenMs !== 'number' || !numbers || !times || !shaped) return null;
	const { graceMs, maxDurationMs, schedule } = definition as {
		graceMs?: unknown;
		maxDurationMs?: unknown;
		schedule?: ScheduleConfig | null;
	};
	if (typeof graceMs !== 'number' || typeof maxDurationMs !== 'number' || schedule === undefined) return null;
	return value as JobState;
}
