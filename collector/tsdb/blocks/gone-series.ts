import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../../core/errors.ts';
import { labelValue } from '../../../core/labels.ts';
import type { Labels } from '../../../protocol/labels.ts';
import { decodeLabelBytes } from '../../storage/label-bytes.ts';
import type { Matcher } from '../../storage/storage.ts';
import { type Family, familyOfLabels } from './block-files.ts';
import { decodeIds } from './gone-postings.ts';
import { INDEX_FILE } from './index-file.ts';

export interface GoneSeries {
	readonly id: number;
	readonly family: Family;
	readonly labels: Labels;
}

const BUSY_TIMEOUT_MS = 5000;
const LIVED = 'gone = 1 and last_ms >= ? and first_ms <= ?';

interface Times {
	readonly from: number;
	readonly to: number;
}

/**
 * Series that have left memory and live on in blocks, found in the index by label pair and time. Each thread has a reader of its own. Its methods
 * throw `FN_STORE_INDEX_READ`.
 */
export class GoneSeriesReader {
	readonly #folder: string;
	#database: DatabaseSync | null = null;
	/** An index that an older version made has no postings until it is written to. */
	#hasPostings = false;

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** Those that match and lived at some time of the range. */
	find(matchers: readonly Matcher[], minMs: number, maxMs: number): readonly GoneSeries[] {
		return this.#read(minMs, maxMs, (database, times) => {
			const found: GoneSeries[] = [];
			const take = (row: Record<string, unknown>) => {
				const bytes = row['labels'];
				if (!(bytes instanceof Uint8Array)) return;
				const labels = decodeLabelBytes(bytes, 0, bytes.length);
				if (!matchers.every((matcher) => matcher.test(labelValue(labels, matcher.name)))) return;
				found.push({ id: Number(row['id']), family: familyOfLabels(bytes), labels });
			};
			const candidates = this.#candidates(database, matchers, times);
			if (candidates === null) {
				for (const row of database.prepare(`select id, labels from series where ${LIVED}`).iterate(times.from, times.to)) take(row);
				return found;
			}
			const one = database.prepare(`select id, labels from series where id = ? and ${LIVED}`);
			for (const id of candidates) {
				const row = one.get(id, times.from, times.to);
				if (row !== undefined) take(row);
			}
			return found;
		});
	}

	/** Values of a label, of all that lived about then; `null` when only `find` can tell. */
	values(name: string, minMs: number, maxMs: number): readonly string[] | null {
		return this.#read(minMs, maxMs, (database, { from, to }) => {
			if (!this.#hasPostings) return null;
			const rows = database.prepare(
				'select value from gone_pair where name = ? and exists (select 1 from gone_posting where gone_posting.pair = gone_pair.pair and last_ms >= ? and first_ms <= ?)',
			);
			return rows.all(name, from, to).map((row) => String(row['value']));
		});
	}

	/** As `values`, of label names. */
	names(minMs: number, maxMs: number): readonly string[] | null {
		return this.#read(minMs, maxMs, (database, { from, to }) => {
			if (!this.#hasPostings) return null;
			// One pair of each name that lived is enough.
			const names = database.prepare('select distinct name from gone_pair').all();
			const lived = database.prepare(
				'select 1 from gone_pair join gone_posting using (pair) where name = ? and last_ms >= ? and first_ms <= ? limit 1',
			);
			return names.map((row) => String(row['name'])).filter((name) => lived.get(name, from, to) !== undefined);
		});
	}

	close(): void {
		this.#database?.close();
		this.#database = null;
		this.#hasPostings = false;
	}

	#read<T>(minMs: number, maxMs: number, look: (database: DatabaseSync, times: Times) => T): T {
		try {
			this.#database ??= new DatabaseSync(join(this.#folder, INDEX_FILE), { readOnly: true, timeout: BUSY_TIMEOUT_MS });
			this.#hasPostings ||= this.#database.prepare("select 1 from sqlite_master where name = 'gone_posting'").get() !== undefined;
			return look(this.#database, { from: Math.max(minMs, -Number.MAX_SAFE_INTEGER), to: Math.min(maxMs, Number.MAX_SAFE_INTEGER) });
		} catch (error) {
			this.close();
			throw new AppError('FN_STORE_INDEX_READ', 'series that are no longer written cannot be looked up in the index; try again', {
				cause: error,
				retryable: true,
				status: 503,
			});
		}
	}

	/** Series among which all are that match, by the matcher that leaves the fewest; `null` when no matcher asks for a label that is there. */
	#candidates(database: DatabaseSync, matchers: readonly Matcher[], times: Times): readonly number[] | null {
		if (!this.#hasPostings) return null;
		let best: { readonly pairs: readonly number[]; readonly bytes: number } | null = null;
		// Those that name their values are looked up; the others have to be shown every value of the label.
		for (const matcher of [...matchers].sort((a, b) => Number(a.literals === null) - Number(b.literals === null))) {
			if (matcher.test('')) continue;
			if (matcher.literals === null && best !== null && best.bytes < SMALL_POSTINGS) break;
			const pairs = this.#pairs(database, matcher);
			const size = database.prepare('select sum(length(ids)) as bytes from gone_posting where pair = ? and last_ms >= ? and first_ms <= ?');
			let bytes = 0;
			for (const pair of pairs) bytes += Number(size.get(pair, times.from, times.to)?.['bytes'] ?? 0);
			if (best === null || bytes < best.bytes) best = { pairs, bytes };
		}
		if (best === null) return null;
		const ids = new Set<number>();
		const rows = database.prepare('select ids from gone_posting where pair = ? and last_ms >= ? and first_ms <= ?');
		for (const pair of best.pairs) {
			for (const row of rows.iterate(pair, times.from, times.to)) {
				if (row['ids'] instanceof Uint8Array) for (const id of decodeIds(row['ids'])) ids.add(id);
			}
		}
		return [...ids].sort((a, b) => a - b);
	}

	#pairs(database: DatabaseSync, matcher: Matcher): readonly number[] {
		if (matcher.literals !== null) {
			const pair = database.prepare('select pair from gone_pair where name = ? and value = ?');
			return [...new Set(matcher.literals)].flatMap((value) => {
				const row = pair.get(matcher.name, value);
				return row === undefined ? [] : [Number(row['pair'])];
			});
		}
		const pairs: number[] = [];
		for (const row of database.prepare('select pair, value from gone_pair where name = ?').iterate(matcher.name)) {
			if (matcher.test(String(row['value']))) pairs.push(Number(row['pair']));
		}
		return pairs;
	}
}

/** Fewer than this are read faster than the values of a label are looked through. */
const SMALL_POSTINGS = 4096;
