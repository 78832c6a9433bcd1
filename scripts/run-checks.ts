import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

interface Check {
	readonly name: string;
	readonly args: readonly string[];
}

const CHECKS: readonly Check[] = [
	{ name: 'Biome', args: ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '--max-diagnostics=50', '.'] },
	{ name: 'types', args: ['node_modules/typescript/bin/tsc', '-p', '.'] },
	{ name: 'console types', args: ['node_modules/typescript/bin/tsc', '-p', 'console'] },
	{ name: 'architecture', args: ['node_modules/vitest/vitest.mjs', 'run', '--reporter=./scripts/quiet-reporter.ts', 'tests/arch'] },
];

/** Runs every check, also after one has failed, so that one look shows all; silent about those that pass. */
function main(): void {
	let failed = 0;
	for (const check of CHECKS) {
		if (check.name === 'console types' && !existsSync('console/tsconfig.json')) continue;
		const result = spawnSync(process.execPath, check.args, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
		if (result.status === 0) continue;
		failed++;
		process.stderr.write(`${check.name}:\n${result.stdout}${result.stderr}\n`);
	}
	process.exitCode = failed === 0 ? 0 : 1;
}

main();
