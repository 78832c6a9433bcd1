/**
 * Bound parameters of one statement stay far below SQLite's limit (32,766) and MySQL's packet. A prepared statement takes about a
 * kilobyte a row outside of the heap, so more rows at once cost more than they save.
 */
const ROWS_PER_STATEMENT = 50;

export function* chunks<T>(rows: readonly T[]): Generator<readonly T[]> {
	for (let i = 0; i < rows.length; i += ROWS_PER_STATEMENT) yield rows.slice(i, i + ROWS_PER_STATEMENT);
}
