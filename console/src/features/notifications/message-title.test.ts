import { expect, test } from 'vitest';
import { messageTitle, readableText } from './message-title.ts';

const webhook = (more: object) => JSON.stringify({ version: '4', status: 'firing', ...more });

test.each([
	{ name: 'Markdown of a robot', text: '\n**<font color="warning">【严重】磁盘将满</font>**\n主机 app-1', want: '【严重】磁盘将满' },
	{
		name: 'a webhook whose alerts share a summary',
		text: webhook({ commonAnnotations: { summary: '磁盘将满' }, alerts: [{ annotations: { summary: 'x' } }] }),
		want: '磁盘将满',
	},
	{
		name: 'a webhook with several summaries',
		text: webhook({ commonAnnotations: {}, alerts: [{ annotations: { summary: 'app-1 磁盘将满' } }, {}] }),
		want: 'app-1 磁盘将满',
	},
	{ name: 'a webhook without a summary', text: webhook({ commonLabels: { alertname: 'DiskFull' }, alerts: [{}] }), want: 'DiskFull' },
	{ name: 'JSON of another kind', text: '{"msgtype":"text"}', want: '' },
	{ name: 'JSON that was cut off', text: '{"alerts":[{"annot', want: '' },
	{ name: 'nothing', text: '', want: '' },
])('the title of $name', ({ text, want }) => {
	expect(messageTitle(text)).toBe(want);
});

test('JSON is shown by lines, a message as it was sent', () => {
	expect(readableText('{"a":1}')).toBe('{\n  "a": 1\n}');
	expect(readableText('一\n二')).toBe('一\n二');
});
