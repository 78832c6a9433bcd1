import { readFileSync } from 'node:fs';
import type { Static, TSchema } from 'typebox';
import { Settings } from 'typebox/system';
import { Check, Clone, Default, Errors } from 'typebox/value';
import { type Document, isMap, LineCounter, parseDocument } from 'yaml';
import { AppError, errorText, systemErrorCode } from './errors.ts';

/** One mistake in a configuration file. */
export interface ConfigProblem {
	readonly file: string;
	/** 1-based; 0 when the problem has no place in the text. */
	readonly line: number;
	/** Dotted path of the key, `alerts.receivers[0].url`; `''` for the whole file. */
	readonly path: string;
	readonly message: string;
}

export type ConfigResult<T> =
	| { readonly kind: 'ok'; readonly config: T }
	| { readonly kind: 'bad'; readonly problems: readonly ConfigProblem[] };

/**
 * What a module adds beyond the schema: references that must exist, values that must fit together. `path` is a list of keys;
 * names of further files that are relative start at the folder of `file`.
 */
export type ConfigCheck<T> = (config: T, report: (path: readonly (string | number)[], message: string) => void, file?: string) => void;

export function formatProblem(problem: ConfigProblem): string {
	const place = problem.line > 0 ? `${problem.file}:${problem.line}` : problem.file;
	return problem.path === '' ? `${place}: ${problem.message}` : `${place}: ${problem.path}: ${problem.message}`;
}

/** Throws `FN_CONFIG_INVALID` with every problem, one a line. */
export function configOrThrow<T>(result: ConfigResult<T>): T {
	if (result.kind === 'ok') return result.config;
	const lines = result.problems.map(formatProblem);
	throw new AppError(
		'FN_CONFIG_INVALID',
		`the configuration has ${lines.length === 1 ? 'a problem' : `${lines.length} problems`}:\n  ${lines.join('\n  ')}`,
		{ status: 400 },
	);
}

/** Reads and checks a YAML file. A file that cannot be read is a problem like any other. */
export function loadConfigFile<S extends TSchema>(file: string, schema: S, check?: ConfigCheck<Static<S>>): ConfigResult<Static<S>> {
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch (error) {
		const code = systemErrorCode(error);
		const reason = code === 'ENOENT' ? 'the file does not exist' : `the file cannot be read (${code})`;
		return { kind: 'bad', problems: [{ file, line: 0, path: '', message: reason }] };
	}
	return parseConfig(text, { file, schema, ...(check === undefined ? {} : { check }) });
}

/** What a configuration must be. */
export interface ConfigRules<S extends TSchema> {
	/** How problems name it. */
	readonly file: string;
	readonly schema: S;
	readonly check?: ConfigCheck<Static<S>>;
}

/** The same form for something that is no mistake, with its line in `text`. */
export function placeInConfig(text: string, file: string, path: readonly (string | number)[]): Omit<ConfigProblem, 'message'> {
	const read = readYaml(text, file);
	return { file, line: read.kind === 'ok' ? read.config.line(path) : 0, path: formatPath(path) };
}

/** A text's value, and the line (1-based; 0 for none) at which a key of it stands. */
export interface ReadYaml {
	readonly value: unknown;
	readonly line: LineOf;
}
type LineOf = (path: readonly (string | number)[]) => number;

/** Reads YAML text. Anything that is not one sound document is a problem with its line. */
export function readYaml(text: string, file: string): ConfigResult<ReadYaml> {
	const lines = new LineCounter();
	// The core schema of YAML 1.2: `no` is a word, not false; aliases are bounded against the billion-laughs attack.
	const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
	if (document.errors.length > 0) {
		return {
			kind: 'bad',
			problems: document.errors.map((error) => ({
				file,
				line: lines.linePos(error.pos[0]).line,
				path: '',
				message: `not valid YAML: ${error.message}`,
			})),
		};
	}
	try {
		const value: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
		return { kind: 'ok', config: { value, line: (path) => lineOf(document, lines, path) } };
	} catch (error) {
		return { kind: 'bad', problems: [{ file, line: 0, path: '', message: `not usable YAML: ${errorText(error)}` }] };
	}
}

/** Checks YAML text against `schema`, fills in defaults, and reports all problems at once with their lines. */
export function parseConfig<S extends TSchema>(text: string, options: ConfigRules<S>): ConfigResult<Static<S>> {
	const read = readYaml(text, options.file);
	return read.kind === 'ok' ? checkConfigValue(read.config.value, options, read.config.line) : read;
}

/** The same for a value that was read before. Problems have the lines that `line` says, or none. */
export function checkConfigValue<S extends TSchema>(
	raw: unknown,
	{ file, schema, check }: ConfigRules<S>,
	line: LineOf = () => 0,
): ConfigResult<Static<S>> {
	const problems: ConfigProblem[] = [];
	const report: Report = (path, message) => {
		problems.push({ file, line: line(path), path: formatPath(path), message });
	};
	const filled = Default(schema, Clone(raw));
	// Finding out whether there are errors costs a fraction of finding them.
	if (!Check(schema, filled)) reportSchemaErrors(schema, filled, report);
	// Where keys are merely superfluous, or a secret stands where its place should be named, the rest is sound, and its own
	// mistakes can be told in the same breath. A slip of the pen is another matter: what it was meant to say is missing, and the complaints that follow would only confuse.
	if (problems.some(({ message }) => message !== INLINE_SECRET && !message.startsWith(`${UNKNOWN_KEY}; known here`)))
		return { kind: 'bad', problems: inOrder(problems) };
	const config = filled as Static<S>;
	check?.(config, report, file);
	return problems.length > 0 ? { kind: 'bad', problems: inOrder(problems) } : { kind: 'ok', config };
}

