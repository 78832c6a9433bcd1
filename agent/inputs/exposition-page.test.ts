import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ExpositionReadOptions, readExposition } from './exposition-families.ts';
import { ExpositionPage } from './exposition-page.ts';

const OPTIONS: ExpositionReadOptions = { format: 'text', maxSamples: 100, reserved: new Set(['job']), keep: (name) => name !== 'dropped' };

function outcome(read: () => unknown): unknown {
	try {
		// Everything in the answer may change with the next call.
		return structuredClone(read());
	} catch (error) {
		return String(error);
	}
}

const value = fc.oneof(
	fc.double({ noDefaultInfinity: false }).map((number) => (Number.isFinite(number) ? String(number) : number > 0 ? '+Inf' : 'NaN')),
	fc.integer().map(String),
	fc.constantFrom('1', '1e3', '-0', '0x10', 'nan', '', '1 1772000000000', '1 ', '12.', 'abc', '1\t', '9'.repeat(30)),
);
const line = fc.oneof(
	{
		weight: 6,
		arbitrary: fc.tuple(fc.constantFrom('a', 'a{job="x"}', 'b{le="1"}', 'b{le="2"} ', 'dropped', 'long{v="a b\\n\\"{"}'), value),
	},
	{ weight: 1, arbitrary: fc.tuple(fc.constantFrom('# HELP a What.', '# TYPE a gauge', '# TYPE b counter', ''), fc.constant(null)) },
);
type Line = readonly [string, string | null];
const textOf = (lines: readonly Line[]) => lines.map(([head, tail]) => `${tail === null ? head : `${head} ${tail}`}\n`).join('');

test('a page that is read again is read as if it were the first time, whatever changed', () => {
	const change = fc.oneof(
		{ weight: 8, arbitrary: fc.record({ kind: fc.constant('values' as const), values: fc.array(value, { minLength: 1, maxLength: 10 }) }) },
		{ weight: 1, arbitrary: fc.record({ kind: fc.constant('lines' as const), lines: fc.array(line, { maxLength: 8 }) }) },
		{ weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at: fc.nat(100) }) },
	);
	let again = 0;
	fc.assert(
		fc.property(fc.array(line, { maxLength: 8 }), fc.array(change, { maxLength: 8 }), (first, changes) => {
			const page = new ExpositionPage();
			let lines: readonly Line[] = first;
			let before: unknown = null;
			for (const step of [{ kind: 'cut' as const, at: 1000 }, ...changes]) {
				if (step.kind === 'lines') lines = step.lines;
				if (step.kind === 'values')
					lines = lines.map(([head, tail], i) => [head, tail === null ? null : (step.values[i % step.values.length] as string)]);
				const bytes = Buffer.from(textOf(lines).slice(0, step.kind === 'cut' ? step.at : undefined));
				let families: unknown = null;
				const found = outcome(() => {
					const read = page.read(bytes, OPTIONS);
					families = read.families;
					return read;
				});
				expect(found).toEqual(outcome(() => readExposition(bytes, OPTIONS)));
				if (families !== null && families === before) again++;
				before = families;
			}
		}),
		{ numRuns: 500 },
	);
	// Otherwise only the long way was seen.
	expect(again).toBeGreaterThan(50);
});

test('other options are another reading', () => {
	const page = new ExpositionPage();
	const bytes = Buffer.from('a 1\ndropped 2\n');
	expect(page.read(bytes, OPTIONS).kept).toBe(1);
	expect(page.read(bytes, { ...OPTIONS, keep: () => true }).kept).toBe(2);
});
