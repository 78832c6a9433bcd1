import type { Clock } from '../../../core/clock.ts';
import { AppError, errorText } from '../../../core/errors.ts';
import type { Logger } from '../../../core/log.ts';
import { FamilySet, type Input, singleGauge } from '../input.ts';
import type { SqlConfig } from './config.ts';
import { type SqlResult, type SqlServer, SqlSession } from './session.ts';

export type SqlQuery = SqlConfig['queries'][number];

export interface SqlInputOptions {
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	/** Deadline of all statements together. */
	readonly timeoutMs: number;
	readonly server: SqlServer;
	readonly queries: readonly SqlQuery[];
	readonly clock: Clock;
	readonly log: Logger;
}

const UP_HELP = 'Whether the database could be logged in to.';
const ANSWER_BYTES = 4 * 1024 * 1024;
/** The scheduler's deadline lies behind that of the statements, so that a slow one costs its own series only. */
const GRACE_MS = 1000;
const LABEL_CHARACTERS = 200;

/** Named statements as metrics, one after the other on one read-only session. A statement that fails costs only its own series. */
export function createSqlInput(options: SqlInputOptions): Input {
	const session = new SqlSession(options.server);
	const failing = new Set<string>();
	return {
		name: 'sql',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs + GRACE_MS,
		onFailure: [singleGauge('sql_up', UP_HELP, 0)],
		async collect(signal) {
			const families = new FamilySet();
			const started = options.clock.monotonic();
			for (const [index, query] of options.queries.entries()) {
				const left = options.timeoutMs - (options.clock.monotonic() - started);
				// Half of what is left, so that a statement which hangs leaves time for those behind it.
				const share = index === options.queries.length - 1 ? left : left / 2;
				const from = options.clock.monotonic();
				let ok = false;
				try {
					const limits = {
						timeoutMs: Math.max(1, share),
						sessionTimeoutMs: options.timeoutMs,
						maxRows: query.max_rows,
						maxBytes: ANSWER_BYTES,
					};
					const result = await session.query(query.query, limits, signal);
					const bad = resultFamilies(query, result, families);
					families.gauge('sql_query_rows', 'Rows that the statement gave.', result.rows.length, ['query', query.name]);
					families.gauge('sql_query_truncated', 'Whether rows beyond max_rows were left out.', result.cut ? 1 : 0, ['query', query.name]);
					if (bad !== null) throw new AppError('FN_AGENT_SQL_FAILED', bad);
					ok = true;
					if (failing.delete(query.name)) options.log.info({ query: query.name }, 'a statement works again');
				} catch (error) {
					// Without a session there is nothing to say about any statement.
					if (error instanceof AppError && error.code === 'FN_AGENT_SOURCE_CONNECT') throw error;
					if (!failing.has(query.name)) options.log.warn({ query: query.name, error: errorText(error) }, 'a statement fails');
					failing.add(query.name);
				}
				families.gauge('sql_query_success', 'Whether the statement gave what it should.', ok ? 1 : 0, ['query', query.name]);
				families.gauge('sql_query_duration_seconds', 'How long the statement took.', (options.clock.monotonic() - from) / 1000, [
					'query',
					query.name,
				]);
			}
			families.gauge('sql_up', UP_HELP, 1);
			return families.list();
		},
		async close() {
			session.close();
		},
	};
}

/** Adds the values; returns what is wrong with the result, or `null`. */
function resultFamilies(query: SqlQuery, { columns, rows }: SqlResult, families: FamilySet): string | null {
	const at = (column: string) => columns.findIndex((name) => name.toLowerCase() === column.toLowerCase());
	const missing = [...query.values, ...query.labels].filter((column) => at(column) < 0);
	if (missing.length > 0) return `the statement gives no column ${missing.join(', ')}`;
	let problem: string | null = null;
	const seen = new Set<string>();
	for (const row of rows) {
		const labels: string[] = [];
		for (const label of query.labels) labels.push(label, (row[at(label)] ?? '').slice(0, LABEL_CHARACTERS));
		const key = labels.join('\u0000');
		if (seen.has(key)) problem = 'two rows have the same labels';
		if (seen.has(key)) continue;
		seen.add(key);
		for (const column of query.values) {
			const text = row[at(column)] ?? null;
			// NULL is no value: SUM over nothing.
			if (text === null) continue;
			const value = text.trim() === '' ? Number.NaN : Number(text);
			if (Number.isNaN(value)) problem = `column ${column} holds something that is not a number`;
			else families.add(`${query.name}_${column}`, query.type, query.help, value, labels);
		}
	}
	return problem;
}
