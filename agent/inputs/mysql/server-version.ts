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
	const replicaWords = atLeast(version, 8, 0, 22);
	return replicaWords ? 'SHOW REPLICA STATUS' : 'SHOW SLAVE STATUS';
}

export function atLeast(version: ServerVersion, major: number, minor: number, patch: number): boolean {
	if (version.major !== major) return version.major > major;
	if (version.minor !== minor) return version.minor > minor;
	return version.patch >= patch;
}
