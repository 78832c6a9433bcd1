import { hash } from 'node:crypto';

/** Where secrets of a file go. */
export interface SecretPlaces {
	/** What stands in the configuration instead of the value. `label` says in words of file names what it is. */
	put(label: string, value: string): { readonly file: string } | { readonly env: string };
	/** By name. */
	readonly kept: ReadonlyMap<string, string>;
}

/** Values with a line break cannot stand in a file of variables. */
export function secretPlaces(options: {
	readonly folder: string;
	readonly env: boolean;
}): SecretPlaces & { readonly variables: ReadonlyMap<string, string> } {
	const kept = new Map<string, string>();
	const variables = new Map<string, string>();
	const names = new Map<string, string>();
	const free = (name: string, taken: ReadonlyMap<string, string>, number = 1): string => {
		const candidate = number === 1 ? name : `${name}-${number}`;
		return taken.has(candidate) ? free(name, taken, number + 1) : candidate;
	};
	return {
		kept,
		variables,
		put: (label, value) => {
			const asVariable = options.env && !/[\n\r\0]/.test(value);
			const base = fileName(label);
			// The same secret of the same kind is one: it is changed in one place.
			const same = `${asVariable} ${label.split('.').at(-1)} ${value}`;
			const known = names.get(same);
			const name =
				known ?? free(asVariable ? `FOURNINES_${base.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}` : base, asVariable ? variables : kept);
			names.set(same, name);
			(asVariable ? variables : kept).set(name, value);
			return asVariable ? { env: name } : { file: `${options.folder}/${name}` };
		},
	};
}

/** Names of receivers may be in any script. */
function fileName(label: string): string {
	const plain = label.replace(/[^a-zA-Z0-9_.-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
	return plain.length > 0 && plain.length <= 100 ? plain : `secret-${hash('sha256', label).slice(0, 8)}`;
}

/** Keys whose text is a secret although the schema takes a text there as well. */
const TELLING = /authorization|password|secret|token|assertion|api.?key|cookie|credential/i;

/** Whether a text that may stand in the open should not. `key` is the last one on the way to it. */
export function isSecretText(key: string, text: string): boolean {
	if (key === 'proxy_url') return URL.canParse(text) && new URL(text).password !== '';
	if (key === 'url') return URL.canParse(text) && carriesToken(new URL(text));
	return TELLING.test(key);
}

/** Who knows the address may post there: a query, a password, or a part that nobody types by hand. */
function carriesToken({ username, search, pathname }: URL): boolean {
	const drawn = (part: string) => /^[\w-]{16,}$/.test(part) && /\d/.test(part) && /[a-z]/i.test(part);
	return username !== '' || search !== '' || pathname.split(/[/.:=~]/).some(drawn);
}

/** Comments are taken along, and secrets that were switched off stand in them. */
export function isTellingComment(comment: string): boolean {
	return (
		TELLING.test(comment) || /_key\b/i.test(comment) || (comment.match(/\w+:\/\/[^\s'"]+/g) ?? []).some((url) => isSecretText('url', url))
	);
}
