import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../core/errors.ts';

export interface KeptFile {
	readonly sizeBytes: number;
	/** Hex. */
	readonly sha256: string;
}

/** Files of faults in `<dataDir>/faults/`, named by their SHA-256, so that a file is kept once and a changed one is seen. */
export interface Attachments {
	/** Throws `FN_FAULT_ATTACHMENT` for an empty or too big file. */
	keep(bytes: Buffer, maxBytes: number): Promise<KeptFile>;
	/** Throws `FN_FAULT_ATTACHMENT` when it is gone or is not what was kept. */
	read(sha256: string): Promise<Buffer>;
}

export function createAttachments(dataDir: string): Attachments {
	const folder = join(dataDir, 'faults');
	return {
		keep: async (bytes, maxBytes) => {
			if (bytes.length === 0 || bytes.length > maxBytes) {
				throw new AppError('FN_FAULT_ATTACHMENT', `the file has ${bytes.length} bytes; between 1 and ${maxBytes} are taken`, {
					status: 413,
				});
			}
			const sha256 = createHash('sha256').update(bytes).digest('hex');
			await mkdir(folder, { recursive: true, mode: 0o700 });
			const part = join(folder, `${sha256}.part`);
			const file = await open(part, 'w', 0o600);
			try {
				await file.writeFile(bytes);
				await file.sync();
			} finally {
				await file.close();
			}
			await rename(part, join(folder, sha256));
			return { sizeBytes: bytes.length, sha256 };
		},
		read: async (sha256) => {
			let bytes: Buffer;
			try {
				bytes = await readFile(join(folder, sha256));
			} catch (error) {
				throw new AppError('FN_FAULT_ATTACHMENT', `the file ${sha256} cannot be read; restore it from a backup`, { cause: error });
			}
			if (createHash('sha256').update(bytes).digest('hex') !== sha256) {
				throw new AppError('FN_FAULT_ATTACHMENT', `the file ${sha256} was changed since it was attached; restore it from a backup`);
			}
			return bytes;
		},
	};
}
