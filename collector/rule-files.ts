import { existsSync, readdirSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/**
 * The rule files that the patterns name, sorted, each once. `*` stands for any part of a file name; a relative pattern
 * starts at `base`. A pattern without `*` is kept even when the file is missing, so that the loader reports it.
 * Tests of rules (`*.test.yml`) lie beside them and are left out.
 */
export function expandRuleFiles(patterns: readonly string[], base: string): readonly string[] {
	const files = new Set<string>();
	for (const pattern of patterns) {
		const path = isAbsolute(pattern) ? pattern : resolve(base, pattern);
		if (!path.includes('*')) {
			files.add(path);
			continue;
		}
		const folder = dirname(path);
		const name = new RegExp(
			`^${path
				.slice(folder.length + 1)
				.split('*')
				.map(escapePattern)
				.join('.*')}$`,
		);
		if (!existsSync(folder)) continue;
		for (const file of readdirSync(folder)) if (name.test(file) && !/\.test\.ya?ml$/.test(file)) files.add(join(folder, file));
	}
	return [...files].sort();
}

function escapePattern(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
