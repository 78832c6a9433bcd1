import { RE2JS } from 're2js';

/** An RE2 pattern that must match a whole text, and gives the templates of relabelling their groups. */
export class AnchoredTemplate {
	readonly #pattern: RE2JS;
	readonly #names: ReadonlySet<string>;

	/** Throws an `Error` that says what is wrong with the pattern. */
	constructor(pattern: string) {
		this.#pattern = RE2JS.compile(`^(?s:${pattern})$`);
		this.#names = new Set([...pattern.matchAll(/\(\?P?<([A-Za-z0-9_]+)>/g)].map((match) => match[1] ?? ''));
	}

	test(text: string): boolean {
		return this.#pattern.matcher(text).matches();
	}

	/** Each template filled in, or `null` when the text does not match. */
	expand(text: string, templates: readonly string[]): readonly string[] | null {
		const matcher = this.#pattern.matcher(text);
		if (!matcher.matches()) return null;
		const group = (name: string): string => {
			if (/^[0-9]+$/.test(name)) return Number(name) <= matcher.groupCount() ? (matcher.group(Number(name)) ?? '') : '';
			return this.#names.has(name) ? (matcher.group(name) ?? '') : '';
		};
		return templates.map((template) => expandTemplate(template, group));
	}
}

/**
 * Go's `regexp.Expand` (https://pkg.go.dev/regexp#Regexp.Expand): `$name` takes the longest run of letters, digits and underscores, so
 * `$1_x` is the group named "1_x"; `${1}_x` is what was meant. `$$` is a dollar, an unknown group is empty.
 */
function expandTemplate(template: string, group: (name: string) => string): string {
	if (!template.includes('$')) return template;
	return template.replace(/\$(?:(\$)|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu, (_, dollar?: string, plain?: string, braced?: string) =>
		dollar === undefined ? group(plain ?? braced ?? '') : '$',
	);
}
