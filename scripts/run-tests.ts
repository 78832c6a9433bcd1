import { spawnSync } from 'node:child_process';
import { provideTestServers } from './provision.ts';

/** `npm test [-- FILTER…]`, `npm run test:long`: provides the real servers, then runs Vitest; the last line is the count. */
async function main(): Promise<void> {
	const [step = 'test', ...rest] = process.argv.slice(2);
	await provideTestServers();
	const config = step === 'test-long' ? ['--config', 'vitest.long.config.ts'] : [];
	const reporter = rest.some((argument) => argument.startsWith('--reporter')) ? [] : ['--reporter=./scripts/quiet-reporter.ts'];
	const result = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...config, ...reporter, ...rest], {
		stdio: 'inherit',
	});
	process.exitCode = result.status ?? 1;
}

await main();
