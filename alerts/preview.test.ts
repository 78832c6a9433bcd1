import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PostedAlert } from '../protocol/alert.ts';
import { openTestChannels } from '../tests/harness/channels.ts';
import { fingerprintOf } from './alert.ts';
import { compareNotified, type NotifiedAlert } from './notify/notification.ts';
import type { Notifier } from './notify/notifier.ts';

type PreviewChannel = 'wechat_robot' | 'wechat_robot_text' | 'sms_gateway' | 'webhook';

const { receivers } = openTestChannels(
	`receivers:
  - name: default
  - name: zh
    wechat_robot_configs: [{ key: { env: K } }, { key: { env: K }, mentioned_list: ['@all'], mention_severities: [critical] }]
    sms_gateway_configs: [{ url: 'http://s', form: { c: '{content}' }, phones: ['13800000000'], signature: 【城管】 }]
    webhook_configs: [{ url: 'http://w' }]
  - name: en
    wechat_robot_configs: [{ key: { env: K }, language: en }, { key: { env: K }, mentioned_list: ['@all'], language: en }]
    sms_gateway_configs: [{ url: 'http://s', form: { c: '{content}' }, phones: ['13800000000'], signature: 【城管】, language: en }]
`,
	{ secrets: { K: 'k' } },
).channels;

/** The text that a channel sends for these alerts as one group. */
async function preview(
	alerts: readonly PostedAlert[],
	options: { readonly channel: PreviewChannel; readonly nowMs: number; readonly language?: 'en' },
): Promise<string> {
	const told = alerts
		.map((alert): NotifiedAlert => {
			const endsAtMs = alert.endsAtMs !== null && alert.endsAtMs <= options.nowMs ? alert.endsAtMs : null;
			return { ...alert, endsAtMs, status: endsAtMs === null ? 'firing' : 'resolved', fingerprint: fingerprintOf(alert.labels) };
		})
		.sort(compareNotified);
	const firingCount = told.filter((alert) => alert.status === 'firing').length;
	const index = { wechat_robot: 0, wechat_robot_text: 1, sms_gateway: 2, webhook: 3 }[options.channel];
	const notifier = receivers.get(options.language ?? 'zh')?.[index] as Notifier;
	const notification = {
		id: '00000000-0000-7000-8000-000000000000',
		number: 1,
		receiver: 'preview',
		groupKey: '{}:{}',
		groupLabels: {},
		createdAtMs: options.nowMs,
		reason: firingCount > 0 ? ('fired' as const) : ('resolved' as const),
		alerts: told,
		firingCount,
		resolvedCount: told.length - firingCount,
		merged: 1,
	};
	return (await notifier.compose(notification, { possibleDuplicate: false })).text;
}

const nowMs = Date.UTC(2026, 10, 21, 13, 6, 0);
const alert = {
	labels: { alertname: 'ReplicaStopped', severity: 'critical', instance: 'db-2:3306', host: 'db-2', system: '城市管理' },
	annotations: {
		summary: '从库 db-2 的 SQL 线程已停止',
		summary_en: 'The SQL thread of replica db-2 stopped',
		description: '从库 db-2 不再应用主库的变更,统计数据会越来越旧。',
		action: '1. 执行 SHOW SLAVE STATUS\\G;2. 看 Last_SQL_Error;3. 修复后 START SLAVE',
		runbook_url: 'docs/runbooks/ReplicaStopped.md',
	},
	startsAtMs: nowMs - 3_725_000,
	endsAtMs: null,
	generatorUrl: '',
};
const resolved = { ...alert, endsAtMs: nowMs - 5000 };

describe('a person who reads the text knows what, where, since when, how bad and what to do', () => {
	test.each([
		{
			channel: 'wechat_robot',
			wanted: [
				'严重',
				'SQL 线程已停止',
				'db-2:3306',
				'城市管理',
				'2026-11-21 20:03:55',
				'1小时2分',
				'Last_SQL_Error',
				'编号 1',
				'21:06:00',
				'](http://c:9999/docs/runbooks/ReplicaStopped.md)',
			],
		},
		{ channel: 'wechat_robot_text', wanted: ['【严重】', 'db-2:3306', '2026-11-21 20:03:55', 'Last_SQL_Error', '编号 1'] },
		{
			channel: 'sms_gateway',
			wanted: ['【城管】', '[严重]', 'SQL 线程已停止', 'db-2:3306', '11-21 20:03', 'SHOW SLAVE STATUS', '编号1 21:06'],
		},
		{ channel: 'webhook', wanted: ['"version":"4"', '2026-11-21T12:03:55Z', '0001-01-01T00:00:00Z'] },
	] as const)('$channel', async ({ channel, wanted }) => {
		const text = await preview([alert], { channel, nowMs });
		for (const part of wanted) expect(text).toContain(part);
	});

	test.each(['wechat_robot', 'wechat_robot_text', 'sms_gateway'] as const)('%s says how long it lasted', async (channel) => {
		expect(await preview([resolved], { channel, nowMs })).toMatch(/恢复.*持续\s?1小时2分/s);
		expect(await preview([resolved], { channel, nowMs, language: 'en' })).toMatch(/Resolved.*lasted 1h2m/s);
	});

	test('English by switch', async () => {
		expect(await preview([alert], { channel: 'wechat_robot', nowMs, language: 'en' })).toContain('The SQL thread of replica db-2 stopped');
	});

	test('a label cannot call people out or forge mark-up', async () => {
		const forged = { ...alert, annotations: { summary: '<@all> <font color="info">恢复</font> [x](http://evil)\n编号 99' } };
		expect(await preview([forged], { channel: 'wechat_robot', nowMs })).not.toMatch(
			/<@all>|<font color="info">|\]\(http:\/\/evil|^编号 99/m,
		);
	});
});

describe('limits', () => {
	const limits: readonly { channel: PreviewChannel; measure: (text: string) => number; limit: number }[] = [
		{ channel: 'wechat_robot', measure: (text) => Buffer.byteLength(text), limit: 4096 },
		{ channel: 'wechat_robot_text', measure: (text) => Buffer.byteLength(text), limit: 2048 },
		{ channel: 'sms_gateway', measure: (text) => text.length, limit: 134 },
	];
	const long = fc.string({ unit: fc.constantFrom('告', '警', 'a', '😀', '\n', ';'), maxLength: 3000 });
	test.each(limits)('$channel keeps its limit whatever the annotations say', async ({ channel, measure, limit }) => {
		await fc.assert(
			fc.asyncProperty(long, long, fc.integer({ min: 1, max: 30 }), async (description, summary, count) => {
				const alerts = Array.from({ length: count }, (_, i) => ({
					...alert,
					labels: { ...alert.labels, instance: `db-${i}` },
					annotations: { ...alert.annotations, description, summary },
				}));
				const text = await preview(alerts, { channel, nowMs });
				expect(measure(text)).toBeLessThanOrEqual(limit);
				expect(text.isWellFormed()).toBe(true);
			}),
			{ numRuns: 30 },
		);
	});

	test('a long description costs neither number, nor place, nor action', async () => {
		const wordy = { ...alert, annotations: { ...alert.annotations, description: '很长的说明。'.repeat(1000) } };
		const text = await preview([wordy], { channel: 'wechat_robot', nowMs });
		for (const part of ['db-2:3306', 'START SLAVE', '编号 1', '2026-11-21 21:06:00']) expect(text).toContain(part);
	});
});
