import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { systemErrorCode } from '../../../core/errors.ts';
import { ChunkDamaged } from '../codec/chunk-codec.ts';
import type { SampleRuns } from '../sample-runs.ts';

/** Samples of a series that were deleted; both ends inclusive. */
export interface DeletedRange {
	readonly id: number;
	readonly minMs: number;
	readonly maxMs: number;
}

const FIRST_LINE = /^FNDL 1 (\d+) (\d+) ([0-9a-f]{8})$/;

/** The list of what was deleted from a compacted file, which itself never changes: docs/formats/block.md. */
export function deletedName(longName: string): string {
	return longName.replace(/\.db$/, '.deleted');
}

/** The compacted file that a list of deletions belongs to, or `null` for any other file. */
export function fileOfDeletions(name: string): string | null {
	return name.endsWith('.long.deleted') ? name.replace(/\.deleted$/, '.db') : null;
}

/** Which list lies there at this moment; `''` when none does. */
export function deletionsIdentity(folder: string, longName: string): string {
	const stat = statSync(join(folder, deletedName(longName)), { throwIfNoEntry: false });
	return stat === undefined ? '' : `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
}

/**
 * The deletions from the compacted file that carries `mark`; a list of another file, which was there before, is none. Throws
 * `ChunkDamaged` when the list cannot be read.
 */
export function readDeletions(folder: string, longName: string, mark: number): DeletedRanges {
	let text: string;
	try {
		text = readFileSync(join(folder, deletedName(longName)), 'latin1');
	} catch (error) {
		if (systemErrorCode(error) === 'ENOENT') return new DeletedRanges([]);
		throw error;
	}
	const end = text.indexOf('\n');
	const match = FIRST_LINE.exec(text.slice(0, end));
	const body = text.slice(end + 1);
	if (match === null || crc32(body) !== Number.parseInt(match[3] as string, 16)) {
		throw new ChunkDamaged(`${deletedName(longName)}, the list of what was deleted, is damaged`);
	}
	if (Number(match[1]) !== mark) return new DeletedRanges([]);
	return new DeletedRanges(
		body
			.split('\n')
			.filter((line) => line !== '')
			.map((line) => {
				const [id, minMs, maxMs] = line.split(' ').map(Number) as [number, number, number];
				return { id, minMs, maxMs };
			}),
	);
}

/** As `readDeletions`; a damaged list is reported and counts as empty, so that the rest of the file stays usable. */
export function readDeletionsSparing(
	place: { readonly folder: string; readonly longName: string; readonly mark: number },
	report: (message: string) => void,
): DeletedRanges {
	try {
		return readDeletions(place.folder, place.longName, place.mark);
	} catch (error) {
		if (!(error instanceof ChunkDamaged)) throw error;
		report(`${error.message}; what it named is visible again`);
		return new DeletedRanges([]);
	}
}

/** Puts a list in the place of the one that is there, whole or not at all, and on the disk. */
export function writeDeletions(folder: string, longName: string, mark: number, ranges: readonly DeletedRange[]): void {
	const body = ranges.map(({ id, minMs, maxMs }) => `${id} ${minMs} ${maxMs}\n`).join('');
	const path = join(folder, deletedName(longName));
	const made = `${path}.new`;
	rmSync(made, { force: true });
	const fd = openSync(made, 'wx', 0o600);
	try {
		writeFileSync(fd, `FNDL 1 ${mark} ${ranges.length} ${crc32(body).toString(16).padStart(8, '0')}\n${body}`, 'latin1');
		fsyncSync(fd);
	} finally {
		closeSync(fd);
	}
	renameSync(made, path);
}

/** Deletions by series. */
export class DeletedRanges {
	readonly list: readonly DeletedRange[];
	readonly #byId = new Map<number, DeletedRange[]>();

	constructor(list: readonly DeletedRange[]) {
		this.list = list;
		for (const range of list) {
			const known = this.#byId.get(range.id);
			if (known === undefined) this.#byId.set(range.id, [range]);
			else known.push(range);
		}
	}

	/** What was deleted of series `id`, or `undefined`. */
	of(id: number): readonly DeletedRange[] | undefined {
		return this.#byId.get(id);
	}

	/** Whether all between the two times was deleted by one of the ranges. */
	covers(id: number, minMs: number, maxMs: number): boolean {
		return this.#byId.get(id)?.some((range) => range.minMs <= minMs && range.maxMs >= maxMs) ?? false;
	}
}

/** Adds what is left of `count` samples to `runs`: stretches without the deleted ones. */
export function addUndeleted(
	deleted: readonly DeletedRange[],
	samples: { readonly baseMs: number; readonly offsets: Float64Array | Uint32Array; readonly words: Uint32Array; readonly count: number },
	runs: SampleRuns,
): void {
	const { baseMs, offsets, words, count } = samples;
	for (let from = 0; from < count; ) {
		if (isDeleted(deleted, baseMs + (offsets[from] as number))) {
			from++;
			continue;
		}
		let to = from + 1;
		while (to < count && !isDeleted(deleted, baseMs + (offsets[to] as number))) to++;
		runs.add(baseMs, offsets, from, words, from * 2, to - from);
		from = to;
	}
}

export function isDeleted(deleted: readonly DeletedRange[], timeMs: number): boolean {
	for (const range of deleted) if (timeMs >= range.minMs && timeMs <= range.maxMs) return true;
	return false;
}

/** What a deletion leaves of the time in which a series lived; `firstMs` is `Infinity` when nothing is left. */
export function clipSpan(
	span: { readonly firstMs: number; readonly lastMs: number },
	minMs: number,
	maxMs: number,
): { readonly firstMs: number; readonly lastMs: number } {
	const { firstMs, lastMs } = span;
	if (minMs <= firstMs && maxMs >= lastMs) return { firstMs: Number.POSITIVE_INFINITY, lastMs };
	if (minMs <= firstMs && maxMs >= firstMs) return { firstMs: maxMs + 1, lastMs };
	if (maxMs >= lastMs && minMs <= lastMs) return { firstMs, lastMs: minMs - 1 };
	return span;
}
