import { describe, expect, test } from 'vitest';
import { parseTemplate } from './template.ts';

const data = {
	Labels: new Map([
		['instance', 'a:80'],
		['job', 'node'],
	]),
	Value: 1_234_567.5,
	Small: 0.25,
	Items: ['x', 'y', 'z'],
	Empty: [],
	Nested: { Name: 'inner', Greet: (who: unknown) => `hello ${String(who)}` },
	Nothing: null,
};

const functions = {
	upper: (text: unknown) => String(text).toUpperCase(),
	later: async (text: unknown) => `later ${String(text)}`,
	boom: () => {
		throw new Error('out of powder');
	},
};

const run = (text: string) => parseTemplate(text, { name: 't', functions }).execute(data);

describe('a template gives what Go gives', () => {
	test.each([
		{ name: 'text', text: 'plain', want: 'plain' },
		{ name: 'a field of a map', text: '{{ .Labels.instance }}', want: 'a:80' },
		{ name: 'a missing key of a map', text: '[{{ .Labels.nope }}]', want: '[]' },
		{ name: 'a float', text: '{{ .Value }} {{ .Small }}', want: '1.2345675e+06 0.25' },
		{
			name: 'printf',
			text: '{{ printf "%.2f|%d|%s|%q|%5s|%-5s|%05.1f|%v|%t|%%|%x" 1.005 7 "s" "q" "r" "l" 2.5 "v" true 255 }}',
			want: '1.00|7|s|"q"|    r|l    |002.5|v|true|%|ff',
		},
		{ name: 'a wrong verb', text: '{{ printf "%d" "s" }} {{ printf "%d" }}', want: '%!d(string=s) %!d(MISSING)' },
		{ name: '%g', text: '{{ printf "%.4g %.4g %.4g %g" 1234567.0 0.000012345 12.0 100000.0 }}', want: '1.235e+06 1.234e-05 12 100000' },
		{ name: 'a pipeline', text: '{{ "a" | printf "%s-%s" "b" | upper }}', want: 'B-A' },
		{ name: 'a variable', text: '{{ $x := "1" }}{{ $x = "2" }}{{ $x }}', want: '2' },
		{ name: 'scope of a variable', text: '{{ $x := "o" }}{{ if true }}{{ $x := "i" }}{{ $x }}{{ end }}{{ $x }}', want: 'io' },
		{ name: 'assignment inside a block', text: '{{ $x := "o" }}{{ if true }}{{ $x = "i" }}{{ end }}{{ $x }}', want: 'i' },
		{ name: 'if and else', text: '{{ if .Empty }}a{{ else if .Nothing }}b{{ else }}c{{ end }}', want: 'c' },
		{ name: 'with', text: '{{ with .Nested }}{{ .Name }}{{ $.Small }}{{ else }}no{{ end }}', want: 'inner0.25' },
		{ name: 'range', text: '{{ range $i, $e := .Items }}{{ if $i }}, {{ end }}{{ $i }}={{ $e }}{{ end }}', want: '0=x, 1=y, 2=z' },
		{ name: 'range over a map by key', text: '{{ range $k, $v := .Labels }}{{ $k }}:{{ $v }};{{ end }}', want: 'instance:a:80;job:node;' },
		{ name: 'range else', text: '{{ range .Empty }}x{{ else }}none{{ end }}', want: 'none' },
		{
			name: 'break and continue',
			text: '{{ range .Items }}{{ if eq . "y" }}{{ continue }}{{ end }}{{ . }}{{ if eq . "z" }}{{ break }}{{ end }}{{ end }}',
			want: 'xz',
		},
		{
			name: 'definitions',
			text: '{{ define "t1" }}<{{ . }}>{{ end }}{{ template "t1" .Small }}{{ template "t1" "s" }}',
			want: '<0.25><s>',
		},
		{ name: 'a block', text: '{{ block "b" .Small }}[{{ . }}]{{ end }}', want: '[0.25]' },
		{ name: 'trimming', text: 'a  {{- " b " -}}  c', want: 'a b c' },
		{ name: 'a comment', text: 'a{{/* no }} */}}b', want: 'ab' },
		{
			name: 'comparisons',
			text: '{{ eq 1 2 1 }} {{ ne "a" "b" }} {{ lt 1 2 }} {{ ge 2 2 }} {{ gt 1.5 2 }}',
			want: 'true true true true false',
		},
		{ name: 'logic without needless evaluation', text: '{{ or .Small (boom) }} {{ and .Nothing (boom) | not }}', want: '0.25 true' },
		{
			name: 'index, len and slice',
			text: '{{ index .Items 1 }} {{ index .Labels "job" }} {{ len .Items }} {{ slice "abcdef" 1 3 }}',
			want: 'y node 3 bc',
		},
		{ name: 'a method with an argument', text: '{{ .Nested.Greet "you" }} {{ (.Nested.Greet "me") | upper }}', want: 'hello you HELLO ME' },
		{ name: 'fields after parentheses', text: '{{ (index .Items 0) }}{{ (.Nested).Name }}', want: 'xinner' },
		{ name: 'an asynchronous function', text: '{{ later "x" | upper }}', want: 'LATER X' },
		{ name: 'escapes and raw strings', text: '{{ "\\t\\u4e2d\\"" }}{{ `\\n` }}', want: '\t中"\\n' },
		{ name: 'html and urlquery', text: '{{ html "<a&b>" }} {{ urlquery "a b&c" }}', want: '&lt;a&amp;b&gt; a+b%26c' },
		{ name: 'print', text: '{{ print 1 2 "a" "b" 3 }}{{ println }}', want: '1 2ab3\n' },
	])('for $name', async ({ text, want }) => {
		expect(await run(text)).toBe(want);
	});
});

