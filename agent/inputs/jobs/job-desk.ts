import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock } from '../../../core/clock.ts';
import { AppError, errorText } from '../../../core/errors.ts';
import { parseJobPing } from '../../../core/jobs/job-ping.ts';
import { applyPing, type JobState, newJob, readJobState } from '../../../core/jobs/job-state.ts';
import type { Logger } from '../../../core/log.ts';
import type { ConfiguredTask } from './config.ts';

/** Names come from whoever pings; there must be an end to them. */
const MOST_JOBS = 1000;

/** Takes the heartbeats of this host's tasks and keeps what they said across restarts. */
export class JobDesk {
	readonly #options: { readonly clock: Clock; readonly log: Logger };
	readonly #file: string;
	readonly #jobs = new Map<string, JobState>();
	/** Tasks that are known by the configuration, also by the one before a restart. */
	#configured = new Set<string>();
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
	 * there wins over what a report said. One that no longer stands there is forgotten, or it would be waited for for ever.
	 */
	configure(tasks: readonly ConfiguredTask[] | null): void {
		this.#open = tasks !== null;
		const before = this.#configured;
		this.#configured = new Set(tasks?.map(({ name }) => name));
		const gone = [...before].filter((name) => !this.#configured.has(name));
		for (const name of gone) this.#jobs.delete(name);
		for (const { name, definition } of tasks ?? []) {
			const known = this.#jobs.get(name) ?? newJob(name, this.#options.clock.now(), definition);
			this.#jobs.set(name, { ...known, definition });
		}
		if (gone.length > 0 || this.#configured.size > 0) this.#save();
	}

	/** `configured`: it stands in the configuration, and stays. */
	forget(job: string): 'forgotten' | 'unknown' | 'configured' {
		if (this.#configured.has(job)) return 'configured';
		if (!this.#jobs.delete(job)) return 'unknown';
		this.#save();
		return 'forgotten';
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
			if (state === null || this.#jobs.size >= MOST_JOBS) continue;
			const { configured, ...kept } = state as JobState & { readonly configured?: unknown };
			this.#jobs.set(state.task, kept);
			if (configured === true) this.#configured.add(state.task);
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
					.map((state) => JSON.stringify(this.#configured.has(state.task) ? { ...state, configured: true } : state))
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
