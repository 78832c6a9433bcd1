import { existsSync, readdirSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';

/**
 * The files that the patterns name, sorted, each once. `*` stands for any part of a file name; a relative pattern
 * starts at `base`. A pattern without `*` is kept even when the file is missing, so that the loader reports it.
 * What tests them lies beside them (`*.test.yml` of rules, `*.scenario.yml` of contracts) and is left out.
 */
export function expandFiles(patterns: readonly string[], base: string): readonly string[] {
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
		for (const file of readdirSync(folder)) if (name.test(file) && !/\.(test|scenario)\.ya?ml$/.test(file)) files.add(join(folder, file));
	}
	return [...files].sort();
}

/**
 * The rule files of a collector whose configuration is in `configFile`. Relative patterns start at its folder; the rules that are
 * shipped in `rootDir` are meant by each pattern that finds none there.
 */
export function configuredRuleFiles(patterns: readonly string[], configFile: string | null, rootDir: string): readonly string[] {
	return [...new Set(patterns.flatMap((pattern) => filesOf(pattern, configFile, rootDir)))].sort();
}

/** Patterns that find no rule at all: most are misspelt, and nobody would be told of anything. */
export function patternsWithoutRules(patterns: readonly string[], configFile: string | null, rootDir: string): readonly string[] {
	return patterns.filter((pattern) => filesOf(pattern, configFile, rootDir).length === 0);
}

function filesOf(pattern: string, configFile: string | null, rootDir: string): readonly string[] {
	const own = configFile === null ? rootDir : dirname(resolve(configFile));
	const found = expandFiles([pattern], own);
	return found.length > 0 || own === rootDir ? found : expandFiles([pattern], rootDir);
}

function escapePattern(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
