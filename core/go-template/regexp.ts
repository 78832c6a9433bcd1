import { RE2JS } from 're2js';
import type { TemplateFunction } from './builtins.ts';

/** The text of a group by its number or name, `''` where it took no part. */
export function groupText(match: ReturnType<RE2JS['matcher']>, name: string): string {
	if (/^[0-9]+$/.test(name)) {
		const index = Number(name);
		return index <= match.groupCount() ? (match.group(index) ?? '') : '';
	}
	return match.namedGroups !== null && name in match.namedGroups ? (match.group(name) ?? '') : '';
}

/**
 * Go's `Regexp.Expand`: `$name` takes the longest run of letters, digits and underscores, so `$1_x` is the group "1_x";
 * `$$` is a dollar, and a dollar that names nothing stays.
 */
export function expandTemplate(template: string, group: (name: string) => string): string {
	return template.replace(
		/\$(?:\$|\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))/g,
		(whole, braced: string | undefined, bare: string | undefined) => {
			const name = braced ?? bare;
			return name === undefined ? (whole === '$$' ? '$' : whole) : group(name);
		},
	);
}

/** Go's `Regexp.ReplaceAllString`. */
function replaceAll(pattern: string, replacement: string, text: string): string {
	const match = RE2JS.compile(pattern).matcher(text);
	let result = '';
	let from = 0;
	while (match.find()) {
		result += text.slice(from, match.start());
		result += expandTemplate(replacement, (name) => groupText(match, name));
		from = match.end();
	}
	return result + text.slice(from);
}

/** The functions on text that Prometheus and Alertmanager both give to templates. */
export const TEXT_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
	match: (pattern, text) => RE2JS.compile(String(pattern)).matcher(String(text)).find(),
	reReplaceAll: (pattern, replacement, text) => replaceAll(String(pattern), String(replacement), String(text)),
	title: (text) =>
		String(text).replace(/(^|[^\p{L}\p{N}_'])(\p{Ll})/gu, (_whole, before: string, letter: string) => before + letter.toUpperCase()),
	toUpper: (text) => String(text).toUpperCase(),
	toLower: (text) => String(text).toLowerCase(),
};
