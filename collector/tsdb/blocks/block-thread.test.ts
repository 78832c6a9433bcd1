import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../core/log.ts';
import { temporaryFolder } from '../../../tests/harness/process.ts';
import { BlockThread } from './block-thread.ts';

test('what the next thread was given is not refused with the end of the one before', async () => {
	const made = temporaryFolder('block-thread');
	const folder = join(made.path, 'store');
	// No folder can be made where a file is, so the thread dies at its start.
	writeFileSync(folder, '');
	const thread = new BlockThread(folder, silentLogger);
	try {
		const again = thread.run({ kind: 'drop', names: [] }).then(
			() => null,
			(error: unknown) => {
				rmSync(folder);
				mkdirSync(join(folder, 'blocks'), { recursive: true });
				return { error, next: thread.run({ kind: 'drop', names: [] }) };
			},
		);
		const first = await again;
		expect(first?.error).toMatchObject({ code: 'FN_STORE_BLOCK_WRITE', retryable: true });
		await expect(first?.next).resolves.toMatchObject({ kind: 'done' });
	} finally {
		await thread.stop();
		made.remove();
	}
});
