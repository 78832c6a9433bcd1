import { readFileSync } from 'node:fs';
import { systemErrorCode } from '../../../core/errors.ts';

/**
 * Content of a file under `/proc` or `/sys`. Synchronous: the kernel answers from memory, and the thread pool stays free.
 * Throws what the file system throws.
 */
export function readText(file: string): string {
	return readFileSync(file, 'utf8');
}

/** Like `readText`; `null` where the kernel does not have the file, or has it and refuses a value (`speed` of a NIC that is down: EINVAL). */
export function tryReadText(file: string): string | null {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		if (['ENOENT', 'EINVAL', 'EACCES', 'EOPNOTSUPP', 'ENODEV', 'EIO', 'ENOTDIR', 'EPERM'].includes(systemErrorCode(error))) return null;
		throw error;
	}
}

/** The words of a line. */
export function words(line: string): string[] {
	return line.trim().split(/\s+/);
}
