import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
	CHANNEL_EXAMPLES,
	callbackAddress,
	exampleNotification,
	exampleNotifier,
	type OpenedChannels,
	openTestChannels,
	sendThrough,
} from '../../tests/harness/channels.ts';
import { type FakeWechatWork, startFakeWechatWork } from '../../tests/harness/fake-wechat.ts';
import { waitFor } from '../../tests/harness/process.ts';
import { mergeNotifications, type Notification } from './notification.ts';

const idOf = (number: number) => `01900000-0000-7000-8000-${String(number).padStart(12, '0')}`;

/** One message about each of these incidents, as they leave together when the channel’s minute is used up. */
function digest(incidents: readonly { readonly number: number; readonly summary: string; readonly link?: boolean }[]): Notification {
	return mergeNotifications(
		incidents.map(({ number, summary, link = true }) => {
			const told = exampleNotification({
				labels: { alertname: `A${number}`, severity: 'critical', instance: `db-${number}` },
				annotations: { summary },
				incident: { id: idOf(number), code: `A${number}`, ackUrl: link ? `https://in/ack/token-${number}` : '', clock: '', text: '' },
			});
			const alerts = told.alerts.map((alert) => ({ ...alert, fingerprint: String(number) }));
			return { ...told, id: idOf(number), groupKey: `incident:${number}`, alerts };
		}),
	);
}

const few = [
	{ number: 7, summary: '主库停了' },
	{ number: 12, summary: 'Nginx 停了' },
];
const many = Array.from({ length: 9 }, (_, i) => ({ number: 100 + i, summary: `第 ${i} 台停了` }));

test.each([
	{ name: 'what was said last of an incident counts', incidents: [few[0], few[0]], wanted: undefined },
	{ name: 'each of several', incidents: few, wanted: ['A7', 'A12'] },
])('$name', ({ incidents, wanted }) => {
	expect(digest(incidents.flatMap((one) => one ?? [])).incidents?.map(({ code }) => code)).toEqual(wanted);
});

test('what is over is not to be taken any more, and a text of its own is not lost', () => {
	const over = exampleNotification({ incident: { id: idOf(7), code: '', ackUrl: '', clock: '', text: '' } });
	const report = exampleNotification({ incident: { id: idOf(8), code: '', ackUrl: '', clock: '', text: '请通报故障 8 进展' } });
	const merged = mergeNotifications([digest([few[0] ?? { number: 0, summary: '' }]), over, report]);
	expect(merged.incidents?.map(({ code, text }) => code || text)).toEqual(['请通报故障 8 进展']);
});

describe('each incident of a digest can be taken by it', () => {
	const linked = Object.keys(CHANNEL_EXAMPLES).filter((type) => ['wechat_robot', 'dingtalk', 'feishu', 'email', 'folder'].includes(type));
	test.each(linked)('%s: by its code and its link, and the list', async (type) => {
		const message = await exampleNotifier(type, 'internal').compose(digest(few), { possibleDuplicate: false });
		expect(message.text).toMatch(/A7 主库停了[\s\S]*A12 Nginx 停了[\s\S]*回复编号认领，如 A7[\s\S]*http:\/\/c:9999\/incidents/);
		expect(message.text).not.toContain('token-');
	});

	test.each(['sms_gateway', 'mas_sms', 'cmpp'])('%s: by its code', async (type) => {
		const { text } = await exampleNotifier(type, 'internal').compose(digest(few), { possibleDuplicate: false });
		expect(text).toMatch(/2 条告警；A7 主库停了；A12 Nginx 停了；回复编号认领，如 A7；http:\/\/c:9999\/incidents；编号7/);
	});

	test('a template of a provider names whole codes', async () => {
		const place = exampleNotifier('aliyun_sms', 'internal', ", template_params: { code: '{code}' }");
		const { text } = await place.compose(digest(many), { possibleDuplicate: false });
		expect(text).toContain('{"code":"A100 A101 A102 A103 A104"}');
	});

	test('in English', async () => {
		const { text } = await exampleNotifier('cmpp', 'internal', ', language: en').compose(digest(few), { possibleDuplicate: false });
		expect(text).toContain('A12 Nginx 停了; reply a code to take it, like A7');
	});

	test('where the channel is not trusted, by code and link without a name', async () => {
		for (const type of ['feishu', 'cmpp', 'wechat_app']) {
			const { text } = await exampleNotifier(type, 'external').compose(digest(few), { possibleDuplicate: false });
			expect(text).toContain('A12');
			expect(text).not.toMatch(/主库|Nginx|c:9999|db-/);
		}
	});

	test('no text names a code that is none: what does not fit goes as a whole', async () => {
		const place = exampleNotifier('sms_gateway', 'internal', ', max_parts: 1, signature: 【城管运维】');
		const incident = fc.record({
			number: fc.integer({ min: 1, max: 9_999_999 }),
			summary: fc.string({ unit: fc.constantFrom('停', '了', 'a', '😀', ' '), maxLength: 60 }),
		});
		await fc.assert(
			fc.asyncProperty(fc.uniqueArray(incident, { minLength: 2, maxLength: 50, selector: ({ number }) => number }), async (incidents) => {
				const { text } = await place.compose(digest(incidents), { possibleDuplicate: true });
				expect(text.length).toBeLessThanOrEqual(70);
				expect(text.isWellFormed()).toBe(true);
				const codes = [...text.matchAll(/A(\d+)/g)].map(([, number]) => Number(number));
				expect(incidents.map(({ number }) => number)).toEqual(expect.arrayContaining(codes));
				expect(codes.length).toBeGreaterThan(0);
			}),
			{ numRuns: 100 },
		);
	});
});

