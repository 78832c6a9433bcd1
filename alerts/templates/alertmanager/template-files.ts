import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError, systemErrorCode } from '../../../core/errors.ts';

export interface TemplateFile {
	readonly name: string;
	readonly text: string;
}

/** More than any team writes; a pattern that takes a whole disk must not fill the memory. */
const MAX_FILES = 200;
const MAX_BYTES = 1_000_000;

/**
 * The files of patterns such as `templates/*.tmpl`, sorted, each once; relative ones start at `folder`. A pattern may match
 * nothing, a plain name may not. Throws `FN_ALERTS_TEMPLATE_FILE`.
 */
export function readTemplateFiles(patterns: readonly string[], folder: string): readonly TemplateFile[] {
	const names = patterns.flatMap((pattern) => {
		const path = resolve(folder, pattern);
		return /[*?[]/.test(pattern) ? globSync(path).sort() : [path];
	});
	const distinct = [...new Set(names)];
	if (distinct.length > MAX_FILES)
		throw unreadable(`the patterns of templates match ${distinct.length} files; at most ${MAX_FILES} are read, so narrow them`);
	return distinct.map((name) => {
		let text: string;
		try {
			text = readFileSync(name, 'utf8');
		} catch (error) {
			throw unreadable(`the template file ${name} cannot be read (${systemErrorCode(error)}); correct the entry of templates`);
		}
		if (text.length > MAX_BYTES) throw unreadable(`the template file ${name} is longer than ${MAX_BYTES} characters; shorten it`);
		return { name, text };
	});
}

function unreadable(message: string): AppError {
	return new AppError('FN_ALERTS_TEMPLATE_FILE', message, { status: 400 });
}
