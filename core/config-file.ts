import { readFileSync } from 'node:fs';
import type { Static, TSchema } from 'typebox';
import { Check, Clone, Default } from 'typebox/value';
import { type Document, isMap, LineCounter, parseDocument } from 'yaml';
import { AppError, errorText, systemErrorCode } from './errors.ts';
import { leavesTheRestSound, type Report, reportSchemaErrors } from './schema-errors.ts';

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
			// What follows the first one is mostly its consequence.
			problems: document.errors.slice(0, 1).map(({ code, message, pos }) => ({
				file,
				line: lines.linePos(pos[0]).line,
				path: '',
				message: `not valid YAML: ${code === 'DUPLICATE_KEY' ? `the key "${keyAt(text, pos[0])}" is given twice` : message}${INDENTED.includes(code) ? '; look at the indentation of this line' : ''}`,
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

/** Errors of the parser behind which people find a line that begins too far left or right. */
const INDENTED: readonly string[] = ['BAD_INDENT', 'BLOCK_AS_IMPLICIT_KEY', 'BLOCK_IN_FLOW', 'MISSING_CHAR', 'MULTILINE_IMPLICIT_KEY'];

/** A key may be long, and a missing quote makes a key of the rest of the file. */
function keyAt(text: string, offset: number): string {
	return /^[^:\n]{0,60}/.exec(text.slice(offset))?.[0].trim() ?? '';
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
	if (problems.some(({ message }) => !leavesTheRestSound(message))) return { kind: 'bad', problems: inOrder(problems) };
	const config = filled as Static<S>;
	check?.(config, report, file);
	return problems.length > 0 ? { kind: 'bad', problems: inOrder(problems) } : { kind: 'ok', config };
}

/** `receivers[0].url` */
export function formatPath(path: readonly (string | number)[]): string {
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