const UNKNOWN_KEY = 'unknown key';
const INLINE_SECRET = 'a secret is never written here; put it into a file or the environment, and write { file: PATH } or { env: NAME }';
/** More mistakes than anybody reads; a hostile file must not fill the memory. */
const MOST_ERRORS = 1000;

type Report = (path: readonly (string | number)[], message: string) => void;

interface SchemaError {
	readonly keyword: string;
	readonly schemaPath: string;
	readonly instancePath: string;
	readonly params: object;
	readonly message: string;
}

function reportSchemaErrors(schema: TSchema, value: unknown, report: Report): void {
	const seen = new Set<string>();
	// A union reports the errors of every branch; the branch that the value is nearest to is enough.
	const unions = new Map<string, Map<string, SchemaError[]>>();
	const once = (path: readonly (string | number)[], message: string) => {
		const key = `${formatPath(path)} ${message}`;
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
		const best = [...branches.values()].sort((a, b) => penalty(a) - penalty(b))[0] ?? [];
		for (const error of best) reportOne(error, value, once, schema);
	}
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
		for (const name of names) report([...path, name], unknownKeyMessage(name, known));
		return;
	}
	if (error.keyword === 'boolean') return;
	if (error.keyword === 'required') {
		const names = (error.params as { readonly requiredProperties?: readonly string[] }).requiredProperties ?? [];
		for (const name of names) report(path, `the key "${name}" is missing`);
		return;
	}
	// What stands there may be the secret itself.
	if (error.keyword === 'type' && isSecretRef(knownKeys(schema, error.schemaPath.replace(/\/type$/, '')))) {
		report(path, INLINE_SECRET);
		return;
	}
	const value = valueAt(root, path);
	report(path, `${error.message}, but it is ${shorten(value)}`);
}

/** The branches of `SecretRefSchema`. */
function isSecretRef(keys: readonly string[]): boolean {
	return keys.length === 1 && (keys[0] === 'file' || keys[0] === 'env');
}

function knownKeys(schema: TSchema, schemaPath: string): readonly string[] {
	let node: unknown = schema;
	for (const part of schemaPath
		.replace(/^#\/?/, '')
		.split('/')
		.filter((step) => step !== '')) {
		if (typeof node !== 'object' || node === null) return [];
		node = (node as Record<string, unknown>)[part];
	}
	if (typeof node !== 'object' || node === null || !('properties' in node)) return [];
	return Object.keys(node.properties as object);
}

function unknownKeyMessage(name: string, known: readonly string[]): string {
	const near = known
		.map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
		.filter((entry) => entry.distance <= Math.min(3, Math.max(1, Math.round(entry.candidate.length / 2.5))))
		.sort((a, b) => a.distance - b.distance)[0];
	if (near !== undefined) return `${UNKNOWN_KEY}; did you mean "${near.candidate}"?`;
	return known.length === 0 ? UNKNOWN_KEY : `${UNKNOWN_KEY}; known here: ${known.join(', ')}`;
}

/** Levenshtein distance; both words are keys, so the quadratic table is tiny. */
function editDistance(a: string, b: string): number {
	let row = Array.from({ length: b.length + 1 }, (_, i) => i);
	for (let i = 1; i <= a.length; i++) {
		const next = [i];
		for (let j = 1; j <= b.length; j++) {
			const substitute = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
			next.push(Math.min(substitute, (row[j] as number) + 1, (next[j - 1] as number) + 1));
		}
		row = next;
	}
	return row[b.length] as number;
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

function formatPath(path: readonly (string | number)[]): string {
	return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}

/** The line of the deepest node on `path` that exists in the text. */
function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): number {
	for (let length = path.length; length >= 1; length--) {
		const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
		const step = path[length - 1];
		if (isMap(parent)) {
			const pair = parent.items.find((item) => String(item.key) === String(step));
			const range = (pair?.key as { range?: readonly number[] } | undefined)?.range;
			if (range?.[0] !== undefined) return lines.linePos(range[0]).line;
			continue;
		}
		const node = document.getIn(path.slice(0, length), true) as { range?: readonly number[] | null } | undefined;
		if (node?.range?.[0] !== undefined) return lines.linePos(node.range[0]).line;
	}
	// What the whole lacks is told where it begins; an empty text begins nowhere.
	const begin = document.contents?.range?.[0];
	return begin === undefined ? 1 : lines.linePos(begin).line;
}

function inOrder(problems: readonly ConfigProblem[]): readonly ConfigProblem[] {
	return [...problems].sort((a, b) => a.line - b.line);
}
