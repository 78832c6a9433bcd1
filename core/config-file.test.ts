import { Type } from 'typebox';
import { describe, expect, test } from 'vitest';
import { parseConfig } from './config-file.ts';
import { DURATION_PATTERN } from './duration.ts';
import { SecretRefSchema } from './secret.ts';

const Channel = Type.Union([
	Type.Object({ kind: Type.Literal('sms'), phones: Type.Array(Type.String({ pattern: '^\\d+$' })) }, { additionalProperties: false }),
	Type.Object({ kind: Type.Literal('mail'), to: Type.String() }, { additionalProperties: false }),
]);
const Schema = Type.Object(
	{
		port: Type.Integer({ minimum: 1, default: 9999 }),
		name: Type.Optional(Type.String()),
		list: Type.Array(Type.Object({ id: Type.String(), weight: Type.Integer({ default: 1 }) }, { additionalProperties: false }), {
			default: [],
		}),
		channels: Type.Array(Channel, { default: [] }),
		level: Type.Optional(Type.Union([Type.Literal('low'), Type.Literal('high')])),
		wait: Type.Optional(Type.String({ pattern: DURATION_PATTERN, description: 'How long it waits.' })),
		size: Type.Optional(Type.String({ pattern: '^[0-9]+GB$', description: 'Most that it may take.' })),
		home: Type.Optional(Type.String({ pattern: '^/', description: 'a whole path' })),
		loud: Type.Optional(Type.Boolean()),
		token: Type.Optional(SecretRefSchema),
		tree: Type.Optional(
			Type.Cyclic(
				{
					Node: Type.Object(
						{ wait: Type.Optional(Type.String({ pattern: DURATION_PATTERN })), nodes: Type.Optional(Type.Array(Type.Ref('Node'))) },
						{ additionalProperties: false },
					),
				},
				'Node',
			),
		),
	},
	{ additionalProperties: false },
);

function problems(text: string): readonly string[] {
	const result = parseConfig(text, {
		file: 'f.yml',
		schema: Schema,
		check: (config, report) => {
			config.list.forEach((entry, i) => {
				if (entry.id === 'bad') report(['list', i, 'id'], 'is bad');
			});
		},
	});
	return result.kind === 'ok' ? [] : result.problems.map((problem) => `${problem.line} ${problem.path}: ${problem.message}`);
}

describe('a configuration file', () => {
	test('an empty one is all defaults', () => {
		expect(parseConfig('', { file: 'f.yml', schema: Schema })).toEqual({ kind: 'ok', config: { port: 9999, list: [], channels: [] } });
	});

	test('defaults reach into lists', () => {
		expect(parseConfig('list: [{ id: a }]', { file: 'f.yml', schema: Schema })).toMatchObject({
			config: { list: [{ id: 'a', weight: 1 }] },
		});
	});

	test.each([
		{ name: 'a wrong type', text: 'port: "80"', want: ['1 port: must be a whole number, without quotes, but it is "80"'] },
		{ name: 'a key with a slip', text: 'prot: 80', want: ['1 prot: unknown key; did you mean "port"?'] },
		{ name: 'a missing key, at its entry', text: 'list:\n  - id: a\n  - weight: 2', want: ['3 list[1]: the key "id" is missing'] },
		{
			name: 'the nearest kind of a choice, not all kinds',
			text: 'channels:\n  - kind: sms\n    phones: [x]',
			want: ['3 channels[0].phones[0]: must match pattern "^\\d+$", but it is "x"'],
		},
		{
			name: 'superfluous keys and mistakes in meaning together',
			text: 'colour: red\nlist:\n  - id: bad',
			want: [expect.stringMatching(/^1 colour: unknown key; known here: port, name, list, channels, /), '3 list[0].id: is bad'],
		},
		{ name: 'words that are allowed', text: 'level: hihg', want: ['1 level: must be one of low, high, but it is "hihg"'] },
		{ name: 'what a pattern means', text: 'home: here', want: ['1 home: must be a whole path, but it is "here"'] },
		{ name: 'a duration without a unit', text: 'wait: 30', want: ['1 wait: must be a duration such as 30s, 5m or 1h30m, but it is 30'] },
		{
			name: 'a text of another form, where the description is a sentence about the key',
			text: 'size: plenty',
			want: ['1 size: must match pattern "^[0-9]+GB$", but it is "plenty"'],
		},
		{
			name: 'the same deep in a tree',
			text: 'tree: { nodes: [{ nodes: [{ wait: 5 m }] }] }',
			want: [expect.stringContaining('tree.nodes[0].nodes[0].wait: must be a duration')],
		},
		{
			name: 'known keys deep in a tree',
			text: 'tree: { nodes: [{ colour: red }] }',
			want: ['1 tree.nodes[0].colour: unknown key; known here: wait, nodes'],
		},
		{
			name: 'a number where a text belongs',
			text: 'name: 138',
			want: ["1 name: must be a text, so put it into quotes ('138'), but it is 138"],
		},
		{ name: 'a word where a truth belongs', text: 'loud: yes', want: ['1 loud: must be true or false, without quotes, but it is "yes"'] },
		{ name: 'a secret in the open, without it', text: 'token: hunter2', want: [expect.not.stringContaining('hunter2')] },
		{
			name: 'a place of a secret with a slip',
			text: 'token: { evn: T }',
			want: ['1 token: names no place of a secret: write { file: PATH } or { env: NAME }'],
		},
		{ name: 'one value where a list belongs', text: 'list: a', want: [expect.stringContaining('must be a list: write [ … ]')] },
		{
			name: 'the first of what follows from one slip',
			text: 'a:\n  b: c: d\n  e: [1\nf: }',
			want: [expect.stringMatching(/^2 : not valid YAML.*indentation/)],
		},
		{ name: 'a tab', text: 'a:\n\tb: 1', want: [expect.stringMatching(/^2 : not valid YAML/)] },
		{ name: 'a key twice', text: 'port: 1\nport: 2', want: ['2 : not valid YAML: the key "port" is given twice'] },
		{ name: 'a list where keys belong', text: '- 1', want: [expect.stringContaining('must be keys with values')] },
	])('tells $name', ({ text, want }) => {
		expect(problems(text)).toEqual(want);
	});

	test('twenty mistakes are all told', () => {
		expect(problems(Array.from({ length: 20 }, (_, i) => `key${i}: 1`).join('\n'))).toHaveLength(20);
	});

	test('aliases that multiply without end are refused', () => {
		const bomb = Array.from(
			{ length: 12 },
			(_, i) =>
				`${String.fromCharCode(98 + i)}: &${String.fromCharCode(98 + i)} [${Array(9)
					.fill(i === 0 ? '1' : `*${String.fromCharCode(97 + i)}`)
					.join(',')}]`,
		).join('\n');
		expect(problems(bomb)).toEqual([expect.stringContaining('not usable YAML')]);
	});
});
