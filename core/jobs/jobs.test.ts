import { expect, test } from 'vitest';
import { parseJobPing } from './job-ping.ts';
import { applyPing, type JobState, jobSamples, newJob, readJobState } from './job-state.ts';

const at = (text: string) => Date.parse(`2026-03-05T${text}+08:00`);

/** Plays `HH:MM:SS event key=value …` lines, `~` for a blank, and gives the state at the end. */
function play(lines: readonly string[], before: JobState = newJob('exchange', at('00:00:00'))): JobState {
	return lines.reduce((state, line) => {
		const [time = '', event = '', ...fields] = line.split(' ');
		const pairs = Object.fromEntries(
			fields.map((field) => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1).replace(/~/g, ' ')]),
		);
		return applyPing(state, parseJobPing('exchange', event, pairs), at(time));
	}, before);
}
function samples(state: JobState, time: string): Record<string, number> {
	return Object.fromEntries(
		jobSamples(state, at(time)).map(({ name, labels, value }) => {
			const extra = labels.slice(2);
			return [extra.length === 0 ? name : `${name}{${extra.join(' ')}}`, value];
		}),
	);
}

test('a run from start to success', () => {
	const state = play(['01:00:00 start', '01:02:30 success rows_read=120 rows_written=118 rows=238']);
	expect(samples(state, '01:03:00')).toMatchObject({
		job_last_start_timestamp_seconds: at('01:00:00') / 1000,
		job_last_success_timestamp_seconds: at('01:02:30') / 1000,
		job_last_run_success: 1,
		job_last_run_duration_seconds: 150,
		'job_last_run_rows{kind read}': 120,
		'job_last_run_rows{kind written}': 118,
		'job_last_run_rows{kind total}': 238,
		job_running: 0,
		job_silent_runs: 0,
		'job_runs_total{result success}': 1,
		'job_runs_total{result fail}': 0,
		job_overlaps_total: 0,
	});
});

test.each([
	{
		name: 'a failure',
		lines: ['01:00:00 start', '01:01:00 fail'],
		want: { job_last_run_success: 0, 'job_runs_total{result fail}': 1, job_last_success_timestamp_seconds: 0 },
	},
	{ name: 'a duration that the job measured itself', lines: ['01:00:00 success duration=90'], want: { job_last_run_duration_seconds: 90 } },
	{ name: 'a duration in words', lines: ['01:00:00 success duration=1m30s'], want: { job_last_run_duration_seconds: 90 } },
	{ name: 'under way', lines: ['01:00:00 start'], want: { job_running: 1, job_running_since_timestamp_seconds: at('01:00:00') / 1000 } },
	{ name: 'two at a time', lines: ['01:00:00 start run=a', '01:01:00 start run=b'], want: { job_running: 2, job_overlaps_total: 1 } },
	{
		name: 'the first of two ends',
		lines: ['01:00:00 start run=a', '01:01:00 start run=b', '01:05:00 success run=a'],
		want: { job_running: 1, job_last_run_duration_seconds: 300 },
	},
	{
		name: 'a start that was sent twice',
		lines: ['01:00:00 start run=a', '01:00:01 start run=a'],
		want: { job_running: 1, job_overlaps_total: 0 },
	},
	{
		name: 'one after the other',
		lines: ['01:00:00 start', '01:01:00 success', '01:02:00 start', '01:03:00 success'],
		want: { job_overlaps_total: 0, 'job_runs_total{result success}': 2 },
	},
	{
		name: 'silent',
		lines: ['01:00:00 start max_duration=30m'],
		want: { job_silent_runs: 1, job_running: 0, job_max_duration_seconds: 1800 },
	},
	{
		name: 'a new run beside a silent one is no overlap',
		lines: ['01:00:00 start max_duration=30m', '02:00:00 start'],
		want: { job_overlaps_total: 0, job_silent_runs: 1, job_running: 1 },
	},
	{
		name: 'a silent one that ends after all',
		lines: ['01:00:00 start max_duration=30m', '02:10:00 success'],
		want: { job_silent_runs: 0, job_last_run_duration_seconds: 4200 },
	},
	{ name: 'on a host', lines: ['01:00:00 success host=app-1'], want: { 'job_last_run_success{host app-1}': 1 } },
])('$name', ({ lines, want }) => {
	expect(samples(play(lines), '02:15:00')).toMatchObject(want);
});

test.each([
	{
		name: 'on time',
		lines: ['01:02:00 success at=01:00 grace=30m'],
		now: '12:00:00',
		due: at('01:30:00') / 1000 + 86_400,
		interval: 86_400,
	},
	{
		name: 'never, since it became known',
		lines: ['00:10:00 start at=01:00 grace=30m'],
		now: '12:00:00',
		due: at('01:30:00') / 1000,
		interval: 86_400,
	},
	{ name: 'every ten minutes', lines: ['01:02:00 success every=10m grace=2m'], now: '01:05:00', due: at('01:12:00') / 1000, interval: 600 },
	{
		name: 'by cron',
		lines: ['01:02:00 success cron=0~*/2~*~*~*'],
		now: '01:05:00',
		due: at('02:10:00') / 1000,
		interval: 7200,
	},
])('expected $name', ({ lines, now, due, interval }) => {
	const state = play(lines);
	expect(samples(state, now)).toMatchObject({ job_due_timestamp_seconds: due, job_expected_interval_seconds: interval });
});

test.each([
	{ job: 'exchange', event: 'done', fields: {}, text: 'not one of start, success, fail' },
	{ job: 'a/b', event: 'start', fields: {}, text: "not a job's name" },
	{ job: 'exchange', event: 'success', fields: { rows: 'many' }, text: 'not a number' },
	{ job: 'exchange', event: 'success', fields: { duration: 'long' }, text: 'not a duration' },
	{ job: 'exchange', event: 'success', fields: { every: '7m' }, text: 'does not divide a day' },
	{ job: 'exchange', event: 'success', fields: { colour: 'red' }, text: 'is not known' },
	{
		job: 'exchange',
		event: 'success',
		fields: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`rows_k${i}`, '1'])),
		text: 'more than 10 kinds',
	},
])('refused: $job $event $fields', ({ job, event, fields, text }) => {
	expect(() => parseJobPing(job, event, fields as Record<string, string>)).toThrow(text);
});

test('what is kept as JSON comes back, and anything else does not', () => {
	const state = play(['01:00:00 start run=a every=10m', '01:02:30 success run=a rows=1']);
	expect(readJobState(JSON.stringify(state))).toEqual(state);
	for (const text of ['', 'null', '[]', '{}', JSON.stringify({ ...state, running: 1 }), JSON.stringify({ ...state, definition: {} })])
		expect(readJobState(text)).toBeNull();
});

test('a job that only ever starts does not grow without end', () => {
	const state = Array.from({ length: 50 }, (_, i) => `01:00:${String(i % 60).padStart(2, '0')} start`).reduce(
		(before, line) => play([line], before),
		newJob('exchange', 0),
	);
	expect(state.running).toHaveLength(10);
});
