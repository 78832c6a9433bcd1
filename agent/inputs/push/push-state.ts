/** What is known of an interface's runs. `null` and absent: not known. */
export interface PushState {
	/** Milliseconds; `null` when there has never been a success. */
	readonly lastSuccessMs: number | null;
	readonly lastRunSuccess?: boolean;
	readonly lastRunSeconds?: number;
	readonly sent?: number;
	readonly received?: number;
	readonly rejected?: number;
}

/** One way of finding out. Rejects with an `AppError` when it cannot be found out, which is not the same as "never". */
export interface PushSource {
	read(signal: AbortSignal, nowMs: number): Promise<PushState>;
	close(): void;
}
