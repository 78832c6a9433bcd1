/**
 * Resolves with the reason once this process should end: a signal, or, when a parent said so by an environment variable,
 * the end of standard input, which is how a child learns that its parent died by any means.
 */
export function untilTold(env: Readonly<Record<string, string | undefined>>): Promise<string> {
	return new Promise((resolve) => {
		for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => resolve(signal));
		if (env['FOURNINES_STOP_WITH_STDIN'] !== '1') return;
		for (const event of ['end', 'close', 'error'] as const) process.stdin.on(event, () => resolve('the parent process is gone'));
		process.stdin.resume();
	});
}
