import { defineConfig } from 'vitest/config';

/** The suites that take minutes: soaks, hundreds of kills, large fuzzing. A short version of each is in the normal run. */
export default defineConfig({
	test: {
		include: ['**/*.long.test.ts'],
		exclude: ['**/node_modules/**', '.runtime/**', 'dist/**', 'data/**'],
		pool: 'forks',
		fileParallelism: false,
		testTimeout: 1_800_000,
		hookTimeout: 120_000,
	},
});
