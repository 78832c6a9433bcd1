/** The outcome that a log record reports; `unknown` is said explicitly because an auditor must see that nobody knows. */
export type LogResult = 'success' | 'failure' | 'unknown';

/**
 * Log record, version 1. What was sealed with the first line must still verify years later, so fields are added only
 * with a new `v`. Every field is always present; what is unknown is `''` (text) and `result: 'unknown'`.
 * The archive hashes the RFC 8785 (JCS) bytes of exactly this object.
 */
export interface LogRecord {
	readonly v: 1;
	/** One stream per agent and file, for example `app-1/auth`. `seq` has no gaps within it. */
	readonly stream: string;
	readonly seq: number;
	/** When it happened, by the source's own clock; equals `receiveTimeMs` when the line carries no time. */
	readonly eventTimeMs: number;
	/** When the collector took it. The agent sends its own read time, the collector overwrites it. */
	readonly receiveTimeMs: number;
	readonly host: string;
	readonly system: string;
	/** Kind of source: `sshd`, `sudo`, `nginx-access`, `tomcat-access`, `catalina`, `operations`, … */
	readonly source: string;
	/** What sort of event: `login`, `logout`, `command`, `request`, `message`, … */
	readonly kind: string;
	readonly actor: string;
	readonly action: string;
	readonly object: string;
	readonly result: LogResult;
	readonly srcAddr: string;
	readonly srcMac: string;
	readonly module: string;
	readonly severity: string;
	/** The line as read; base64 with `rawEncoding: 'base64'` in `fields` when the bytes are not UTF-8. */
	readonly raw: string;
	readonly fields: Readonly<Record<string, string>>;
}

/** Body of `POST /api/fournines/v1/logs`: consecutive records of one stream. */
export interface LogBatch {
	readonly stream: string;
	/** `seq` of the first record; the following ones count up by one. */
	readonly firstSeq: number;
	readonly records: readonly LogRecord[];
}

/** Answer: the next `seq` that the archive expects. A batch that begins earlier is deduplicated, one that begins later is refused (409). */
export interface LogBatchAnswer {
	readonly stream: string;
	readonly nextSeq: number;
}
