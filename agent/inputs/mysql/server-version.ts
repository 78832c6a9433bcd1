/** Which statements a server understands. Decided by `VERSION()`, never by trial: a refused statement is an error in the server's log each time. */
export interface ServerVersion {
	readonly text: string;
	readonly mariaDb: boolean;
	readonly major: number;
	readonly minor: number;
	readonly patch: number;
}

export function parseServerVersion(text: string): ServerVersion {
	// Some MariaDB packages hide behind "5.5.5-10.11.6-MariaDB", because old clients choked on a two-digit major.
	const match = /^(?:5\.5\.5-)?([0-9]+)\.([0-9]+)\.([0-9]+)/.exec(text);
	return {
		text,
		mariaDb: /mariadb/i.test(text),
		major: Number(match?.[1] ?? 0),
		minor: Number(match?.[2] ?? 0),
		patch: Number(match?.[3] ?? 0),
	};
}

/** The statement that lists all replication channels. MariaDB's bare `SHOW SLAVE STATUS` misses named connections. */
export function replicaStatusStatement(version: ServerVersion): string {
	if (version.mariaDb) return 'SHOW ALL SLAVES STATUS';
	return atLeast(version, 8, 0, 22) ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS';
}

/** The statement for the position of the own binary log; its old name is gone from MySQL 8.4. */
export function sourceStatusStatement(version: ServerVersion): string {
	return !version.mariaDb && atLeast(version, 8, 2, 0) ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
}

/** GTID sets of this server, each with the name that its metric's label `set` has. MySQL 5.6 is the first that has any. */
export function gtidStatement(version: ServerVersion): string | null {
	if (version.mariaDb) {
		return atLeast(version, 10, 0, 5)
			? 'SELECT @@GLOBAL.gtid_binlog_state AS binlog_state, @@GLOBAL.gtid_slave_pos AS slave_pos, @@GLOBAL.gtid_current_pos AS current_pos'
			: null;
	}
	return atLeast(version, 5, 6, 5)
		? 'SELECT @@GLOBAL.gtid_executed AS executed, @@GLOBAL.gtid_purged AS purged, @@GLOBAL.server_uuid AS uuid'
		: null;
}

/** How a single statement of a session is told to give up; `null` where the server cannot (MySQL before 5.7.8). */
export function statementLimit(version: ServerVersion, seconds: number): string | null {
	if (version.mariaDb) return atLeast(version, 10, 1, 1) ? `SET SESSION max_statement_time = ${seconds}` : null;
	return atLeast(version, 5, 7, 8) ? `SET SESSION max_execution_time = ${seconds * 1000}` : null;
}

/** Grants that `README.md` explains, for the account of the agent. `SELECT` rights for heartbeat and digests come on top. */
export function privileges(version: ServerVersion): string {
	return version.mariaDb && atLeast(version, 10, 5, 0) ? 'PROCESS, SLAVE MONITOR, BINLOG MONITOR' : 'PROCESS, REPLICATION CLIENT';
}

export function atLeast(version: ServerVersion, major: number, minor: number, patch: number): boolean {
	if (version.major !== major) return version.major > major;
	if (version.minor !== minor) return version.minor > minor;
	return version.patch >= patch;
}
