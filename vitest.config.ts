import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		include: ['**/*.test.ts'],
		exclude: ['**/node_modules/**', '**/*.long.test.ts', '.runtime/**', 'dist/**', 'data/**'],
		pool: 'forks',
		// Many tests wait for servers of their own: two workers keep two cores busy.
		maxWorkers: Math.max(2, availableParallelism() - 1),
		// A limit is only used up by what hangs: nothing is said by how long a busy machine takes.
		testTimeout: 180_000,
		hookTimeout: 300_000,
	},
});
