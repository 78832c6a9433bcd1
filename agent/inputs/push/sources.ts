import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, systemErrorCode } from '../../../core/errors.ts';
import { type BoundedRegex, compileRegex } from '../bounded-regex.ts';
import { globPattern } from '../glob.ts';
import { jsonText, parseJsonPath, valuesAt } from '../json-path.ts';
import type { HttpReader } from '../probe/http-read.ts';
import { type SqlServer, SqlSession } from '../sql/session.ts';
import { parseTimeText } from '../time-text.ts';
import type { PushSource, PushState } from './push-state.ts';

const ANSWER_BYTES = 1024 * 1024;
type Get = (name: string) => string | null | undefined;

/** Turns named texts into a state. A time that cannot be read is an error: taking it for "never" would raise a false alarm. */
function stateFrom(get: Get, zone: string, place: string): PushState {
	const number = (name: string): number | undefined => {
		const text = get(name);
		if (text === undefined || text === null || text.trim() === '') return undefined;
		const value = Number(text);
		if (Number.isNaN(value)) throw new AppError('FN_AGENT_SOURCE_FORMAT', `${name} of ${place} is not a number`);
		return value;
	};
	const time = get('last_success');
	const lastSuccessMs = time === undefined || time === null || time.trim() === '' ? null : parseTimeText(time, zone);
	if (lastSuccessMs === null && time !== undefined && time !== null && time.trim() !== '' && Number(time) !== 0)
		throw new AppError('FN_AGENT_SOURCE_FORMAT', `last_success of ${place} is not a time; give seconds since 1970 or 2026-11-22 23:04:05`);
	const success = get('success');
	const seconds = number('duration');
	const [sent, received, rejected] = [number('sent'), number('received'), number('rejected')];
	return {
		lastSuccessMs,
		...(success === undefined || success === null ? {} : { lastRunSuccess: /^(1|true|yes|ok|success|成功)$/i.test(success.trim()) }),
		...(seconds === undefined ? {} : { lastRunSeconds: seconds }),
		...(sent === undefined ? {} : { sent }),
		...(received === undefined ? {} : { received }),
		...(rejected === undefined ? {} : { rejected }),
	};
}

export function sqlSource(options: {
	readonly server: SqlServer;
	readonly query: string;
	readonly zone: string;
	readonly timeoutMs: number;
}): PushSource {
	const session = new SqlSession(options.server);
	return {
		read: async (signal) => {
			const limits = { timeoutMs: options.timeoutMs, maxRows: 1, maxBytes: ANSWER_BYTES };
			const { columns, rows } = await session.query(options.query, limits, signal);
			const names = columns.map((column) => column.toLowerCase());
			if (!names.includes('last_success'))
				throw new AppError('FN_AGENT_SQL_FAILED', 'the statement gives no column last_success; write SELECT … AS last_success');
			const row = rows[0] ?? [];
			return stateFrom((name) => (names.includes(name) ? (row[names.indexOf(name)] ?? null) : undefined), options.zone, 'the statement');
		},
		close: () => session.close(),
	};
}

export function httpSource(options: {
	readonly reader: HttpReader;
	readonly fields: Readonly<Record<string, string | undefined>>;
	readonly zone: string;
}): PushSource {
	const paths = new Map<string, NonNullable<ReturnType<typeof parseJsonPath>>>();
	for (const [name, path] of Object.entries(options.fields)) {
		const steps = path === undefined ? null : parseJsonPath(path);
		if (steps !== null) paths.set(name, steps);
	}
	return {
		read: async (signal, nowMs) => {
			const { body } = await options.reader.read(signal);
			// Without fields the answer itself, which met its conditions, is the success.
			if (paths.size === 0) return { lastSuccessMs: nowMs };
			let root: unknown;
			try {
				root = JSON.parse(body.toString('utf8'));
			} catch (error) {
				throw new AppError('FN_AGENT_SOURCE_FORMAT', 'the answer is not JSON', { cause: error, retryable: true });
			}
			return stateFrom(
				(name) => {
					const steps = paths.get(name);
					const value = steps === undefined ? undefined : valuesAt(root, steps)[0];
					if (steps !== undefined && value === undefined && name === 'last_success')
						throw new AppError('FN_AGENT_SOURCE_FORMAT', `${options.fields[name]} leads to nothing in the answer`, { retryable: true });
					return value === undefined ? undefined : value === null ? null : jsonText(value);
				},
				options.zone,
				'the answer',
			);
		},
		close: () => {},
	};
}

