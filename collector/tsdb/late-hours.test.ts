import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder, waitFor } from '../../tests/harness/process.ts';
import { equals, openTestStore } from '../../tests/harness/store/open-test-store.ts';

const HOUR = 3_600_000;

test.each([
	{ name: 'many hours that came late are written into blocks without waiting for the next hour', hours: 10, written: true },
	{ name: 'an hour that came late waits', hours: 1, written: false },
])('$name', async ({ hours, written }) => {
	const folder = temporaryFolder('late-hours');
	const store = await openTestStore(folder.path, { cutIntervalMs: 5, lateLogBytes: 10_000 });
	try {
		const endMs = Math.floor(Date.now() / HOUR) * HOUR - 2 * HOUR;
		const appender = store.appender();
		for (let timeMs = endMs - hours * HOUR; timeMs < endMs; timeMs += HOUR / 100) {
			for (let i = 0; i < 20; i++) appender.append(['__name__', 'm', 'i', String(i)], timeMs, i);
		}
		await appender.commit();
		const blocks = () => readdirSync(join(folder.path, 'store/blocks')).filter((name) => name.endsWith('.db')).length;
		if (written) await waitFor('blocks', () => blocks() > 0 && store.stats().headChunkBytes === 0);
		else await new Promise((resolve) => setTimeout(resolve, 100));
		expect(blocks() > 0).toBe(written);
		const [first] = await store.select([equals('i', '0')], 0, endMs);
		expect(first?.values).toHaveLength(hours * 100);
	} finally {
		await store.stop();
		folder.remove();
	}
});
