import { AppError } from '../../../core/errors.ts';
import { jsonText, parseJsonPath, valuesAt } from '../json-path.ts';
import type { HttpReader } from '../probe/http-read.ts';
import { type SqlServer, SqlSession } from '../sql/session.ts';

/** One end of an interface: how many records it holds, by business date (`YYYY-MM-DD`). */
export interface CountEnd {
	counts(signal: AbortSignal): Promise<ReadonlyMap<string, number>>;
	close(): void;
}

/** More rows than a year of days cannot be one count per date. */
const MOST_ROWS = 400;
const ANSWER_BYTES = 1024 * 1024;

export function sqlEnd(options: { readonly server: SqlServer; readonly query: string; readonly timeoutMs: number }): CountEnd {
	const session = new SqlSession(options.server);
	return {
		counts: async (signal) => {
			const limits = { timeoutMs: options.timeoutMs, maxRows: MOST_ROWS, maxBytes: ANSWER_BYTES };
			const { columns, rows, cut } = await session.query(options.query, limits, signal);
			if (columns.length < 2)
				throw new AppError('FN_AGENT_SQL_FAILED', 'the statement gives fewer than two columns; it should give a date and a count');
			if (cut) throw new AppError('FN_AGENT_SQL_FAILED', `the statement gives more than ${MOST_ROWS} rows; limit it to the last days`);
			return gather(rows.map((row) => [row[0] ?? null, row[1] ?? null]));
		},
		close: () => session.close(),
	};
}

export function httpEnd(options: { readonly reader: HttpReader; readonly dates: string; readonly counts: string }): CountEnd {
	const dates = parseJsonPath(options.dates) ?? [];
	const counts = parseJsonPath(options.counts) ?? [];
	return {
		counts: async (signal) => {
			const { body } = await options.reader.read(signal);
			let root: unknown;
			try {
				root = JSON.parse(body.toString('utf8'));
			} catch (error) {
				throw new AppError('FN_AGENT_SOURCE_FORMAT', 'the answer is not JSON', { cause: error, retryable: true });
			}
			const [days, numbers] = [valuesAt(root, dates), valuesAt(root, counts)];
			if (days.length !== numbers.length)
				throw new AppError('FN_AGENT_SOURCE_FORMAT', `the answer holds ${days.length} dates and ${numbers.length} counts`, {
					retryable: true,
				});
			return gather(days.map((day, i) => [jsonText(day), jsonText(numbers[i])]));
		},
		close: () => {},
	};
}

function gather(rows: readonly (readonly [string | null, string | null])[]): ReadonlyMap<string, number> {
	const counts = new Map<string, number>();
	for (const [day, text] of rows) {
		const match = /^([0-9]{4})-?([0-9]{2})-?([0-9]{2})(?:[T ].*)?$/.exec((day ?? '').trim());
		const count = text === null ? 0 : Number(text);
		if (match === null || Number.isNaN(count))
			throw new AppError('FN_AGENT_SOURCE_FORMAT', 'a row is not a date such as 2026-11-22 and a count', { retryable: true });
		const date = `${match[1]}-${match[2]}-${match[3]}`;
		counts.set(date, (counts.get(date) ?? 0) + count);
	}
	return counts;
}