/** Entries of one folder that are looked at; an interface that never clears its folder must not cost more every day. */
const MOST_FILES = 10_000;

export function fileSource(options: { readonly directory: string; readonly pattern: string; readonly minBytes: number }): PushSource {
	const pattern = globPattern(options.pattern);
	return {
		read: async (signal) => {
			let names: string[];
			try {
				names = (await readdir(options.directory)).filter((name) => pattern.test(name));
			} catch (error) {
				throw unreadable(options.directory, error);
			}
			// Names usually end in a date: the last ones are the newest.
			const candidates = names.sort().slice(-MOST_FILES);
			let newest: number | null = null;
			for (const name of candidates) {
				if (signal.aborted)
					throw new AppError('FN_AGENT_INPUT_TIMEOUT', `${options.directory} was not looked through in time`, { retryable: true });
				try {
					const { mtimeMs, size } = await stat(join(options.directory, name));
					if (size >= options.minBytes && (newest === null || mtimeMs > newest)) newest = mtimeMs;
				} catch (error) {
					// Fetched and removed while we looked, which is what such folders are for.
					if (systemErrorCode(error) !== 'ENOENT') throw unreadable(join(options.directory, name), error);
				}
			}
			return { lastSuccessMs: newest };
		},
		close: () => {},
	};
}

function unreadable(path: string, error: unknown): AppError {
	return new AppError('FN_AGENT_FILE_UNREADABLE', `${path} cannot be read (${systemErrorCode(error)}); let the agent's user read it`, {
		cause: error,
	});
}

/** Read in one round at most; a log that grows faster is caught up with in the next ones. */
const ROUND_BYTES = 4 * 1024 * 1024;

export function logSource(options: {
	readonly path: string;
	readonly success: string;
	readonly failure: string | null;
	readonly tailBytes: number;
	readonly encoding: string;
	readonly zone: string;
}): PushSource {
	let patterns: { readonly success: BoundedRegex; readonly failure: BoundedRegex | null } | null = null;
	let position: { readonly inode: number; readonly offset: number } | null = null;
	let state: PushState = { lastSuccessMs: null };
	return {
		read: async (_signal, nowMs) => {
			patterns ??= {
				success: await compileRegex(options.success),
				failure: options.failure === null ? null : await compileRegex(options.failure),
			};
			let handle: Awaited<ReturnType<typeof open>>;
			try {
				handle = await open(options.path, 'r');
			} catch (error) {
				throw unreadable(options.path, error);
			}
			try {
				const { size, ino, mtimeMs } = await handle.stat();
				const first = position === null;
				// Rotated or cut short: what is there now is all new.
				const start: number = first
					? Math.max(0, size - options.tailBytes)
					: position?.inode !== ino || position.offset > size
						? 0
						: position.offset;
				const bytes = Buffer.alloc(Math.min(size - start, first ? options.tailBytes : ROUND_BYTES));
				const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
				const end = bytes.subarray(0, bytesRead).lastIndexOf(10) + 1;
				const text = new TextDecoder(options.encoding).decode(bytes.subarray(0, end));
				// A line longer than a whole round has no end that could be waited for.
				position = { inode: ino, offset: start + (end === 0 && bytesRead === ROUND_BYTES ? bytesRead : end) };
				for (const line of text.split('\n')) {
					const found = patterns.success.first(line);
					if (found !== null) {
						const timeMs = parseTimeText(found, options.zone);
						// What was written before we looked first happened no later than the file was last written to.
						state = { lastSuccessMs: Math.max(timeMs ?? (first ? mtimeMs : nowMs), state.lastSuccessMs ?? 0), lastRunSuccess: true };
					} else if (patterns.failure?.test(line) === true) state = { ...state, lastRunSuccess: false };
				}
				return state;
			} finally {
				await handle.close();
			}
		},
		close: () => {},
	};
}
