import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** The folder that holds `package.json`, `rules/`, `dashboards/` and `dist/`. */
export const ROOT_DIR = resolve(import.meta.dirname, '..');

export function productVersion(): string {
	const { version } = JSON.parse(readFileSync(resolve(ROOT_DIR, 'package.json'), 'utf8')) as { readonly version: string };
	return version;
}
