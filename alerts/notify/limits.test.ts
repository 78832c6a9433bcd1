import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CHANNEL_EXAMPLES, exampleNotification, exampleNotifier } from '../../tests/harness/channels.ts';
import { byteLength, unitLength } from '../templates/shorten.ts';
import { mergeNotifications, type Notification } from './notification.ts';

interface Limit {
	readonly type: string;
	readonly more?: string;
	/** What of the text counts, measured as the service measures it; each must fit `limit`. */
	readonly measured: (text: string) => readonly number[];
	readonly limit: number;
}

const bytes = (text: string) => [byteLength(text)];
const units = (text: string) => [unitLength(text)];
/** Values of the variables of an approved template: never empty, never too long. */
const variables = (text: string) =>
	Object.values(JSON.parse(text.slice(text.indexOf(' ') + 1)) as Record<string, string>).map((value) => value.length || Number.NaN);
const keywords = (text: string) =>
	Object.entries(JSON.parse(text.slice(text.indexOf(' ') + 1)) as Record<string, { readonly value: string }>)
		.filter(([name]) => name.startsWith('thing'))
		.map(([, { value }]) => value.length || Number.NaN);

/** Every channel that has a limit, and its limit by its documentation (ours where theirs is more than anybody reads). */
const LIMITS: readonly Limit[] = [
	{ type: 'wechat_robot', measured: bytes, limit: 4096 },
	// Only what fires calls people out, in plain text; the rest stays markdown.
	{ type: 'wechat_robot', more: ", mentioned_list: ['@all']", measured: (text) => (text.startsWith('**') ? [] : bytes(text)), limit: 2048 },
	{ type: 'wechat_app', more: ', cards: false', measured: bytes, limit: 2048 },
	{ type: 'wechat', measured: bytes, limit: 2048 },
	{ type: 'wechat', more: ", message: '{{ range .Alerts }}{{ .Annotations.description }}!{{ end }}'", measured: bytes, limit: 2048 },
	{ type: 'wechat_official', measured: keywords, limit: 20 },
	{ type: 'sms_gateway', more: ', signature: 【城管运维】', measured: units, limit: 134 },
	{ type: 'sms_gateway', more: ', signature: 【城管运维】, max_parts: 1', measured: units, limit: 70 },
	{ type: 'sms_gateway', more: ', signature_reserve: 20, max_parts: 1', measured: units, limit: 50 },
	{ type: 'mas_sms', more: ', signature_reserve: 10, max_parts: 1', measured: units, limit: 60 },
	{ type: 'cmpp', more: ', max_parts: 4', measured: units, limit: 268 },
	{ type: 'aliyun_sms', measured: variables, limit: 35 },
	{ type: 'tencent_sms', measured: variables, limit: 35 },
	{ type: 'aliyun_voice', measured: variables, limit: 35 },
	{ type: 'tencent_voice', measured: variables, limit: 35 },
	{ type: 'zwdingtalk', measured: bytes, limit: 2048 },
	{ type: 'dingtalk', more: ", at_mobiles: ['13800000000']", measured: bytes, limit: 5000 },
	{ type: 'feishu', measured: bytes, limit: 5000 },
	{ type: 'email', measured: (text) => [byteLength(text.slice(text.indexOf('\n\n') + 2))], limit: 64 * 1024 },
];

const word = fc.string({ unit: fc.constantFrom('告', '警', 'a', '😀', '\n', ';', '<', '】', '\u200d', '{', '"'), maxLength: 400 });
/** Long enough to fill every channel to its last unit. */
const PAGE = '很长的说明 a。'.repeat(4000);
/** `'page'` stands for it, so that a counterexample can be read. */
const page = fc.oneof(word, fc.constant('page'));
const spread = (text: string) => (text === 'page' ? PAGE : text);

const saying = fc.record({
	summary: word,
	description: page,
	action: page,
	instance: word,
	count: fc.constantFrom(1, 1, 2, 5, 60),
	resolved: fc.boolean(),
	clock: fc.constantFrom('', '一级 剩 1:37 下次通报 10:15'),
	text: fc.oneof({ weight: 3, arbitrary: fc.constant('') }, page),
	incidents: fc.constantFrom(0, 1, 2, 9, 50),
});

/** One message, or what many have to say in one. */
function notificationOf(said: typeof saying extends fc.Arbitrary<infer T> ? T : never): Notification {
	const { summary, instance, count, resolved, clock, incidents } = said;
	const description = spread(said.description);
	const action = spread(said.action);
	const text = spread(said.text);
	const one = (number: number): Notification => {
		const incident = { id: `id-${number}`, code: `A${number}`, ackUrl: `https://in/ack/${number}.7.abcdefghijklmnopqrstuv`, clock, text };
		const told = exampleNotification({
			labels: { alertname: 'A', severity: 'critical', instance },
			annotations: { summary, description, action, runbook_url: 'docs/runbooks/x.md' },
			endsAtMs: resolved ? Date.now() : null,
			...(incidents === 0 ? {} : { incident }),
		});
		const [alert] = told.alerts;
		const alerts = alert === undefined ? [] : Array.from({ length: count }, (_, i) => ({ ...alert, fingerprint: `${number} ${i}` }));
		return { ...told, alerts, [resolved ? 'resolvedCount' : 'firingCount']: count };
	};
	return mergeNotifications(Array.from({ length: Math.max(1, incidents) }, (_, i) => one(i + 1)));
}

test('there is no channel whose limit nobody holds it to', () => {
	const unlimited = ['webhook', 'folder'];
	expect([...new Set(LIMITS.map(({ type }) => type)), ...unlimited].sort()).toEqual(Object.keys(CHANNEL_EXAMPLES).sort());
});

describe.each(LIMITS)('$type $more', ({ type, more = '', measured, limit }) => {
	test.each(['zh-CN', 'en'])(`keeps ${limit} whatever is said, in %s`, async (language) => {
		const place = exampleNotifier(type, 'internal', `${more}, language: ${language}`);
		await fc.assert(
			fc.asyncProperty(saying, fc.boolean(), async (said, possibleDuplicate) => {
				const { text } = await place.compose(notificationOf(said), { possibleDuplicate });
				for (const length of measured(text)) {
					expect(length).toBeGreaterThan(0);
					expect(length).toBeLessThanOrEqual(limit);
				}
				expect(text.isWellFormed()).toBe(true);
			}),
			{ numRuns: 25 },
		);
	});
});

/** Words that stand in one language only, in what each text of the catalogue becomes. */
const SPOKEN = { 'zh-CN': /严重|恢复|告警/, en: /Critical|Resolved|alert/ } as const;

describe.each(Object.keys(CHANNEL_EXAMPLES).filter((type) => type !== 'webhook'))('%s speaks both languages', (type) => {
	test.each(['zh-CN', 'en'] as const)('%s', async (language) => {
		const place = exampleNotifier(type, 'internal', `, language: ${language}`);
		for (const endsAtMs of [null, Date.now()]) {
			const labels = { alertname: 'A', severity: 'critical', instance: 'db-1' };
			const { text } = await place.compose(exampleNotification({ labels, annotations: { summary: 'db-1' }, endsAtMs }), {
				possibleDuplicate: false,
			});
			expect(text).toMatch(SPOKEN[language]);
			if (language === 'en') expect(text).not.toMatch(/[\u4e00-\u9fff]/);
		}
	});
});
