import { readFileSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';

export interface MemoryGuardOptions {
	/** Anonymous memory in bytes; 0 switches the guard off. */
	readonly limitBytes: number;
	readonly clock: Clock;
	/** Default 15 s. */
	readonly everyMs?: number;
	/** How much is in use. Default: of this process. */
	readonly read?: () => number;
}

/** Looks over the limit that must follow each other: a collection of garbage may be about to come. */
const LOOKS = 3;

/**
 * Resolves when the agent has used more than its limit for several looks in a row, so that it can end in order and be started again:
 * whatever leaks, the host must not pay for it. Never resolves otherwise, until `signal` is aborted.
 */
export async function memoryExceeded(options: MemoryGuardOptions, signal: AbortSignal): Promise<number | null> {
	const { limitBytes, clock, everyMs = 15_000, read = anonymousBytes } = options;
	if (limitBytes === 0) return null;
	let over = 0;
	while (!signal.aborted) {
		await clock.sleep(everyMs, signal);
		if (signal.aborted) break;
		const bytes = read();
		over = bytes > limitBytes ? over + 1 : 0;
		if (over >= LOOKS) return bytes;
	}
	return null;
}

/** Memory that only this process has; where the kernel does not tell, all that is resident. */
export function anonymousBytes(): number {
	try {
		const match = /^RssAnon:\s+([0-9]+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'));
		if (match !== null) return Number(match[1]) * 1024;
	} catch {
		// Not Linux.
	}
	return process.memoryUsage().rss;
}
