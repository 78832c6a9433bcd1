import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AppError } from '../../../core/errors.ts';
import { labelValue } from '../../../core/labels.ts';
import type { Labels } from '../../../protocol/labels.ts';
import { METRIC_NAME } from '../../../protocol/labels.ts';
import { decodeLabelBytes } from '../../storage/label-bytes.ts';
import type { Matcher } from '../../storage/storage.ts';
import { type Family, familyOfLabels } from './block-files.ts';
import { INDEX_FILE } from './index-file.ts';

export interface GoneSeries {
	readonly id: number;
	readonly family: Family;
	readonly labels: Labels;
}

const BUSY_TIMEOUT_MS = 5000;
const LIVED = 'from series where gone = 1 and last_ms >= ? and first_ms <= ?';

/** Series that have left memory and live on in blocks, found in the index by metric name and time. Each thread has a reader of its own. */
export class GoneSeriesReader {
	readonly #folder: string;
	#database: DatabaseSync | null = null;

	constructor(folder: string) {
		this.#folder = folder;
	}

	/** Those that match and lived at some time of the range. Throws `FN_STORE_INDEX_READ`. */
	find(matchers: readonly Matcher[], minMs: number, maxMs: number): readonly GoneSeries[] {
		const names = matchers.find((matcher) => matcher.name === METRIC_NAME && matcher.literals !== null)?.literals ?? null;
		const found: GoneSeries[] = [];
		try {
			this.#database ??= new DatabaseSync(join(this.#folder, INDEX_FILE), { readOnly: true, timeout: BUSY_TIMEOUT_MS });
			const from = Math.max(minMs, -Number.MAX_SAFE_INTEGER);
			const to = Math.min(maxMs, Number.MAX_SAFE_INTEGER);
			if (names === null) this.#collect(`select id, labels ${LIVED}`, [from, to], matchers, found);
			else for (const name of new Set(names)) this.#collect(`select id, labels ${LIVED} and name = ?`, [from, to, name], matchers, found);
		} catch (error) {
			this.close();
			throw new AppError('FN_STORE_INDEX_READ', 'series that are no longer written cannot be looked up in the index; try again', {
				cause: error,
				retryable: true,
				status: 503,
			});
		}
		return found;
	}

	close(): void {
		this.#database?.close();
		this.#database = null;
	}

	#collect(sql: string, parameters: readonly (number | string)[], matchers: readonly Matcher[], found: GoneSeries[]): void {
		for (const row of this.#database?.prepare(sql).iterate(...parameters) ?? []) {
			const bytes = row['labels'];
			if (!(bytes instanceof Uint8Array)) continue;
			const labels = decodeLabelBytes(bytes, 0, bytes.length);
			if (!matchers.every((matcher) => matcher.test(labelValue(labels, matcher.name)))) continue;
			found.push({ id: Number(row['id']), family: familyOfLabels(bytes), labels });
		}
	}
}
