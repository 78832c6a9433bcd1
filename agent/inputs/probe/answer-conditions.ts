import { type BoundedRegex, compileRegex } from '../bounded-regex.ts';
import { jsonText, parseJsonPath, valuesAt } from '../json-path.ts';
import { ProbeFailure } from './failure.ts';

export interface JsonCondition {
	readonly path: string;
	/** Each given one must hold for every value that the path leads to; without any, at least one value must be there. */
	readonly equals?: string | number | boolean | null;
	readonly matches?: string;
	readonly min?: number;
	readonly max?: number;
	/** How many values the path must lead to at least and at most. */
	readonly min_count?: number;
	readonly max_count?: number;
}

export interface AnswerExpectation {
	/** `null`: 200 to 399. */
	readonly status: readonly number[] | null;
	/** Text that must be in the body, as it stands. */
	readonly text: readonly string[];
	readonly notText: readonly string[];
	/** RE2 patterns. */
	readonly matches: readonly string[];
	readonly notMatches: readonly string[];
	readonly json: readonly JsonCondition[];
	readonly minBytes: number | null;
	readonly maxBytes: number | null;
	/** Pattern of the address after all redirects. */
	readonly finalUrl: string | null;
	readonly headers: readonly { readonly name: string; readonly matches: string }[];
}

export interface Answer {
	readonly status: number;
	readonly headers: Readonly<Record<string, string | string[] | undefined>>;
	readonly body: Buffer;
	readonly url: string;
}

/** Compiled once per probe, at its first run. */
export interface AnswerConditions {
	/** Whether the body must be read as text at all. */
	readonly hasText: boolean;
	/** Throws a `ProbeFailure` for the first condition that does not hold. */
	check(answer: Answer): void;
}

export async function compileConditions(expect: AnswerExpectation): Promise<AnswerConditions> {
	const compile = async (source: string): Promise<BoundedRegex> => {
		try {
			return await compileRegex(source);
		} catch (error) {
			throw new ProbeFailure('config', `"${source}" is not an RE2 pattern`, error);
		}
	};
	const all = (sources: readonly string[]) => Promise.all(sources.map(compile));
	const matches = await all(expect.matches);
	const notMatches = await all(expect.notMatches);
	const finalUrl = expect.finalUrl === null ? null : await compile(expect.finalUrl);
	const headers = await Promise.all(expect.headers.map(async ({ name, matches: source }) => ({ name, pattern: await compile(source) })));
	const json = await Promise.all(
		expect.json.map(async (condition) => ({
			condition,
			pattern: condition.matches === undefined ? null : await compile(condition.matches),
		})),
	);
	const hasText = expect.text.length + expect.notText.length + matches.length + notMatches.length > 0;
	return {
		hasText,
		check(answer) {
			const { status, body } = answer;
			const fits = expect.status === null ? status >= 200 && status < 400 : expect.status.includes(status);
			if (!fits) throw new ProbeFailure('status', `the status is ${status}`);
			if (finalUrl !== null && !finalUrl.test(answer.url))
				throw new ProbeFailure('redirect', `the final address is not ${finalUrl.source}`);
			for (const { name, pattern } of headers) {
				const value = answer.headers[name.toLowerCase()];
				const text = Array.isArray(value) ? value.join(', ') : (value ?? '');
				if (!pattern.test(text)) throw new ProbeFailure('header', `the header ${name} does not match ${pattern.source}`);
			}
			if (expect.minBytes !== null && body.length < expect.minBytes)
				throw new ProbeFailure('size', `the body has ${body.length} bytes, fewer than ${expect.minBytes}`);
			if (expect.maxBytes !== null && body.length > expect.maxBytes)
				throw new ProbeFailure('size', `the body has ${body.length} bytes, more than ${expect.maxBytes}`);
			if (hasText) {
				const text = body.toString('utf8');
				for (const wanted of expect.text)
					if (!text.includes(wanted)) throw new ProbeFailure('text', `the text "${shorten(wanted)}" is missing`);
				for (const unwanted of expect.notText)
					if (text.includes(unwanted)) throw new ProbeFailure('text', `the text "${shorten(unwanted)}" is there`);
				for (const pattern of matches)
					if (!pattern.test(text)) throw new ProbeFailure('text', `nothing matches ${shorten(pattern.source)}`);
				for (const pattern of notMatches)
					if (pattern.test(text)) throw new ProbeFailure('text', `something matches ${shorten(pattern.source)}`);
			}
			if (json.length > 0) {
				const root = parseJson(body);
				for (const { condition, pattern } of json) checkJson(root, condition, pattern);
			}
		},
	};
}

export function parseJson(body: Buffer): unknown {
	try {
		return JSON.parse(body.toString('utf8'));
	} catch {
		throw new ProbeFailure('json', 'the body is not JSON');
	}
}

function checkJson(root: unknown, condition: JsonCondition, pattern: BoundedRegex | null): void {
	const steps = parseJsonPath(condition.path);
	if (steps === null) throw new ProbeFailure('config', `"${condition.path}" is not a JSON path`);
	const values = valuesAt(root, steps);
	const fail = (what: string) => {
		throw new ProbeFailure('json', `${condition.path} ${what}`);
	};
	const least = condition.min_count ?? (condition.max_count === undefined ? 1 : 0);
	if (values.length < least) fail(least === 1 ? 'is missing' : `leads to ${values.length} values, fewer than ${least}`);
	if (condition.max_count !== undefined && values.length > condition.max_count)
		fail(`leads to ${values.length} values, more than ${condition.max_count}`);
	for (const value of values) {
		if (condition.equals !== undefined && value !== condition.equals) fail(`is ${shorten(jsonText(value))}`);
		if (pattern !== null && !pattern.test(jsonText(value))) fail(`does not match ${pattern.source}`);
		if (condition.min === undefined && condition.max === undefined) continue;
		const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
		if (Number.isNaN(number)) fail('is not a number');
		if (condition.min !== undefined && number < condition.min) fail(`is ${number}, less than ${condition.min}`);
		if (condition.max !== undefined && number > condition.max) fail(`is ${number}, more than ${condition.max}`);
	}
}

function shorten(text: string): string {
	return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
