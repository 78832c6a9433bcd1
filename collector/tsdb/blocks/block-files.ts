import type { DatabaseSync } from 'node:sqlite';
import { METRIC_NAME } from '../../../protocol/labels.ts';
import { PairRange, readPair } from '../../storage/label-bytes.ts';
import { BUCKET_MS } from '../shared-head.ts';

/**
 * Series families, each with files and a retention of its own. Checks are what an availability ledger is computed from: they are
 * few and are kept for years, so their files span a month instead of a day.
 */
export const FAMILY_SAMPLES = 0;
export const FAMILY_CHECKS = 1;
export type Family = typeof FAMILY_SAMPLES | typeof FAMILY_CHECKS;
export const FAMILIES: readonly Family[] = [FAMILY_SAMPLES, FAMILY_CHECKS];

const NAME_LABEL = new TextEncoder().encode(METRIC_NAME);
const PROBE_SUCCESS = new TextEncoder().encode('probe_success');
const CHECK_PREFIX = new TextEncoder().encode('fournines_check_');

/** The family of a series by its canonical label bytes: `probe_success` and `fournines_check_*` are checks. */
export function familyOfLabels(labels: Uint8Array): Family {
	const pair = new PairRange();
	for (let pos = 0; pos < labels.length; ) {
		pos = readPair(labels, pos, pair);
		if (pair.nameEnd - pair.nameStart !== NAME_LABEL.length || !startsWith(labels, pair.nameStart, NAME_LABEL)) continue;
		const length = pair.valueEnd - pair.valueStart;
		const isProbe = length === PROBE_SUCCESS.length && startsWith(labels, pair.valueStart, PROBE_SUCCESS);
		const isCheck = length > CHECK_PREFIX.length && startsWith(labels, pair.valueStart, CHECK_PREFIX);
		return isProbe || isCheck ? FAMILY_CHECKS : FAMILY_SAMPLES;
	}
	return FAMILY_SAMPLES;
}

function startsWith(bytes: Uint8Array, start: number, prefix: Uint8Array): boolean {
	for (let i = 0; i < prefix.length; i++) if (bytes[start + i] !== prefix[i]) return false;
	return true;
}

/** A block file and the time that it spans: `[startMs, endMs)`, UTC. */
export interface BlockFile {
	readonly name: string;
	readonly family: Family;
	readonly startMs: number;
	readonly endMs: number;
	/** Compacted: docs/formats/block.md. */
	readonly isLong: boolean;
}

/** The file that holds `bucket`. */
export function blockFile(family: Family, bucket: number): BlockFile {
	const date = new Date(bucket * BUCKET_MS);
	const year = date.getUTCFullYear();
	const month = date.getUTCMonth();
	if (family === FAMILY_CHECKS) {
		return {
			name: `checks-${stamp(year, month)}.db`,
			family,
			startMs: Date.UTC(year, month),
			endMs: Date.UTC(year, month + 1),
			isLong: false,
		};
	}
	const startMs = Date.UTC(year, month, date.getUTCDate());
	return {
		name: `samples-${stamp(year, month)}-${two(date.getUTCDate())}.db`,
		family,
		startMs,
		endMs: startMs + 24 * BUCKET_MS,
		isLong: false,
	};
}

/** The block file with this name, or `null` for any other file. */
export function parseBlockFile(name: string): BlockFile | null {
	const match = /^(samples|checks)-(\d{4})-(\d\d)(?:-(\d\d))?(\.long)?\.db$/.exec(name);
	if (match === null) return null;
	const family = match[1] === 'checks' ? FAMILY_CHECKS : FAMILY_SAMPLES;
	const startMs = Date.UTC(Number(match[2]), Number(match[3]) - 1, Number(match[4] ?? '1'));
	const file = blockFile(family, Math.floor(startMs / BUCKET_MS));
	if (match[5] === undefined) return file.name === name ? file : null;
	return longName(file.name) === name ? { ...file, name, isLong: true } : null;
}

/** The compacted file beside a file of hours. */
export function longName(name: string): string {
	return `${name.slice(0, -'.db'.length)}.long.db`;
}

function stamp(year: number, month: number): string {
	return `${String(year).padStart(4, '0')}-${two(month + 1)}`;
}

function two(value: number): string {
	return String(value).padStart(2, '0');
}

/** Primary key of a chunk: bucket in the upper, series in the lower 32 bits. Exact in a double until the year 2200. */
export function chunkKey(bucket: number, series: number): number {
	return bucket * 2 ** 32 + series;
}

export const BLOCK_SCHEMA = `
create table if not exists chunk (key integer primary key not null, data blob not null);
create table if not exists bucket (bucket integer primary key not null);
create table if not exists series (id integer primary key not null, labels blob not null);
`;
/** `pragma user_version` of a block file; another one belongs to another version of the product. */
export const BLOCK_VERSION = 2;

/** The version of an open file of hours: 0 while it is being made, and then it becomes one of the present. */
export function blockVersion(database: DatabaseSync): number {
	const version = Number(database.prepare('pragma user_version').get()?.['user_version'] ?? 0);
	return version === 0 ? BLOCK_VERSION : version;
}

/** What a file is about, whether it is compacted or not: `samples-2026-11-21`. */
export function spanName(file: BlockFile): string {
	return file.name.replace(/(\.long)?\.db$/, '');
}
