import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { crc32 } from 'node:zlib';
import { errorText } from '../../../core/errors.ts';
import { labelValue } from '../../../core/labels.ts';
import { METRIC_NAME } from '../../../protocol/labels.ts';
import { decodeLabelBytes } from '../../storage/label-bytes.ts';
import { parseBlockFile, spanName } from './block-files.ts';
import type { BlockTask } from './block-messages.ts';
import { clipSpan } from './deleted-ranges.ts';
import { type Departed, GonePostings } from './gone-postings.ts';
import { type Checkpoint, departedRow, INDEX_FILE, openIndexForWriting } from './index-file.ts';
import { BUSY_TIMEOUT_MS, inTransaction } from './transaction.ts';

/** About half a million series; a second's work. */
const PACKED_INDEX_BYTES = 64 * 1024 * 1024;

/** The only writer of the index: series with their lives, metadata, and how far the blocks go. SQLite's errors pass through. */
export class IndexWriter {
	readonly #folder: string;
	readonly #report: (file: string, message: string) => void;
	readonly #index: DatabaseSync;
	readonly #labelsOf: StatementSync;

	constructor(folder: string, report: (file: string, message: string) => void) {
		this.#folder = folder;
		this.#report = report;
		this.#index = openIndexForWriting(folder, BUSY_TIMEOUT_MS);
		this.#labelsOf = this.#index.prepare('select labels from series where id = ?');
	}

	close(): void {
		this.#index.close();
	}

	/** Canonical label bytes; `null` for a series that the index does not have. */
	labelsOf(id: number): Uint8Array | null {
		const labels = this.#labelsOf.get(id)?.['labels'];
		return labels instanceof Uint8Array ? labels : null;
	}

	/** Adds series; those that it has as gone are there again. */
	series(task: Extract<BlockTask, { kind: 'series' }>): void {
		const insert = this.#index.prepare(
			'insert into series (id, labels, first_ms, last_ms, crc) values (?, ?, ?, ?, ?) on conflict (id) do update set gone = 0',
		);
		inTransaction(this.#index, () => {
			let at = 0;
			for (let i = 0; i < task.ids.length; i++) {
				const end = at + (task.lengths[i] as number);
				const firstMs = task.spans[i * 2] as number;
				const known = !Number.isNaN(firstMs);
				const labels = task.labels.subarray(at, end);
				insert.run(
					task.ids[i] as number,
					labels,
					known ? firstMs : null,
					known ? (task.spans[i * 2 + 1] as number) : null,
					crc32(labels, task.ids[i] as number),
				);
				at = end;
			}
		});
	}

	metadata(rows: readonly { readonly metric: string; readonly json: string }[]): void {
		const upsert = this.#index.prepare(
			'insert into metadata (metric, json) values (?, ?) on conflict (metric) do update set json = excluded.json',
		);
		inTransaction(this.#index, () => {
			for (const row of rows) upsert.run(row.metric, row.json);
		});
	}

	/** Widens the lives of series (first and last time by id), and says up to which log segment blocks have everything. */
	checkpoint({ segment, beforeMs }: Checkpoint, lifetimes: ReadonlyMap<number, readonly [number, number]>): void {
		const update = this.#index.prepare(
			'update series set first_ms = min(coalesce(first_ms, ?1), ?1), last_ms = max(coalesce(last_ms, ?2), ?2) where id = ?3',
		);
		inTransaction(this.#index, () => {
			for (const [id, [firstMs, lastMs]] of lifetimes) update.run(firstMs, lastMs, id);
			this.#index
				.prepare(
					'insert into checkpoint (id, segment, before_ms) values (1, ?, ?) on conflict (id) do update set segment = excluded.segment, before_ms = excluded.before_ms',
				)
				.run(segment, beforeMs);
			for (const name of readdirSync(join(this.#folder, 'blocks'))) {
				const file = parseBlockFile(name);
				if (file !== null) this.#index.prepare('insert or ignore into block_span (name) values (?)').run(spanName(file));
			}
		});
	}

	/** These series leave memory. */
	gone(ids: Uint32Array): void {
		const update = this.#index.prepare('update series set gone = 1, name = ? where id = ?');
		const rowOf = this.#index.prepare('select id, labels, first_ms, last_ms from series where id = ?');
		inTransaction(this.#index, () => {
			const departed: Departed[] = [];
			for (const id of ids) {
				const row = rowOf.get(id);
				if (row === undefined || !(row['labels'] instanceof Uint8Array)) continue;
				update.run(labelValue(decodeLabelBytes(row['labels'], 0, row['labels'].length), METRIC_NAME), id);
				departed.push(...departedRow(row));
			}
			new GonePostings(this.#index).add(departed);
		});
	}

	/** Shortens the lives of series of which a part was deleted. */
	delete({ number, ids, minMs, maxMs }: Extract<BlockTask, { kind: 'delete' }>): void {
		const spanOf = this.#index.prepare('select first_ms, last_ms from series where id = ?');
		const update = this.#index.prepare('update series set first_ms = ?, last_ms = ? where id = ?');
		const emptied = new Map<number, Uint8Array>();
		inTransaction(this.#index, () => {
			for (const id of ids) {
				const row = spanOf.get(id);
				if (typeof row?.['first_ms'] !== 'number' || typeof row['last_ms'] !== 'number') continue;
				const { firstMs, lastMs } = clipSpan({ firstMs: row['first_ms'], lastMs: row['last_ms'] }, minMs, maxMs);
				// Without a first time it is found by nobody, and forgotten when its last one is old enough.
				update.run(firstMs === Number.POSITIVE_INFINITY ? null : firstMs, lastMs, id);
				const labels = firstMs === Number.POSITIVE_INFINITY ? this.labelsOf(id) : null;
				if (labels !== null) emptied.set(id, labels);
			}
			if (emptied.size > 0) new GonePostings(this.#index).remove(new Set(emptied.keys()), [...emptied.values()]);
			this.#index
				.prepare('insert into deletion (id, number) values (1, ?) on conflict (id) do update set number = max(number, excluded.number)')
				.run(number);
		});
	}

	/** Forgets series that have been gone for so long. */
	forget(samplesBeforeMs: number, checksBeforeMs: number): void {
		const isCheck = "(name = 'probe_success' or name like 'fournines\\_check\\_%' escape '\\')";
		inTransaction(this.#index, () => new GonePostings(this.#index).forget(samplesBeforeMs, checksBeforeMs));
		this.#index
			.prepare(`delete from series where gone = 1 and (last_ms < ?1 or (last_ms < ?2 and not ${isCheck}))`)
			.run(checksBeforeMs, samplesBeforeMs);
	}

	/** Forgets block files. */
	dropSpans(names: readonly string[]): void {
		const forget = this.#index.prepare('delete from block_span where name = ?');
		inTransaction(this.#index, () => {
			for (const name of names) {
				const file = parseBlockFile(name);
				if (file !== null) forget.run(spanName(file));
			}
		});
	}

	/** Rows of the index grow when their series have lived, and leave their pages half empty. Once a day it is written anew, as long as that is quick. */
	pack(): void {
		if (statSync(join(this.#folder, INDEX_FILE)).size > PACKED_INDEX_BYTES) return;
		try {
			this.#index.exec('vacuum');
		} catch (error) {
			// It was left as it is; there is a next time.
			this.#report(INDEX_FILE, `the index could not be packed: ${errorText(error)}`);
		}
	}
}
