import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type BlockFile, FAMILY_CHECKS, parseBlockFile } from './block-files.ts';
import { fileOfDeletions } from './deleted-ranges.ts';

/** The file of hours that this is, or from whose compacted one something was deleted; `null` for any other file. */
export function hoursToCompact(name: string): BlockFile | null {
	const file = parseBlockFile(fileOfDeletions(name) === null ? name : name.replace(/\.long\.deleted$/, '.db'));
	return file === null || file.isLong ? null : file;
}

export interface SizedFile extends BlockFile {
	readonly bytes: number;
}

export function blockFilesWithSizes(folder: string): SizedFile[] {
	return readdirSync(folder).flatMap((name) => {
		const file = parseBlockFile(name);
		if (file === null) return [];
		return [{ ...file, bytes: statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0 }];
	});
}

/** The oldest days of samples that must go so that the others fit. The newest day stays, and checks are not counted: they are few, and promised. */
export function beyondSize(files: readonly SizedFile[], expired: readonly SizedFile[], limitBytes: number): readonly SizedFile[] {
	const samples = files.filter((file) => file.family !== FAMILY_CHECKS && !expired.includes(file));
	const newestMs = Math.max(...samples.map((file) => file.startMs));
	let bytes = samples.reduce((sum, file) => sum + file.bytes, 0);
	const gone: SizedFile[] = [];
	for (const file of samples.sort((a, b) => a.startMs - b.startMs)) {
		if (bytes <= limitBytes || file.startMs === newestMs) break;
		gone.push(file);
		bytes -= file.bytes;
	}
	return gone;
}
