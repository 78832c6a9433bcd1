/** What is known of a scheduled task that reports to the collector. Times are RFC 3339. */
export interface JobAnswer {
	readonly task: string;
	/** `''` where it does not say where it runs. */
	readonly host: string;
	readonly state: 'ok' | 'running' | 'failed' | 'silent' | 'late';
	readonly lastStart: string | null;
	readonly lastSuccess: string | null;
	readonly lastFailure: string | null;
	readonly lastSeconds: number | null;
	/** Rows of the last run by kind. */
	readonly rows: Readonly<Record<string, number>>;
	/** When the next success is late; `null` without a schedule. */
	readonly due: string | null;
	readonly schedule: object | null;
	readonly graceSeconds: number;
	readonly maxDurationSeconds: number;
}

export interface JobListAnswer {
	readonly jobs: readonly JobAnswer[];
}
