import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

export interface SourceFile {
	/** From the repository's root. */
	readonly path: string;
	readonly text: string;
}

/** Every TypeScript file of the folders, generated and installed ones left out. */
export function sourceFiles(folders: readonly string[]): readonly SourceFile[] {
	return folders.flatMap((folder) => walk(folder)).map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));
}

function walk(folder: string): readonly string[] {
	let names: readonly string[];
	try {
		names = readdirSync(join(ROOT, folder));
	} catch {
		return [];
	}
	return names.flatMap((name) => {
		const path = join(folder, name);
		if (name === 'node_modules' || name === 'dist' || name === 'data' || name.startsWith('.')) return [];
		if (statSync(join(ROOT, path)).isDirectory()) return walk(path);
		return /\.tsx?$/.test(name) ? [path] : [];
	});
}

/** The text of all Markdown files of a folder under `docs/`. */
export function documents(folder: string): string {
	return readdirSync(join(ROOT, 'docs', folder))
		.filter((name) => name.endsWith('.md'))
		.map((name) => readFileSync(join(ROOT, 'docs', folder, name), 'utf8'))
		.join('\n');
}
