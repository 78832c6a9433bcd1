import type { TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import { Errors } from 'typebox/value';
import { DURATION_PATTERN } from './duration.ts';
import { nearName } from './near-name.ts';

/**
 * Whether the rest of a configuration can be judged although this is wrong in it. A superfluous key, or a secret where its place
 * should be named, is; a slip of the pen is another matter: what it was meant to say is missing, and complaints that follow would only confuse.
 */
export function leavesTheRestSound(message: string): boolean {
	return message === INLINE_SECRET || message.startsWith(`${UNKNOWN_KEY}; known here`);
}

const UNKNOWN_KEY = 'unknown key';
const NO_PLACE = 'names no place of a secret: write { file: PATH } or { env: NAME }';
const INLINE_SECRET = 'a secret is never written here; put it into a file or the environment, and write { file: PATH } or { env: NAME }';
/** More mistakes than anybody reads; a hostile file must not fill the memory. */
const MOST_ERRORS = 1000;

export type Report = (path: readonly (string | number)[], message: string) => void;

interface SchemaError {
	readonly keyword: string;
	readonly schemaPath: string;
	readonly instancePath: string;
	readonly params: object;
	readonly message: string;
}

/** Every error of the schema, one for each place, in words. */
export function reportSchemaErrors(schema: TSchema, value: unknown, report: Report): void {
	const seen = new Set<string>();
	// A union reports the errors of every branch; the branch that the value is nearest to is enough.
	const unions = new Map<string, Map<string, SchemaError[]>>();
	const once = (path: readonly (string | number)[], message: string) => {
		const key = `${path.join('/')} ${message}`;
		if (seen.has(key)) return;
		seen.add(key);
		report(path, message);
	};
	for (const error of allErrors(schema, value)) {
		const branch = /^(.*?\/anyOf)\/(\d+)/.exec(error.schemaPath);
		if (branch !== null) {
			const [, union, index] = branch as unknown as [string, string, string];
			// The same union can sit under several list items, so the concrete path counts as well.
			const depth = union.split('/items').length - 1;
			const place = error.instancePath
				.split('/')
				.slice(0, depth * 2 + 1)
				.join('/');
			const id = `${union} ${place}`;
			const branches = unions.get(id) ?? new Map<string, SchemaError[]>();
			unions.set(id, branches);
			const list = branches.get(index) ?? [];
			branches.set(index, list);
			list.push(error);
			continue;
		}
		reportOne(error, value, once, schema);
	}
	for (const branches of unions.values()) {
		const choices = choiceOf([...branches.values()]);
		const [first] = [...branches.values()][0] ?? [];
		if (choices !== null && first !== undefined) {
			const path = parsePointer(first.instancePath, value);
			once(path, `must be one of ${choices.join(', ')}, but it is ${shorten(valueAt(value, path))}`);
			continue;
		}
		const best = [...branches.values()].sort((a, b) => penalty(a) - penalty(b))[0] ?? [];
		for (const error of best) reportOne(error, value, once, schema);
	}
}

/** What a union of nothing but words allows; `null` for any other. */
function choiceOf(branches: readonly (readonly SchemaError[])[]): readonly string[] | null {
	const words = branches.flatMap(([error, ...more]) =>
		error?.keyword === 'const' && more.length === 0 ? [String((error.params as { readonly allowedValue?: unknown }).allowedValue)] : [],
	);
	return words.length === branches.length ? words : null;
}

/** The library stops at its eighth error unless told otherwise, and its setting is one for the whole process: it is put back. */
function allErrors(schema: TSchema, value: unknown): readonly SchemaError[] {
	const { maxErrors } = Settings.Get();
	Settings.Set({ maxErrors: MOST_ERRORS });
	try {
		return Errors(schema, value) as readonly SchemaError[];
	} finally {
		Settings.Set({ maxErrors });
	}
}

/** How far a value is from a branch of a union: a wrong `const` (another kind) is further than a wrong detail. */
function penalty(errors: readonly SchemaError[]): number {
	return errors.reduce(
		(sum, error) => sum + (error.keyword === 'const' ? 1000 : error.keyword === 'type' ? 100 - error.instancePath.length : 1),
		0,
	);
}

function reportOne(error: SchemaError, root: unknown, report: Report, schema: TSchema): void {
	const path = parsePointer(error.instancePath, root);
	if (error.keyword === 'anyOf') return;
	if (error.keyword === 'additionalProperties') {
		const names = (error.params as { readonly additionalProperties?: readonly string[] }).additionalProperties ?? [];
		const known = knownKeys(schema, error.schemaPath);
		if (isSecretRef(known)) report(path, NO_PLACE);
		else for (const name of names) report([...path, name], unknownKeyMessage(name, known));
		return;
	}
	if (error.keyword === 'boolean') return;
	if (error.keyword === 'required') {
		const names = (error.params as { readonly requiredProperties?: readonly string[] }).requiredProperties ?? [];
		if (isSecretRef(knownKeys(schema, error.schemaPath))) report(path, NO_PLACE);
		else for (const name of names) report(path, `the key "${name}" is missing`);
		return;
	}
	// What stands there may be the secret itself.
	if (error.keyword === 'type' && isSecretRef(knownKeys(schema, error.schemaPath.replace(/\/type$/, '')))) {
		report(path, INLINE_SECRET);
		return;
	}
	const value = valueAt(root, path);
	const { pattern = '', description } = (nodeAt(schema, error.schemaPath) ?? {}) as {
		readonly pattern?: string;
		readonly description?: string;
	};
	const meant = PATTERNS[pattern] ?? (/^[a-z]/.test(description ?? '') ? description : undefined);
	report(path, `${inWords(error, value, meant)}, but it is ${shorten(value)}`);
}

/**
 * Patterns that stand in many schemas; others say what they mean by the schema's `description`, where that is no sentence of its own about
 * what the key is for.
 */
const PATTERNS: Readonly<Record<string, string>> = {
	[DURATION_PATTERN]: 'a duration such as 30s, 5m or 1h30m',
	'^https?://': 'an address that begins with http:// or https://',
};

/** What a value must be, and what to do about the mistakes that YAML invites. */
function inWords({ keyword, message, params }: SchemaError, value: unknown, meant: string | undefined): string {
	if (keyword === 'pattern' && meant !== undefined) return `must be ${meant}`;
	if (keyword === 'const') return `must be ${JSON.stringify((params as { readonly allowedValue?: unknown }).allowedValue)}`;
	if (keyword !== 'type') return message;
	switch ((params as { readonly type?: unknown }).type) {
		case 'string':
			if (meant !== undefined) return `must be ${meant}`;
			return typeof value === 'object' ? 'must be one text' : `must be a text, so put it into quotes ('${String(value)}')`;
		case 'array':
			return 'must be a list: write [ … ], or begin the lines of its entries with "- "';
		case 'object':
			return 'must be keys with values ("key: value"), each on a line of its own';
		case 'boolean':
			return 'must be true or false, without quotes';
		case 'integer':
			return 'must be a whole number, without quotes';
		case 'number':
			return 'must be a number, without quotes';
		default:
			return message;
	}
}

/** The branches of `SecretRefSchema`. */
function isSecretRef(keys: readonly string[]): boolean {
	return keys.length === 1 && (keys[0] === 'file' || keys[0] === 'env');
}

function knownKeys(schema: TSchema, schemaPath: string): readonly string[] {
	const node = nodeAt(schema, schemaPath);
	return node === null || !('properties' in node) ? [] : Object.keys(node.properties as object);
}

/** References are followed: a path goes on behind them. */
function nodeAt(schema: TSchema, schemaPath: string): object | null {
	const definitions = new Map<string, unknown>();
	const resolved = (node: unknown): unknown => {
		if (typeof node !== 'object' || node === null) return null;
		if ('$defs' in node) for (const [name, definition] of Object.entries(node.$defs as object)) definitions.set(name, definition);
		return '$ref' in node ? definitions.get(String(node.$ref)) : node;
	};
	let node = resolved(schema);
	for (const part of schemaPath
		.replace(/^#\/?/, '')
		.split('/')
		.filter((step) => step !== ''))
		node = resolved(typeof node === 'object' && node !== null ? (node as Record<string, unknown>)[part] : null);
	return typeof node === 'object' ? node : null;
}

function unknownKeyMessage(name: string, known: readonly string[]): string {
	const near = nearName(name, known);
	if (near !== null) return `${UNKNOWN_KEY}; did you mean "${near}"?`;
	return known.length === 0 ? UNKNOWN_KEY : `${UNKNOWN_KEY}; known here: ${known.join(', ')}`;
}

function parsePointer(pointer: string, root: unknown): (string | number)[] {
	if (pointer === '') return [];
	let node: unknown = root;
	return pointer
		.slice(1)
		.split('/')
		.map((part) => {
			const key = part.replace(/~1/g, '/').replace(/~0/g, '~');
			const step = Array.isArray(node) ? Number(key) : key;
			node = typeof node === 'object' && node !== null ? (node as Record<string | number, unknown>)[step] : undefined;
			return step;
		});
}

function valueAt(root: unknown, path: readonly (string | number)[]): unknown {
	let node: unknown = root;
	for (const step of path) node = typeof node === 'object' && node !== null ? (node as Record<string | number, unknown>)[step] : undefined;
	return node;
}

function shorten(value: unknown): string {
	const text = value === undefined ? 'missing' : JSON.stringify(value);
	return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
