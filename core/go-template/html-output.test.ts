import { expect, test } from 'vitest';
import { htmlOutput, SafeHtml } from './html-output.ts';
import { parseTemplate } from './template.ts';

const render = (text: string, value: unknown) =>
	parseTemplate(text, {
		name: 't',
		escaper: htmlOutput,
		functions: { safe: (html: unknown) => new SafeHtml(String(html)) },
	}).execute({ V: value });

test.each([
	['text', '<p>{{ .V }}</p>', '<script>+"', '<p>&lt;script&gt;&#43;&#34;</p>'],
	['nothing', '<p>{{ .V }}</p>', null, '<p></p>'],
	['what is safe', '<p>{{ .V | safe }}</p>', '<b>x</b>', '<p><b>x</b></p>'],
	['what is safe, in an attribute', '<p title="{{ .V | safe }}">', '<b>"x</b>', '<p title="&#34;x">'],
	['an attribute without quotes', '<p title={{ .V }}>', 'a onclick=x', '<p title=a&#32;onclick&#61;x>'],
	['an address with a scheme of its own', '<a href="{{ .V }}">', 'javascript:alert(1)', '<a href="#ZgotmplZ">'],
	['an address', '<a href="{{ .V }}">', 'https://a/b?c=1&d=ä b', '<a href="https://a/b?c=1&amp;d=%c3%a4%20b">'],
	['a query', '<a href="/x?q={{ .V }}">', 'a&b=c', '<a href="/x?q=a%26b%3dc">'],
	['a style', '<p style="width: {{ .V }}">', 'expression(alert(1))', '<p style="width: ZgotmplZ">'],
	[
		'a script',
		'<script>var x = {{ .V }};</script>{{ .V }}',
		'</script>',
		'<script>var x = "\\u003c/script\\u003e";</script>&lt;/script&gt;',
	],
	['a handler', '<p onclick="f({{ .V }})">', 'a"b', '<p onclick="f(&#34;a\\&#34;b&#34;)">'],
	['a name', '<p {{ .V }}>', 'onload=x', '<p ZgotmplZ>'],
	['a comment', 'a<!-- {{ .V }} -->b', 'x', 'ab'],
])('%s', async (_name, template, value, html) => {
	expect(await render(template, value)).toBe(html);
});
