export interface JobHeartbeatTable {
	task: string;
	/** `JobState` as JSON. */
	state: string;
	updated_at_ms: number;
}

export interface JobTables {
	job_heartbeat: JobHeartbeatTable;
}
