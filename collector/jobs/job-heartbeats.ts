import type { Clock } from '../../core/clock.ts';
import { AppError, errorText } from '../../core/errors.ts';
import { JOB_NAME, type JobDefinition, parseJobPing } from '../../core/jobs/job-ping.ts';
import { applyPing, type JobState, jobSamples, newJob, readJobState } from '../../core/jobs/job-state.ts';
import { labelsFromObject } from '../../core/labels.ts';
import type { Logger } from '../../core/log.ts';
import type { Labels } from '../../protocol/labels.ts';
import type { StateDatabase } from '../state/database.ts';
import type { Appendable } from '../storage/storage.ts';

export interface JobHeartbeatsOptions {
	readonly state: StateDatabase;
	readonly store: Appendable;
	readonly clock: Clock;
	readonly log: Logger;
}

/** Names come from whoever holds a token; there must be an end to them. */
const MOST_JOBS = 10_000;
const WRITE_MS = 15_000;
/** Not the collector's address: a job stays the same when the collector moves. Where it runs is the label `host`. */
const INSTANCE = 'collector';

/** Reports of scheduled tasks that are sent to the collector itself, kept in the state database and shown as series. */
export class JobHeartbeats {
	readonly #options: JobHeartbeatsOptions;
	readonly #jobs = new Map<string, JobState>();
	/** Series of each job's last write by their text, so that those which go end with a stale marker. */
	readonly #written = new Map<string, ReadonlyMap<string, Labels>>();
	#timer: NodeJS.Timeout | null = null;
	#turn: Promise<unknown> = Promise.resolve();
	#failing = false;

	constructor(options: JobHeartbeatsOptions) {
		this.#options = options;
	}

	/** Reads what was reported before, and shows it from now on. */
	async start(): Promise<void> {
		for (const row of await this.#options.state.selectFrom('job_heartbeat').selectAll().execute()) {
			const state = readJobState(row.state);
			if (state === null) this.#options.log.warn({ task: row.task }, 'what a job reported cannot be read and is forgotten');
			else this.#jobs.set(state.task, state);
		}
		this.#timer = setInterval(() => void this.#inTurn(() => this.#writeAll()), WRITE_MS);
		await this.#inTurn(() => this.#writeAll());
	}

	async stop(): Promise<void> {
		if (this.#timer !== null) clearInterval(this.#timer);
		await this.#turn;
	}

	/** A report; acknowledged when it is kept. Throws `FN_JOB_PING` (400) or `FN_JOB_LIMIT` (429). */
	async ping(job: string, event: string, fields: Readonly<Record<string, string>>): Promise<JobState> {
		const ping = parseJobPing(job, event, fields);
		return await this.#change(job, (before, nowMs) => applyPing(before ?? newJob(job, nowMs), ping, nowMs));
	}

	/** Makes a job known before it first reports, or changes when it is expected. Throws as `ping`. */
	async define(job: string, definition: JobDefinition): Promise<JobState> {
		if (!JOB_NAME.test(job))
			throw new AppError('FN_JOB_PING', `"${job.slice(0, 120)}" is not a job's name; use letters, digits, ".", "_" and "-"`, {
				status: 400,
			});
		return await this.#change(job, (before, nowMs) => ({ ...(before ?? newJob(job, nowMs)), definition }));
	}

	/** Whether there was such a job. Its series end. */
	remove(job: string): Promise<boolean> {
		return this.#inTurn(async () => {
			if (!this.#jobs.has(job)) return false;
			await this.#options.state.deleteFrom('job_heartbeat').where('task', '=', job).execute();
			this.#jobs.delete(job);
			await this.#write([job]);
			return true;
		});
	}

	list(): readonly JobState[] {
		return [...this.#jobs.values()].sort((a, b) => (a.task < b.task ? -1 : 1));
	}

	#change(job: string, make: (before: JobState | undefined, nowMs: number) => JobState): Promise<JobState> {
		return this.#inTurn(async () => {
			const before = this.#jobs.get(job);
			if (before === undefined && this.#jobs.size >= MOST_JOBS)
				throw new AppError('FN_JOB_LIMIT', `there are ${MOST_JOBS} jobs already; remove some that no longer run`, { status: 429 });
			const nowMs = this.#options.clock.now();
			const after = make(before, nowMs);
			const row = { task: job, state: JSON.stringify(after), updated_at_ms: nowMs };
			const { state } = this.#options;
			if (before === undefined) await state.insertInto('job_heartbeat').values(row).execute();
			else await state.updateTable('job_heartbeat').set(row).where('task', '=', job).execute();
			this.#jobs.set(job, after);
			// Not the others with it: of ten thousand jobs, each report would cost as much as all.
			await this.#write([job]);
			return after;
		});
	}

	/** One after the other: two reports of one job must not both begin from the same state. */
	#inTurn<T>(work: () => Promise<T>): Promise<T> {
		const turn = this.#turn.then(work);
		this.#turn = turn.catch(() => {});
		return turn;
	}

	#writeAll(): Promise<void> {
		// A job that is gone may still owe its stale markers to a full disk.
		return this.#write(new Set([...this.#written.keys(), ...this.#jobs.keys()]));
	}

	/** A full disk is said once and does not refuse reports, which are kept already. */
	async #write(jobs: Iterable<string>): Promise<void> {
		const { store, clock, log } = this.#options;
		const nowMs = clock.now();
		const written = new Map<string, Map<string, Labels>>();
		const appender = store.appender();
		for (const job of jobs) {
			const state = this.#jobs.get(job);
			const now = new Map<string, Labels>();
			for (const { name, labels, value } of state === undefined ? [] : jobSamples(state, nowMs)) {
				const object: Record<string, string> = { __name__: name, job: 'job', instance: INSTANCE };
				for (let i = 0; i < labels.length; i += 2) object[labels[i] as string] = labels[i + 1] as string;
				const series = labelsFromObject(object);
				now.set(series.join('\u0000'), series);
				appender.append(series, nowMs, value);
			}
			for (const [key, series] of this.#written.get(job) ?? []) if (!now.has(key)) appender.appendStale(series, nowMs);
			written.set(job, now);
		}
		try {
			await appender.commit();
			for (const [job, series] of written) {
				if (this.#jobs.has(job)) this.#written.set(job, series);
				else this.#written.delete(job);
			}
			this.#failing = false;
		} catch (error) {
			if (!this.#failing) log.warn({ error: errorText(error) }, 'the series of jobs cannot be written');
			this.#failing = true;
		}
	}
}
