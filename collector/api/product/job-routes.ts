import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { parseDuration, tryParseDuration } from '../../../core/duration.ts';
import { AppError } from '../../../core/errors.ts';
import { JOB_EVENTS } from '../../../core/jobs/job-ping.ts';
import { DEFAULT_DEFINITION, type JobState } from '../../../core/jobs/job-state.ts';
import { dueTime, parseSchedule, type ScheduleConfig, ScheduleSchema } from '../../../core/schedule.ts';
import type { JobAnswer, JobListAnswer } from '../../../protocol/job-api.ts';
import type { JobHeartbeats } from '../../jobs/job-heartbeats.ts';

const BASE = '/api/fournines/v1/jobs';
const FORM_BYTES = 16 * 1024;
const DefinitionBody = Type.Object(
	{
		schedule: Type.Optional(ScheduleSchema),
		grace: Type.Optional(Type.String({ maxLength: 40 })),
		max_duration: Type.Optional(Type.String({ maxLength: 40 })),
	},
	{ additionalProperties: false },
);
interface Definition {
	readonly schedule?: ScheduleConfig;
	readonly grace?: string;
	readonly max_duration?: string;
}

/**
 * `GET` or `POST …/jobs/<task>/{start,success,fail}` with fields in the query or a form, for tokens of the scopes `job` and `push`;
 * the register of jobs for whoever may read; definitions for whoever looks after agents.
 */
export async function registerJobRoutes(
	app: FastifyInstance,
	options: {
		readonly jobs: JobHeartbeats;
		readonly nowMs: () => number;
		readonly onChange: (request: FastifyRequest, action: string, job: string) => Promise<void>;
	},
): Promise<void> {
	const { jobs, nowMs, onChange } = options;
	const tags = ['jobs'];
	const shown = (state: JobState) => jobAnswer(state, nowMs());
	app.get(
		BASE,
		{ schema: { tags, summary: 'Jobs and what they reported' } },
		async (): Promise<JobListAnswer> => ({ jobs: jobs.list().map(shown) }),
	);
	app.put<{ Params: { task: string }; Body: Definition }>(
		`${BASE}/:task`,
		{ schema: { tags, summary: 'Say when a job is expected', body: DefinitionBody } },
		async (request): Promise<JobAnswer> => {
			const { schedule, grace, max_duration: longest } = request.body;
			const result = schedule === undefined ? null : parseSchedule(schedule);
			if (result?.kind === 'bad') throw new AppError('FN_JOB_PING', result.message, { status: 400 });
			for (const text of [grace, longest])
				if (text !== undefined && tryParseDuration(text) === null)
					throw new AppError('FN_JOB_PING', `"${text}" is not a duration`, { status: 400 });
			const state = await jobs.define(request.params.task, {
				schedule: schedule ?? null,
				graceMs: grace === undefined ? DEFAULT_DEFINITION.graceMs : parseDuration(grace),
				maxDurationMs: longest === undefined ? DEFAULT_DEFINITION.maxDurationMs : parseDuration(longest),
			});
			await onChange(request, 'job.define', request.params.task);
			return shown(state);
		},
	);
	app.delete<{ Params: { task: string } }>(`${BASE}/:task`, { schema: { tags, summary: 'Forget a job' } }, async (request, reply) => {
		if (!(await jobs.remove(request.params.task)))
			throw new AppError('FN_JOB_UNKNOWN', `there is no job "${request.params.task.slice(0, 120)}"`, { status: 404 });
		await onChange(request, 'job.remove', request.params.task);
		return reply.status(204).send();
	});
	await app.register(async (scope) => {
		scope.removeAllContentTypeParsers();
		// curl's -d sends a form; a body of any other kind is no report.
		scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string', bodyLimit: FORM_BYTES }, (_request, body, done) =>
			done(null, body),
		);
		const report = async (request: FastifyRequest, reply: FastifyReply) => {
			const { task = '', event = '' } = request.params as { task?: string; event?: string };
			const fields: Record<string, string> = {};
			for (const [name, value] of Object.entries(request.query as Record<string, unknown>))
				if (typeof value === 'string') fields[name] = value;
			if (typeof request.body === 'string') Object.assign(fields, Object.fromEntries(new URLSearchParams(request.body)));
			await jobs.ping(task, event, fields);
			return reply.type('text/plain; charset=utf-8').send('OK\n');
		};
		const summary = `A job reports: ${JOB_EVENTS.join(', ')}`;
		scope.route({ method: ['GET', 'POST'], url: `${BASE}/:task/:event`, schema: { tags, summary }, handler: report });
	});
}

function jobAnswer(state: JobState, nowMs: number): JobAnswer {
	const { definition, running } = state;
	const schedule = definition.schedule === null ? null : parseSchedule(definition.schedule);
	const due =
		schedule?.kind === 'ok'
			? dueTime(schedule.schedule, state.lastSuccessMs ?? state.firstSeenMs, { nowMs, graceMs: definition.graceMs })
			: null;
	const silent = running.some(({ sinceMs }) => nowMs - sinceMs > definition.maxDurationMs);
	const time = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());
	return {
		task: state.task,
		host: state.host,
		state:
			due !== null && due < nowMs
				? 'late'
				: silent
					? 'silent'
					: state.lastRunSuccess === false
						? 'failed'
						: running.length > 0
							? 'running'
							: 'ok',
		lastStart: time(state.lastStartMs),
		lastSuccess: time(state.lastSuccessMs),
		lastFailure: time(state.lastFailureMs),
		lastSeconds: state.lastRunSeconds,
		rows: state.rows,
		due: time(due),
		schedule: definition.schedule,
		graceSeconds: definition.graceMs / 1000,
		maxDurationSeconds: definition.maxDurationMs / 1000,
	};
}
