import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { AppError, errorText } from '../../../core/errors.ts';
import { type JobDefinition, parseJobPing } from '../../../core/jobs/job-ping.ts';
import { applyPing, type JobState, newJob, readJobState } from '../../../core/jobs/job-state.ts';
import type { Logger } from '../../../core/log.ts';

/** Names come from whoever pings; there must be an end to them. */
const MOST_JOBS = 1000;

/** Takes the heartbeats of this host's tasks and keeps what they said across restarts. */
export class JobDesk {
	readonly #options: { readonly clock: Clock; readonly log: Logger };
	readonly #file: string;
	readonly #jobs = new Map<string, JobState>();
	#failing = false;
	#open = false;

	/** `folder` is where `jobs.jsonl` lies, one job a line. */
	constructor(options: { readonly folder: string; readonly clock: Clock; readonly log: Logger }) {
		this.#options = options;
		this.#file = join(options.folder, 'jobs.jsonl');
		this.#load();
	}

	/** Whether reports are taken; they are where the configuration has `jobs`. */
	get open(): boolean {
		return this.#open;
	}

	/**
	 * What the configuration says: `null` takes no reports. Tasks become known before they first report, and a definition that stands
	 * there wins over what a report said.
	 */
	configure(tasks: readonly { readonly name: string; readonly definition: JobDefinition }[] | null): void {
		this.#open = tasks !== null;
		for (const { name, definition } of tasks ?? []) {
			const known = this.#jobs.get(name) ?? newJob(name, this.#options.clock.now(), definition);
			this.#jobs.set(name, { ...known, definition });
		}
		if (tasks !== null && tasks.length > 0) this.#save();
	}

	/** A report. Throws `FN_JOB_PING` (400) or `FN_JOB_LIMIT` (429). */
	ping(job: string, event: string, fields: Readonly<Record<string, string>>): void {
		const ping = parseJobPing(job, event, fields);
		const known = this.#jobs.get(job);
		if (known === undefined && this.#jobs.size >= MOST_JOBS)
			throw new AppError('FN_JOB_LIMIT', `there are ${MOST_JOBS} jobs already; remove some that no longer run`, { status: 429 });
		const now = this.#options.clock.now();
		this.#jobs.set(job, applyPing(known ?? newJob(job, now), ping, now));
		this.#save();
	}

	states(): readonly JobState[] {
		return [...this.#jobs.values()];
	}

	#load(): void {
		let text: string;
		try {
			text = readFileSync(this.#file, 'utf8');
		} catch {
			// The first start, or a folder that is made with the first report.
			return;
		}
		for (const line of text.split('\n')) {
			const state = readJobState(line);
			if (state !== null && this.#jobs.size < MOST_JOBS) this.#jobs.set(state.task, state);
		}
	}

	/** Written beside and moved over, so that a power cut leaves the old or the new one. A full disk is said once and does not refuse the report. */
	#save(): void {
		const file = this.#file;
		const { log } = this.#options;
		try {
			mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
			writeFileSync(
				`${file}.new`,
				this.states()
					.map((state) => JSON.stringify(state))
					.join('\n'),
				{ mode: 0o600 },
			);
			renameSync(`${file}.new`, file);
			this.#failing = false;
		} catch (error) {
			if (!this.#failing) log.warn({ file, error: errorText(error) }, 'the reports of jobs cannot be kept');
			this.#failing = true;
		}
	}
}
