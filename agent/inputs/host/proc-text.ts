import { closeSync, openSync, readSync } from 'node:fs';
import { systemErrorCode } from '../../../core/errors.ts';

/** What the kernel says when it does not have a file, or has it and refuses a value (`speed` of a NIC that is down: EINVAL). */
const ABSENT: ReadonlySet<string> = new Set(['ENOENT', 'EINVAL', 'EACCES', 'EOPNOTSUPP', 'ENODEV', 'EIO', 'ENOTDIR', 'EPERM', 'ESRCH']);

/** One buffer for all reads: a round reads some hundred small files, and a fresh buffer for each is most of what such a round leaves to the collector of garbage. */
let shared = Buffer.allocUnsafeSlow(32 * 1024);

/**
 * Content of a file under `/proc` or `/sys`. Synchronous: the kernel answers from memory, and the thread pool stays free.
 * Without the `fstat` of `readFileSync`, because these files say that they are empty. Throws what the file system throws.
 */
export function readText(file: string): string {
	const descriptor = openSync(file, 'r');
	try {
		let length = 0;
		for (;;) {
			const count = readSync(descriptor, shared, length, shared.length - length, null);
			length += count;
			// The kernel fills what it is given; a short read of a small file is its end, and the loop ends at the next.
			if (count === 0) return shared.toString('utf8', 0, length);
			if (length === shared.length) shared = Buffer.concat([shared, Buffer.allocUnsafeSlow(shared.length)]);
		}
	} finally {
		closeSync(descriptor);
	}
}

/** Like `readText`; `null` where the kernel does not have the file, or refuses it. */
export function tryReadText(file: string): string | null {
	try {
		return readText(file);
	} catch (error) {
		if (ABSENT.has(systemErrorCode(error))) return null;
		throw error;
	}
}

/** A file that holds one number; `null` where it is absent or says something else (`max`). */
export function tryReadNumber(file: string): number | null {
	const text = tryReadText(file);
	if (text === null || text.length === 0) return null;
	const value = Number(text);
	return Number.isNaN(value) ? null : value;
}

/** What `read` gives, or `otherwise` when the kernel has taken the thing away meanwhile. */
export function tolerant<T>(read: () => T, otherwise: T): T {
	try {
		return read();
	} catch (error) {
		if (ABSENT.has(systemErrorCode(error))) return otherwise;
		throw error;
	}
}

/** The words of a line. */
export function words(line: string): string[] {
	return line.trim().split(/\s+/);
}

/** Lines of `name value` as a map: `memory.stat`, `cpu.stat`, `memory.events`. */
export function keyedNumbers(text: string): ReadonlyMap<string, number> {
	const found = new Map<string, number>();
	for (const line of text.split('\n')) {
		const space = line.indexOf(' ');
		if (space > 0) found.set(line.slice(0, space), Number(line.slice(space + 1)));
	}
	return found;
}
