import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node';

/**
 * Says nothing while all is well, everything about what failed, and closes with the one line that machines read:
 * `N passed, N failed, N skipped`.
 */
export default class QuietReporter implements Reporter {
	#root = '';

	onInit(vitest: Vitest): void {
		this.#root = vitest.config.root;
	}

	onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
		let passed = 0;
		let failed = 0;
		let skipped = 0;
		for (const module of modules) {
			for (const error of module.errors()) {
				failed++;
				this.#print(module.moduleId, error);
			}
			for (const test of module.children.allTests()) {
				const { state } = test.result();
				if (state === 'passed') passed++;
				else if (state === 'failed') {
					failed++;
					for (const error of test.result().errors ?? []) this.#print(describe(module, test), error);
				} else skipped++;
			}
		}
		for (const error of errors) {
			failed++;
			this.#print('outside of a test', error);
		}
		process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
	}

	#print(place: string, error: SerializedError): void {
		const where = place.startsWith(this.#root) ? place.slice(this.#root.length + 1) : place;
		process.stderr.write(`\n✗ ${where}\n${error.stack ?? error.message}\n${typeof error.diff === 'string' ? `${error.diff}\n` : ''}`);
	}
}

function describe(module: TestModule, test: TestCase): string {
	return `${module.moduleId} › ${test.fullName}`;
}
