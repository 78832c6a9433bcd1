import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHANNEL_EXAMPLES, exampleNotification, exampleNotifier as notifierOf } from '../../tests/harness/channels.ts';
import { CHANNEL_KINDS } from './kinds.ts';

test('there is an example of every type of channel', () => {
	expect(Object.keys(CHANNEL_EXAMPLES).sort()).toEqual(CHANNEL_KINDS.map(({ type }) => type).sort());
});

const incident = {
	id: '01900000-0000-7000-8000-0000000000aa',
	code: 'A7',
	ackUrl: 'https://in/ack/one-time-token',
	clock: '一级 剩 1:37',
	text: '',
};

describe.each(Object.keys(CHANNEL_EXAMPLES))('%s', (type) => {
	const external = notifierOf(type, 'external');

	test('carries no name, address or weakness where it is not trusted', async () => {
		const word = fc.stringMatching(/^[a-z]{8,12}-[0-9]{3}$/);
		await fc.assert(
			fc.asyncProperty(fc.uniqueArray(word, { minLength: 12, maxLength: 12 }), async (words) => {
				const [alertname = '', instance = '', host = '', service = '', own = '', summary = '', description = '', action = '', url = ''] =
					words;
				const [source = '', below = '', fallen = ''] = words.slice(9);
				const example = exampleNotification({
					labels: { alertname, instance, host, service, own, severity: 'critical', system: '公开的系统' },
					annotations: { summary, summary_en: summary, description, action, runbook_url: `http://${url}` },
					incident: { ...incident, text: summary },
				});
				const hidden = { fingerprint: 'g', labels: { alertname: below, instance: below }, annotations: { summary: fallen } };
				const notification = {
					...example,
					alerts: example.alerts.map((alert) => ({
						...alert,
						generatorUrl: `http://${source}/`,
						consequences: { listed: [hidden], count: 1 },
					})),
					groupKey: `{}:{alertname="${alertname}"}`,
					groupLabels: { alertname, host },
				};
				const { text } = await external.compose(notification, { possibleDuplicate: false });
				for (const secret of words) expect(text).not.toContain(secret);
			}),
			{ numRuns: 10 },
		);
	});

	test('says number, level and time all the same; and trusted, what it is about', async () => {
		const notification = exampleNotification({ labels: { alertname: 'A', severity: 'critical', instance: 'db-1:3306' } });
		const { text } = await external.compose(notification, { possibleDuplicate: false });
		expect(text).toMatch(/7/);
		expect(text).toMatch(/严重|critical/);
		expect((await notifierOf(type, 'internal').compose(notification, { possibleDuplicate: false })).text).toMatch(/Nginx 停了/);
	});

	test('keeps the token of a link out of what is kept', async () => {
		const { text } = await notifierOf(type, 'internal').compose(exampleNotification({ incident }), { possibleDuplicate: false });
		expect(text).not.toContain('one-time-token');
	});
});
