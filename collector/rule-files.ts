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

/**
 * The rule files of a collector whose configuration is in `configFile`. Relative patterns start at its folder; the rules that are
 * shipped in `rootDir` are meant where that folder has none of the name.
 */
export function configuredRuleFiles(patterns: readonly string[], configFile: string | null, rootDir: string): readonly string[] {
	const own = configFile === null ? rootDir : dirname(resolve(configFile));
	const found = expandRuleFiles(patterns, own);
	return found.length > 0 || own === rootDir ? found : expandRuleFiles(patterns, rootDir);
}

function escapePattern(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
