import { AppError } from '../../core/errors.ts';
import type { Matcher } from '../storage/storage.ts';
import { parseQuery } from './parser.ts';
import { matchersOf } from './selector-data.ts';

/** Reads `match[]` texts. Throws `FN_QUERY_PARSE` for anything but a plain series selector. */
export function selectorMatchers(selector: string): readonly Matcher[] {
	const expr = parseQuery(selector);
	if (expr.kind !== 'selector' || expr.offsetMs !== 0 || expr.at !== null) {
		throw new AppError('FN_QUERY_PARSE', `"${selector}" is not a plain series selector; write for example up{job="node"}`, { status: 400 });
	}
	return matchersOf(expr.matchers);
}
