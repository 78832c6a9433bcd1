import { AppError, errorText } from '../errors.ts';
import type { Command, Node, Operand, Pipe } from './ast.ts';
import { BUILTINS, isTrue, type TemplateFunction } from './builtins.ts';
import { formatValue } from './format.ts';
import { type ParsedTemplate, parseTemplateText } from './parser.ts';
import { templateExecuteError } from './template-error.ts';

export interface TemplateOptions {
	/** Appears in error messages. */
	readonly name: string;
	/** Beside Go's own. They may be asynchronous. What they throw becomes `FN_TEMPLATE_EXECUTE` with the line. */
	readonly functions?: Readonly<Record<string, TemplateFunction>>;
	/** Further texts whose `define` blocks this one may call; a later definition of a name wins, the own ones last. */
	readonly associated?: readonly { readonly name: string; readonly text: string }[];
	/** Escapes what actions give by where it stands in the output; one for each execution. As it is when absent. */
	readonly escaper?: () => OutputEscaper;
}

/** Sees the whole output in order: what the template's author wrote, and what comes from outside. */
export interface OutputEscaper {
	literal(text: string): string;
	value(value: unknown): string;
}

/**
 * A Go text/template. Data: `Map` is a Go map (a missing key is empty text), a plain object is a struct (a missing field is
 * an error), an own property that is a function is a method. Nothing inherited is ever reachable.
 */
export interface Template {
	/** Throws `FN_TEMPLATE_EXECUTE` with name and line. */
	execute(data: unknown): Promise<string>;
	/** Executes one definition, as `{{template "name" data}}` would. */
	executeNamed(name: string, data: unknown): Promise<string>;
	has(name: string): boolean;
}

/** A template must end even when its author errs: bounds on output, steps and nesting. */
const MAX_OUTPUT = 1_000_000;
const MAX_STEPS = 200_000;
const MAX_NESTING = 100;

const PLAIN_OUTPUT: OutputEscaper = { literal: (text) => text, value: formatValue };

/** Parses a template. Throws `FN_TEMPLATE_PARSE` with name and line. */
export function parseTemplate(text: string, options: TemplateOptions): Template {
	const functions = new Map<string, TemplateFunction>([...Object.entries(BUILTINS), ...Object.entries(options.functions ?? {})]);
	const isFunction = (name: string) => functions.has(name);
	const definitions = new Map<string, readonly Node[]>();
	for (const other of options.associated ?? []) {
		for (const [name, nodes] of parseTemplateText(other.name, other.text, isFunction).definitions) definitions.set(name, nodes);
	}
	const own: ParsedTemplate = parseTemplateText(options.name, text, isFunction);
	for (const [name, nodes] of own.definitions) definitions.set(name, nodes);
	const run = async (nodes: readonly Node[], data: unknown) => {
		const execution = new Execution(options.name, { functions, definitions, escaper: options.escaper?.() ?? PLAIN_OUTPUT });
		await execution.body(nodes, { dot: data, variables: [{ name: '$', value: data }] });
		return execution.output;
	};
	return {
		execute: (data) => run(own.body, data),
		executeNamed: async (name, data) => {
			const nodes = definitions.get(name);
			if (nodes === undefined) throw templateExecuteError(options.name, 0, `template "${name}" not defined`);
			return run(nodes, data);
		},
		has: (name) => definitions.has(name),
	};
}

interface Scope {
	readonly dot: unknown;
	readonly variables: { readonly name: string; value: unknown }[];
}

type Signal = 'break' | 'continue' | null;

class Execution {
	output = '';
	readonly #name: string;
	readonly #functions: ReadonlyMap<string, TemplateFunction>;
	readonly #definitions: ReadonlyMap<string, readonly Node[]>;
	readonly #escaper: OutputEscaper;
	#steps = 0;
	#nesting = 0;

	constructor(
		name: string,
		world: {
			readonly functions: ReadonlyMap<string, TemplateFunction>;
			readonly definitions: ReadonlyMap<string, readonly Node[]>;
			readonly escaper: OutputEscaper;
		},
	) {
		this.#name = name;
		this.#functions = world.functions;
		this.#definitions = world.definitions;
		this.#escaper = world.escaper;
	}

