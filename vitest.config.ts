import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		include: ['**/*.test.ts'],
		exclude: ['**/node_modules/**', '**/*.long.test.ts', '.runtime/**', 'dist/**', 'data/**'],
		pool: 'forks',
		// Many tests wait for servers of their own: two workers keep two cores busy.
		maxWorkers: Math.max(2, availableParallelism() - 1),
		testTimeout: 30_000,
		hookTimeout: 60_000,
	},
});
