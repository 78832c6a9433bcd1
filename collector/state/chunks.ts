/** Bound parameters of one statement stay far below SQLite's limit (32,766) and MySQL's packet. */
const ROWS_PER_STATEMENT = 200;

export function* chunks<T>(rows: readonly T[]): Generator<readonly T[]> {
	for (let i = 0; i < rows.length; i += ROWS_PER_STATEMENT) yield rows.slice(i, i + ROWS_PER_STATEMENT);
}