	#fail(line: number, message: string): AppError {
		return templateExecuteError(this.#name, line, message);
	}

	#write(text: string, line: number): void {
		this.output += text;
		if (this.output.length > MAX_OUTPUT) throw this.#fail(line, `the output is longer than ${MAX_OUTPUT} characters`);
	}

	async body(nodes: readonly Node[], scope: Scope): Promise<Signal> {
		const depth = scope.variables.length;
		for (const node of nodes) {
			const signal = await this.#node(node, scope);
			if (signal !== null) {
				scope.variables.length = depth;
				return signal;
			}
		}
		scope.variables.length = depth;
		return null;
	}

	async #node(node: Node, scope: Scope): Promise<Signal> {
		if (node.kind === 'text') {
			this.#write(this.#escaper.literal(node.text), 0);
			return null;
		}
		this.#steps += 1;
		if (this.#steps > MAX_STEPS) throw this.#fail(node.line, `more than ${MAX_STEPS} steps; does a range never end?`);
		switch (node.kind) {
			case 'action': {
				const value = await this.#pipe(node.pipe, scope);
				if (node.pipe.variables.length === 0) this.#write(this.#escaper.value(value), node.line);
				return null;
			}
			case 'if':
			case 'with': {
				const depth = scope.variables.length;
				const value = await this.#pipe(node.pipe, scope);
				const inner = node.kind === 'with' && isTrue(value) ? { ...scope, dot: value } : scope;
				const signal = await this.body(isTrue(value) ? node.body : node.otherwise, inner);
				scope.variables.length = depth;
				return signal;
			}
			case 'range':
				await this.#range(node, scope);
				return null;
			case 'template': {
				const nodes = this.#definitions.get(node.name);
				if (nodes === undefined) throw this.#fail(node.line, `template "${node.name}" not defined`);
				const data = node.pipe === null ? null : await this.#pipe(node.pipe, scope);
				this.#nesting += 1;
				if (this.#nesting > MAX_NESTING) throw this.#fail(node.line, `templates call each other more than ${MAX_NESTING} levels deep`);
				await this.body(nodes, { dot: data, variables: [{ name: '$', value: data }] });
				this.#nesting -= 1;
				return null;
			}
			case 'break':
			case 'continue':
				return node.kind;
		}
	}

	async #range(node: Extract<Node, { kind: 'range' }>, scope: Scope): Promise<void> {
		const value = await this.#commands(node.pipe, scope);
		const entries = this.#entries(value, node.line);
		const [first, second] = node.pipe.variables;
		if (entries.length === 0) {
			await this.body(node.otherwise, scope);
			return;
		}
		for (const [key, item] of entries) {
			const depth = scope.variables.length;
			const set = (name: string, bound: unknown) => {
				if (node.pipe.assigns) this.#assign(scope, name, bound, node.line);
				else scope.variables.push({ name, value: bound });
			};
			if (first !== undefined && second !== undefined) {
				set(first, key);
				set(second, item);
			} else if (first !== undefined) set(first, item);
			const signal = await this.body(node.body, { dot: item, variables: scope.variables });
			scope.variables.length = depth;
			if (signal === 'break') return;
		}
	}

	#entries(value: unknown, line: number): readonly (readonly [unknown, unknown])[] {
		if (value === null || value === undefined) return [];
		if (Array.isArray(value)) return value.map((item, index) => [index, item] as const);
		if (value instanceof Map) return [...value.entries()].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
		if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_STEPS) {
			return Array.from({ length: value }, (_, index) => [index, index] as const);
		}
		if (value === '') return [];
		throw this.#fail(line, `range can't iterate over ${formatValue(value)}`);
	}

	async #pipe(pipe: Pipe, scope: Scope): Promise<unknown> {
		const value = await this.#commands(pipe, scope);
		for (const name of pipe.variables) {
			if (pipe.assigns) this.#assign(scope, name, value, pipe.commands[0]?.line ?? 0);
			else scope.variables.push({ name, value });
		}
		return value;
	}

	#assign(scope: Scope, name: string, value: unknown, line: number): void {
		const variable = scope.variables.findLast((candidate) => candidate.name === name);
		if (variable === undefined) throw this.#fail(line, `undefined variable: ${name}`);
		variable.value = value;
	}

	async #commands(pipe: Pipe, scope: Scope): Promise<unknown> {
		let value: unknown;
		let piped = false;
		for (const command of pipe.commands) {
			value = await this.#command(command, scope, piped ? [value] : []);
			piped = true;
		}
		return value;
	}

	async #command(command: Command, scope: Scope, piped: readonly unknown[]): Promise<unknown> {
		const [head, ...rest] = command.operands as readonly [Operand, ...Operand[]];
		if (head.kind === 'function') {
			if (head.name === 'and' || head.name === 'or') return this.#shortCut(head.name, rest, scope, piped);
			const args: unknown[] = [];
			for (const operand of rest) args.push(await this.#operand(operand, scope, command.line));
			return this.#call(head.name, this.#functions.get(head.name), [...args, ...piped], command.line);
		}
		const args: unknown[] = [];
		for (const operand of rest) args.push(await this.#operand(operand, scope, command.line));
		return this.#operand(head, scope, command.line, [...args, ...piped]);
	}

	async #shortCut(name: 'and' | 'or', operands: readonly Operand[], scope: Scope, piped: readonly unknown[]): Promise<unknown> {
		let value: unknown = piped[0];
		for (const operand of operands) {
			value = await this.#operand(operand, scope, 0);
			if (isTrue(value) === (name === 'or')) return value;
		}
		return piped.length > 0 ? piped[0] : value;
	}

	async #call(name: string, target: TemplateFunction | undefined, args: readonly unknown[], line: number): Promise<unknown> {
		if (target === undefined) throw this.#fail(line, `"${name}" is not a defined function`);
		try {
			return await target(...args);
		} catch (error) {
			if (error instanceof AppError && error.code === 'FN_TEMPLATE_EXECUTE') throw error;
			throw this.#fail(line, `error calling ${name}: ${errorText(error)}`);
		}
	}

	/** The value of an operand; `args` are for a method at its end and must be empty otherwise. */
	async #operand(operand: Operand, scope: Scope, line: number, args: readonly unknown[] = []): Promise<unknown> {
		switch (operand.kind) {
			case 'literal':
				if (args.length > 0) throw this.#fail(line, `can't give argument to non-function ${formatValue(operand.value)}`);
				return operand.value;
			case 'dot':
				if (args.length > 0) throw this.#fail(line, "can't give argument to non-function .");
				return scope.dot;
			case 'function':
				return this.#call(operand.name, this.#functions.get(operand.name), args, line);
			case 'variable': {
				const variable = scope.variables.findLast((candidate) => candidate.name === operand.name);
				if (variable === undefined) throw this.#fail(line, `undefined variable: ${operand.name}`);
				return this.#fields(variable.value, operand.fields, args, line);
			}
			case 'field':
				return this.#fields(scope.dot, operand.fields, args, line);
			case 'pipe':
				return this.#fields(await this.#pipe(operand.pipe, scope), operand.fields, args, line);
		}
	}

	async #fields(start: unknown, fields: readonly string[], args: readonly unknown[], line: number): Promise<unknown> {
		let value = start;
		for (let i = 0; i < fields.length; i++) {
			const field = fields[i] as string;
			const owner = value;
			value = this.#field(owner, field, line);
			const last = i === fields.length - 1;
			if (typeof value === 'function') value = await this.#call(field, value as TemplateFunction, last ? args : [], line);
			else if (last && args.length > 0) throw this.#fail(line, `${field} has arguments but cannot be invoked as function`);
		}
		return value;
	}

	#field(owner: unknown, field: string, line: number): unknown {
		if (owner instanceof Map && !Object.hasOwn(owner, field)) return owner.has(field) ? owner.get(field) : '';
		if (typeof owner === 'object' && owner !== null && Object.hasOwn(owner, field)) {
			return (owner as Readonly<Record<string, unknown>>)[field];
		}
		if (owner === null || owner === undefined) throw this.#fail(line, `nil data; no entry for key "${field}"`);
		throw this.#fail(line, `can't evaluate field ${field} in type ${Array.isArray(owner) ? 'list' : typeof owner}`);
	}
}