describe('a card of WeChat Work', () => {
	const AES = 'jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C';
	let fake: FakeWechatWork;
	let opened: OpenedChannels;
	let url = '';
	const stops: (() => Promise<void>)[] = [];

	beforeEach(async () => {
		const callback = { token: 'callback-token', aesKey: AES };
		fake = await startFakeWechatWork({ corpId: 'corp', secret: 's', agentId: 7, members: ['zhangsan'], callback });
		stops.push(fake.stop);
		opened = openTestChannels(
			`channels: [{ name: wework, wechat_app: { base_url: '${fake.baseUrl}', corp_id: corp, agent_id: 7, secret: { env: S }, callback: { token: { env: T }, aes_key: { env: A } } } }]`,
			{ secrets: { S: 's', T: callback.token, A: AES }, answer: '已确认事件 12' },
		);
		const address = await callbackAddress(() => opened, 'wework');
		stops.push(address.stop);
		url = address.baseUrl;
	});

	afterEach(async () => {
		for (const stop of stops.splice(0)) await stop();
	});

	const cardOf = async (notification: Notification) => {
		expect(await sendThrough(opened.channels.personal('wework', 'zhangsan'), notification)).toMatchObject({ kind: 'sent' });
		const card = fake.messages.at(-1);
		if (card === undefined) throw new Error('no card came');
		return card;
	};

	test('has a button for each, and keeps those that are left when one is pressed', async () => {
		const card = await cardOf(digest(few));
		expect(card.buttons.map(({ text }) => text)).toEqual(['认领 A7', '认领 A12']);
		expect(card.urls).toEqual(['http://c:9999/incidents']);
		expect(await fake.press('zhangsan', card, url, { key: card.buttons[1]?.key ?? '' })).toBe(200);
		expect(opened.replies.map(({ said }) => said)).toEqual([{ kind: 'acknowledge', incidentId: idOf(12) }]);
		const left = await waitFor('the card with what is left', () => fake.replaced[0] ?? false);
		expect(left).toMatchObject({ touser: 'zhangsan', text: '已确认事件 12\nA7 主库停了', buttons: [{ text: '认领 A7' }] });
		expect(fake.updates).toEqual([]);
		expect(await fake.press('zhangsan', left, url)).toBe(200);
		expect(opened.replies.at(-1)?.said).toEqual({ kind: 'acknowledge', incidentId: idOf(7) });
		await waitFor('the end of the card', () => fake.updates.length === 1);
		expect(new Set(opened.replies.map(({ id }) => id)).size).toBe(2);
	});

	test('with more incidents than buttons leads to the list', async () => {
		const card = await cardOf(digest(many));
		expect(card.buttons.map(({ text }) => text)).toEqual(['认领 A100', '认领 A101', '认领 A102', '认领 A103', '认领 A104']);
		expect(card.urls).toEqual(['http://c:9999/incidents', 'http://c:9999/incidents']);
		expect(card.text).toContain('另有 3 条');
	});

	test('is taken by the service whatever the incidents are called', async () => {
		const summary = fc.string({ unit: fc.constantFrom('停', '<', '|', ']]>', 'a', '😀', '\n', ' '), maxLength: 200 });
		await fc.assert(
			fc.asyncProperty(fc.array(summary, { minLength: 2, maxLength: 8 }), fc.uuid(), async (summaries, id) => {
				const incidents = summaries.map((one, i) => ({ number: i + 1, summary: one }));
				const card = await cardOf({ ...digest(incidents), id });
				const pressed = card.buttons[0];
				expect(await fake.press('zhangsan', card, url, { key: pressed?.key ?? '' })).toBe(200);
				expect(opened.replies.at(-1)?.said).toEqual({ kind: 'acknowledge', incidentId: idOf(1) });
				const count = card.buttons.length - 1;
				await waitFor('the card with what is left', () => fake.replaced.at(-1)?.buttons.length === count);
			}),
			{ numRuns: 25 },
		);
	});
});
