import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alertsConfig } from '../../tests/harness/alerting.ts';
import { exampleNotification, openTestChannels } from '../../tests/harness/channels.ts';
import { markPiece, piecesOf } from './pieces.ts';

const RECEIVERS = `receivers:
  - name: default
    feishu_configs: [{ hook: { env: K } }, { hook: { env: K }, language: en }]
    dingtalk_configs: [{ access_token: { env: K } }]
    sms_gateway_configs: [{ url: 'http://s', form: { c: '{content}' }, phones: ['13800000000'], signature: 【城管】, max_parts: 1 }]
    email_configs: [{ to: a@example.cn, from: b@example.cn, smarthost: 'h:25' }]
`;

function open(templates: string) {
	const opened = openTestChannels(`${RECEIVERS}templates:\n${templates}`, { secrets: { K: 'k' } });
	const [dingtalk, feishu, english, email, sms] = ['dingtalk/0', 'feishu/0', 'feishu/1', 'email/0', 'sms_gateway/0'].map((place) =>
		opened.channels.receivers.get('default')?.find(({ channel }) => channel === `default/${place}`),
	);
	const textOf = async (notifier: typeof feishu, change: Parameters<typeof exampleNotification>[0] = {}) =>
		(await notifier?.compose(exampleNotification(change), { possibleDuplicate: false }))?.text ?? '';
	return { ...opened, dingtalk, feishu, english, email, sms, textOf };
}

describe('texts of one’s own', () => {
	test.each([
		{
			name: 'for one type',
			template: `  - { channels: [feishu], template: 'own {{.Number}} {{(index .Alerts 0).Summary}}' }`,
			feishu: /^own 7 Nginx 停了$/,
			dingtalk: /严重/,
		},
		{ name: 'for one place', template: `  - { channels: [default/feishu/1], template: 'own' }`, feishu: /严重/, dingtalk: /严重/ },
		{ name: 'for one language', template: `  - { languages: [en], template: 'own' }`, feishu: /严重/, dingtalk: /严重/ },
		{ name: 'for all', template: `  - { template: 'own' }`, feishu: /^own$/, dingtalk: /^own$/ },
		{
			name: 'the first that fits',
			template: `  - { channels: [feishu], template: 'one' }\n  - { template: 'two' }`,
			feishu: /^one$/,
			dingtalk: /^two$/,
		},
		{
			name: 'with Alertmanager’s names',
			template: `  - { template: '{{.Status}} {{range .Alerts}}{{.Labels.alertname}} {{.Annotations.summary}}{{end}}' }`,
			feishu: /^firing A Nginx 停了$/,
			dingtalk: /^firing A Nginx 停了$/,
		},
		{
			name: 'with the channel’s mark-up',
			template: `  - { template: '{{line (word "where") "x"}}' }`,
			feishu: /^对象：x$/m,
			dingtalk: /^> 对象：x$/m,
		},
	])('$name', async ({ template, ...wanted }) => {
		const { feishu, dingtalk, textOf, templateErrors } = open(template);
		expect(await textOf(feishu)).toMatch(wanted.feishu);
		expect(await textOf(dingtalk)).toMatch(wanted.dingtalk);
		expect(templateErrors).toEqual([]);
	});

	test('the language of the place decides', async () => {
		const { feishu, english, textOf } = open(`  - { languages: [en], template: 'own {{word "where"}}' }`);
		expect(await textOf(english)).toBe('own Where');
		expect(await textOf(feishu)).toContain('严重');
	});

	test('a title is a text of its own', async () => {
		const { email, textOf } = open(`  - { part: title, template: '[{{.Tag}}] {{.Receiver}}' }`);
		expect(await textOf(email)).toMatch(/^\[严重\] default #7\n\n【严重】Nginx 停了/);
	});

	test('what may be cut is cut, in its order, and the rest stays', async () => {
		const { sms, textOf } = open(
			`  - { channels: [sms_gateway], template: 'A{{cut 2 (print "b" .Headline)}}{{cut 9 "这里是不重要的很长很长的说明文字，可以最先省略掉"}}Z{{.Number}}' }`,
		);
		const text = await textOf(sms, { annotations: { summary: '很重要的标题一定要保留下来的哦不要随便去掉它谢谢大家配合'.repeat(3) } });
		expect(text.length).toBeLessThanOrEqual(70);
		expect(text).toMatch(/^【城管】Ab很重要.*…Z7$/);
		expect(text).not.toContain('不重要');
	});

	test.each([
		{ name: 'fails when it is used', template: '{{.Nothing}}' },
		{ name: 'gives nothing', template: '{{if false}}x{{end}}' },
		{ name: 'asks for a word that is none', template: '{{word "constructor"}}' },
		{ name: 'never ends', template: '{{range 100000}}{{range 100000}}x{{end}}{{end}}' },
	])('one that $name costs no message: the shipped text goes out, and it is told', async ({ template }) => {
		const { feishu, textOf, templateErrors } = open(`  - { template: '${template}' }`);
		expect(await textOf(feishu)).toContain('Nginx 停了');
		expect(templateErrors).toMatchObject([expect.stringContaining('default/feishu/0')]);
	});

	test('one that cannot be read is refused with its place', () => {
		expect(() => alertsConfig(`templates: [{ template: '{{if}}' }]`)).toThrow(/templates\[0\]\.template/);
		expect(() => alertsConfig(`templates: [{ template: '{{unknown .}}' }]`)).toThrow(/unknown/);
	});
});

test('pieces come back as they were marked, whatever an annotation holds', () => {
	const piece = fc.record({
		text: fc.string({ unit: fc.constantFrom('\ufdd0', '\ufdd1', 'a', '告', '\n'), minLength: 1 }),
		sacrifice: fc.nat({ max: 999 }),
		whole: fc.boolean(),
	});
	const clean = (text: string) => text.replace(/[\ufdd0\ufdd1]/g, '');
	fc.assert(
		fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
			const kept = pieces.filter(({ text }) => clean(text) !== '');
			const found = piecesOf(kept.map(({ text, sacrifice, whole }) => markPiece(text, sacrifice, whole)).join(''));
			expect(found).toEqual(
				kept.map(({ text, sacrifice, whole }) => ({ text: clean(text), sacrifice, ...(whole ? { whole: true } : {}) })),
			);
		}),
	);
});
