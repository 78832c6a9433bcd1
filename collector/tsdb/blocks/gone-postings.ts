import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { decodeLabelBytes } from '../../storage/label-bytes.ts';
import { FAMILY_CHECKS, familyOfLabels } from './block-files.ts';

/**
 * By label pair, which series have left memory: a row per pair and batch of departures, so that pairs that many share cost a few bytes a
 * series. Even batches hold series of samples, odd ones of checks, which are kept longer.
 */
export const POSTINGS_SCHEMA = `
create table if not exists gone_pair (pair integer primary key not null, name text not null, value text not null, unique (name, value));
create table if not exists gone_posting (
	pair integer not null, batch integer not null, first_ms integer not null, last_ms integer not null, ids blob not null,
	primary key (pair, batch)
) without rowid;
`;

/** A departing series, with its life as far as the index knows. */
export interface Departed {
	readonly id: number;
	readonly labels: Uint8Array;
	readonly firstMs: number;
	readonly lastMs: number;
}

interface Posting {
	readonly ids: number[];
	firstMs: number;
	lastMs: number;
}

export function encodeIds(ids: readonly number[]): Uint8Array {
	const sorted = [...new Set(ids)].sort((a, b) => a - b);
	const bytes = Buffer.alloc(sorted.length * 5);
	let at = 0;
	let previous = 0;
	for (const id of sorted) {
		let rest = id - previous;
		previous = id;
		for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 0x80;
		bytes[at++] = rest;
	}
	return bytes.subarray(0, at);
}

export function decodeIds(bytes: Uint8Array): number[] {
	const ids: number[] = [];
	let id = 0;
	for (let at = 0; at < bytes.length; ) {
		let factor = 1;
		let byte: number;
		do {
			byte = bytes[at++] as number;
			id += (byte & 0x7f) * factor;
			factor *= 128;
		} while (byte >= 0x80 && at < bytes.length);
		ids.push(id);
	}
	return ids;
}

/** Writes postings. Calls belong into a transaction of the caller. */
export class GonePostings {
	readonly #database: DatabaseSync;
	readonly #findPair: StatementSync;
	readonly #addPair: StatementSync;
	readonly #insert: StatementSync;

	constructor(database: DatabaseSync) {
		this.#database = database;
		this.#findPair = database.prepare('select pair from gone_pair where name = ? and value = ?');
		this.#addPair = database.prepare('insert into gone_pair (name, value) values (?, ?)');
		this.#insert = database.prepare('insert into gone_posting (pair, batch, first_ms, last_ms, ids) values (?, ?, ?, ?, ?)');
	}

	add(departed: readonly Departed[]): void {
		const newest = Number(this.#database.prepare('select max(batch) as batch from gone_posting').get()?.['batch'] ?? 0);
		const batch = newest - (newest % 2) + 2;
		const checks = departed.filter(({ labels }) => familyOfLabels(labels) === FAMILY_CHECKS);
		this.#addBatch(batch, checks.length === 0 ? departed : departed.filter((one) => !checks.includes(one)));
		this.#addBatch(batch + 1, checks);
	}

	#addBatch(batch: number, departed: readonly Departed[]): void {
		const byName = new Map<string, Map<string, Posting>>();
		for (const { id, labels, firstMs, lastMs } of departed) {
			const flat = decodeLabelBytes(labels, 0, labels.length);
			for (let i = 0; i < flat.length; i += 2) {
				const values = at(byName, flat[i] as string, () => new Map<string, Posting>());
				const posting = at(values, flat[i + 1] as string, () => ({ ids: [], firstMs, lastMs }));
				posting.ids.push(id);
				posting.firstMs = Math.min(posting.firstMs, firstMs);
				posting.lastMs = Math.max(posting.lastMs, lastMs);
			}
		}
		for (const [name, values] of byName) {
			for (const [value, { ids, firstMs, lastMs }] of values) {
				const known = this.#findPair.get(name, value)?.['pair'];
				const pair = known === undefined ? this.#addPair.run(name, value).lastInsertRowid : known;
				this.#insert.run(Number(pair), batch, firstMs, lastMs, encodeIds(ids));
			}
		}
	}

	/** Takes series out that have nothing left. */
	remove(ids: ReadonlySet<number>, labels: readonly Uint8Array[]): void {
		const rowsOf = this.#database.prepare('select batch, ids from gone_posting where pair = ?');
		const update = this.#database.prepare('update gone_posting set ids = ? where pair = ? and batch = ?');
		const remove = this.#database.prepare('delete from gone_posting where pair = ? and batch = ?');
		const pairs = new Set<number>();
		for (const bytes of labels) {
			const flat = decodeLabelBytes(bytes, 0, bytes.length);
			for (let i = 0; i < flat.length; i += 2) {
				const pair = this.#findPair.get(flat[i] as string, flat[i + 1] as string)?.['pair'];
				if (typeof pair === 'number') pairs.add(pair);
			}
		}
		for (const pair of pairs) {
			for (const row of rowsOf.all(pair)) {
				if (!(row['ids'] instanceof Uint8Array)) continue;
				const before = decodeIds(row['ids']);
				const left = before.filter((id) => !ids.has(id));
				if (left.length === 0) remove.run(pair, Number(row['batch']));
				else if (left.length < before.length) update.run(encodeIds(left), pair, Number(row['batch']));
			}
		}
		this.#dropUnusedPairs();
	}

	/** Forgets batches that are older than what is kept. */
	forget(samplesBeforeMs: number, checksBeforeMs: number): void {
		const { changes } = this.#database
			.prepare('delete from gone_posting where last_ms < ?1 or (last_ms < ?2 and batch % 2 = 0)')
			.run(checksBeforeMs, samplesBeforeMs);
		if (Number(changes) > 0) this.#dropUnusedPairs();
	}

	#dropUnusedPairs(): void {
		this.#database.exec('delete from gone_pair where not exists (select 1 from gone_posting where gone_posting.pair = gone_pair.pair)');
	}
}

function at<K, V>(map: Map<K, V>, key: K, make: () => V): V {
	let value = map.get(key);
	if (value === undefined) {
		value = make();
		map.set(key, value);
	}
	return value;
}