describe('a mistake is told with its line', () => {
	test.each([
		{ name: 'an unclosed action', text: 'a\n{{ .X', code: 'FN_TEMPLATE_PARSE', message: 't:2: unclosed action' },
		{ name: 'a missing end', text: '{{ if true }}x', code: 'FN_TEMPLATE_PARSE', message: 't:1: unexpected EOF' },
		{ name: 'an end too many', text: 'x\n{{ end }}', code: 'FN_TEMPLATE_PARSE', message: 't:2: unexpected {{end}}' },
		{ name: 'an unknown function', text: '{{ nope 1 }}', code: 'FN_TEMPLATE_PARSE', message: 'function "nope" not defined' },
		{ name: 'an unknown variable', text: '{{ $x }}', code: 'FN_TEMPLATE_PARSE', message: 'undefined variable "$x"' },
		{ name: 'a break outside of a range', text: '{{ break }}', code: 'FN_TEMPLATE_PARSE', message: '{{break}} outside {{range}}' },
		{ name: 'an open parenthesis', text: '{{ (index .Items 1 }}', code: 'FN_TEMPLATE_PARSE', message: 'unclosed left paren' },
		{ name: 'an empty action', text: '{{ }}', code: 'FN_TEMPLATE_PARSE', message: 'missing value for command' },
		{ name: 'a missing field', text: '\n{{ .Nope }}', code: 'FN_TEMPLATE_EXECUTE', message: "t:2: can't evaluate field Nope" },
		{ name: 'a field of nothing', text: '{{ .Nothing.X }}', code: 'FN_TEMPLATE_EXECUTE', message: 'nil data' },
		{
			name: 'what a function throws',
			text: '\n\n{{ boom }}',
			code: 'FN_TEMPLATE_EXECUTE',
			message: 't:3: error calling boom: out of powder',
		},
		{ name: 'an index out of range', text: '{{ index .Items 9 }}', code: 'FN_TEMPLATE_EXECUTE', message: 'index out of range' },
		{ name: 'an unknown template', text: '{{ template "nope" }}', code: 'FN_TEMPLATE_EXECUTE', message: 'template "nope" not defined' },
		{ name: 'unlike types', text: '{{ eq 1 "1" }}', code: 'FN_TEMPLATE_EXECUTE', message: 'incompatible types' },
		{
			name: 'endless recursion',
			text: '{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}',
			code: 'FN_TEMPLATE_EXECUTE',
			message: 'levels deep',
		},
		{ name: 'an output without end', text: '{{ range 200000 }}0123456789{{ end }}', code: 'FN_TEMPLATE_EXECUTE', message: 'longer than' },
		{
			name: 'what objects inherit',
			text: '{{ .Nested.constructor }}',
			code: 'FN_TEMPLATE_EXECUTE',
			message: "can't evaluate field constructor",
		},
		{ name: 'a prototype', text: '{{ .Items.__proto__ }}', code: 'FN_TEMPLATE_EXECUTE', message: "can't evaluate field __proto__" },
	])('for $name', async ({ text, code, message }) => {
		const failure = await Promise.resolve()
			.then(() => run(text))
			.then(
				() => null,
				(error: unknown) => error,
			);
		expect(failure).toMatchObject({ code, message: expect.stringContaining(message) });
	});
});

test('definitions come from associated texts, the own ones last', async () => {
	const template = parseTemplate('{{ template "a" . }}{{ template "b" . }}{{ define "b" }}own{{ end }}', {
		name: 't',
		associated: [{ name: 'lib', text: '{{ define "a" }}lib {{ . }} {{ end }}{{ define "b" }}lib{{ end }}' }],
	});
	expect(await template.execute('x')).toBe('lib x own');
	expect(template.has('a')).toBe(true);
	expect(await template.executeNamed('a', 'y')).toBe('lib y ');
});
