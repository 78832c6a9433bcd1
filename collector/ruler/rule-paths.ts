import { globSync } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';

/**
 * The files that the patterns of `rules.files` name, each once, sorted within a pattern; relative patterns start at
 * `baseDir`. `*.test.yml` beside the rules are tests of them and left out. A pattern without a wildcard is returned even
 * when there is no such file, so that loading can say so.
 */
export function resolveRuleFiles(patterns: readonly string[], baseDir: string): readonly string[] {
	const files = new Set<string>();
	for (const pattern of patterns) {
		const path = isAbsolute(pattern) ? pattern : join(baseDir, pattern);
		const found = /[*?[{]/.test(pattern) ? globSync(path).sort() : [path];
		for (const file of found) if (!/\.test\.ya?ml$/.test(basename(file))) files.add(file);
	}
	return [...files];
}
