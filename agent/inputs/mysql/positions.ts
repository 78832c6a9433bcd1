import type { FamilySet } from '../input.ts';
import type { Row } from './row.ts';

/** Sources whose transactions are told apart; a set that names more is cut, and says so. */
const MAX_SOURCES = 64;

/** Number at the end of a log file's name: `binlog.000042` is 42. `null` for another name. */
export function fileNumber(name: string): number | null {
	const match = /\.([0-9]+)$/.exec(name);
	return match === null ? null : Number(match[1]);
}

/** Position of the own binary log: together with `fournines_mysql_replica_*` of a replica the distance of both ends, also while no heartbeat is written. */
export function sourceStatusFamilies(rows: readonly Row[], families: FamilySet): void {
	const [row] = rows;
	const number = fileNumber(row?.['File'] ?? '');
	if (row === undefined || number === null) return;
	families.gauge('fournines_mysql_binlog_file_number', 'Number of the binary log that is written now.', number);
	families.gauge('fournines_mysql_binlog_position_bytes', 'Position in the binary log that is written now.', Number(row['Position'] ?? 0));
}

/** Transactions per source of a GTID set of MySQL (`uuid:1-5:7`, `uuid:tag:1-3`). Intervals do not overlap; the server keeps them merged. */
export function parseGtidSet(text: string): ReadonlyMap<string, { readonly transactions: number; readonly last: number }> {
	const found = new Map<string, { transactions: number; last: number }>();
	for (const part of text.replace(/\s+/g, '').split(',')) {
		const [uuid, ...rest] = part.split(':');
		if (uuid === undefined || uuid === '') continue;
		let source = uuid.toLowerCase();
		for (const word of rest) {
			const interval = /^([0-9]+)(?:-([0-9]+))?$/.exec(word);
			if (interval === null) {
				// Since 8.3 intervals may belong to a tag, which numbers its own transactions.
				source = `${uuid.toLowerCase()}:${word}`;
				continue;
			}
			const from = Number(interval[1]);
			const to = Number(interval[2] ?? interval[1]);
			const entry = found.get(source) ?? { transactions: 0, last: 0 };
			entry.transactions += to - from + 1;
			entry.last = Math.max(entry.last, to);
			found.set(source, entry);
		}
	}
	return found;
}

/** Positions of MariaDB: `domain-server-sequence`, several with commas. */
export function parseGtidPositions(
	text: string,
): readonly { readonly domain: string; readonly server: string; readonly sequence: number }[] {
	return text
		.split(',')
		.map((part) => /^\s*([0-9]+)-([0-9]+)-([0-9]+)\s*$/.exec(part))
		.flatMap((match) => (match === null ? [] : [{ domain: match[1] ?? '', server: match[2] ?? '', sequence: Number(match[3]) }]));
}

/**
 * GTID positions as numbers, so that the collector can compare two ends: the gap is the difference of a source's numbers,
 * and a source of which a replica has more than its master (or which the master lacks) has written past replication: an
 * errant transaction.
 */
export function gtidFamilies(row: Row | undefined, mariaDb: boolean, families: FamilySet): void {
	if (row === undefined) return;
	let sources = 0;
	if (mariaDb) {
		for (const set of ['binlog_state', 'slave_pos', 'current_pos']) {
			const positions = parseGtidPositions(row[set] ?? '');
			sources = Math.max(sources, positions.length);
			for (const { domain, server, sequence } of positions.slice(0, MAX_SOURCES)) {
				families.gauge('fournines_mysql_gtid_sequence', 'Newest transaction of a server in a replication domain (MariaDB).', sequence, [
					...['set', set, 'domain', domain, 'gtid_server_id', server],
				]);
			}
		}
	} else {
		const uuid = row['uuid'] ?? '';
		families.gauge('fournines_mysql_server_uuid_info', 'UUID under which the transactions of this server are numbered; always 1.', 1, [
			'server_uuid',
			uuid,
		]);
		for (const set of ['executed', 'purged']) {
			const found = [...parseGtidSet(row[set] ?? '')];
			sources = Math.max(sources, found.length);
			for (const [source, { transactions, last }] of found.slice(0, MAX_SOURCES)) {
				const labels = ['set', set, 'source_uuid', source];
				families.gauge('fournines_mysql_gtid_transactions', 'Transactions of a source in the GTID set (MySQL).', transactions, labels);
				families.gauge('fournines_mysql_gtid_last', 'Highest number of a source in the GTID set (MySQL).', last, labels);
			}
		}
	}
	families.gauge('fournines_mysql_gtid_sources', 'Sources in the largest GTID set; beyond 64 the rest is left out.', sources);
}
