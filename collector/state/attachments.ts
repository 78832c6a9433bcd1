import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';

/** A file as its case names it. */
export interface AttachedFile {
	/** From 1, within the case. */
	readonly id: string;
	readonly name: string;
	readonly sizeBytes: number;
	readonly sha256: string;
}

/** What the history of a case says of a file. */
export type AttachBody = {
	readonly kind: 'attach';
	readonly attachment: string;
	readonly name: string;
	readonly sizeBytes: number;
	readonly sha256: string;
};

export interface KeptFile {
	readonly sizeBytes: number;
	/** Hex. */
	readonly sha256: string;
}

/** Files of faults, problems and changes in `<dataDir>/faults/`, named by their SHA-256, so that a file is kept once and a changed one is seen. */
export interface Attachments {
	/** Throws `FN_DESK_ATTACHMENT` for an empty or too big file. */
	keep(bytes: Buffer, maxBytes: number): Promise<KeptFile>;
	/** Throws `FN_DESK_ATTACHMENT` when it is gone or is not what was kept. */
	read(sha256: string): Promise<Buffer>;
}

export function createAttachments(dataDir: string): Attachments {
	const folder = join(dataDir, 'faults');
	return {
		keep: async (bytes, maxBytes) => {
			if (bytes.length === 0 || bytes.length > maxBytes) {
				throw new AppError('FN_DESK_ATTACHMENT', `the file has ${bytes.length} bytes; between 1 and ${maxBytes} are taken`, {
					status: 413,
				});
			}
			const sha256 = createHash('sha256').update(bytes).digest('hex');
			await mkdir(folder, { recursive: true, mode: 0o700 });
			// A name of its own: another case may keep the same file at the same moment.
			const part = join(folder, `${sha256}.${randomUUID()}.part`);
			try {
				const file = await open(part, 'w', 0o600);
				try {
					await file.writeFile(bytes);
					await file.sync();
				} finally {
					await file.close();
				}
				await rename(part, join(folder, sha256));
			} catch (error) {
				await rm(part, { force: true });
				throw error;
			}
			return { sizeBytes: bytes.length, sha256 };
		},
		read: async (sha256) => {
			let bytes: Buffer;
			try {
				bytes = await readFile(join(folder, sha256));
			} catch (error) {
				throw new AppError('FN_DESK_ATTACHMENT', `the file ${sha256} cannot be read; restore it from a backup`, { cause: error });
			}
			if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
				throw new AppError('FN_DESK_ATTACHMENT', `the file ${sha256} was changed since it was attached; restore it from a backup`);
			}
			return bytes;
		},
	};
}

const MOST_ATTACHMENTS = 200;

/** Keeps another file of a case that has these. Answers what its history says of it. Throws `FN_DESK_ATTACHMENT`. */
export async function keepAnother(
	attachments: Attachments,
	known: readonly AttachedFile[],
	file: { readonly name: string; readonly bytes: Buffer; readonly maxBytes: number },
): Promise<AttachBody> {
	if (known.length >= MOST_ATTACHMENTS)
		throw new AppError('FN_DESK_ATTACHMENT', `there are ${MOST_ATTACHMENTS} files already; no more are taken`, { status: 413 });
	const kept = await attachments.keep(file.bytes, file.maxBytes);
	return { kind: 'attach', attachment: String(known.length + 1), name: file.name, ...kept };
}

export function attachedFile({ attachment, name, sizeBytes, sha256 }: AttachBody): AttachedFile {
	return { id: attachment, name, sizeBytes, sha256 };
}

/** Throws `unknown` for a file that the case does not have, and what `read` throws. */
export async function readAttached(
	attachments: Attachments,
	known: readonly AttachedFile[],
	file: { readonly id: string; readonly unknown: AppError },
): Promise<{ readonly name: string; readonly bytes: Buffer }> {
	const found = known.find(({ id }) => id === file.id);
	if (found === undefined) throw file.unknown;
	return { name: found.name, bytes: await attachments.read(found.sha256) };
}
