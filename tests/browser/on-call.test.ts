import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { IncidentListAnswer } from '../../protocol/incident-api.ts';
import { type FakeWebhook, startFakeWebhook } from '../harness/fake-webhook.ts';
import { waitFor } from '../harness/process.ts';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';
import { CHROMIUM } from './browser.ts';
import { provideBuilds } from './built.ts';
import { type SignedIn, signIn } from './signed-in.ts';

/** A night on duty, by the one who has it and by somebody who only looks. */
describe.skipIf(CHROMIUM === null)('on-call in a browser', () => {
	let collector: TrialCollector;
	let hook: FakeWebhook;
	let people: SignedIn;

	beforeAll(async () => {
		provideBuilds();
		hook = await startFakeWebhook();
		collector = await startTrialCollector('on-call-browser', {
			people: { root: 'system', zhang: 'operator', looker: 'viewer' },
			config: `
rules: { files: [] }
alerts:
  route: { receiver: nobody, group_by: [alertname], group_wait: 0s }
  receivers: [{ name: nobody }]
  channels: [{ name: hook, webhook: { url: '${hook.url}' } }]
  oncall:
    people:
      - { id: zhang, name: 张伟, account: zhang, addresses: [{ channel: hook, to: zhang }] }
      - { id: li, name: 李娜, addresses: [{ channel: hook, to: li }] }
    rosters:
      - id: first
        name: 一线
        handover: true
        layers: [{ name: always, people: [zhang], start: '2026-01-01' }]
    staffing: [{ name: 双人在岗, minimum: 2 }]
    policies: [{ name: 严重告警, severities: [critical], steps: [{ to: ['roster:first'], wait: 1h }] }]`,
		});
		people = await signIn(collector, ['zhang', 'looker']);
	});
	afterAll(async () => {
		await people?.close();
		await collector?.remove();
		await hook?.stop();
	});
	afterEach(() => {
		expect(people.complaints()).toEqual([]);
	});

	test('an incident is seen with its story, taken, given a note and handed over', async () => {
		const alert = {
			labels: { alertname: 'MisDown', severity: 'critical', service: 'mis' },
			annotations: { summary: 'MIS 入口打不开', action: '1. 打开入口；2. 查看日志；3. 通知采购人。' },
			startsAt: new Date(Date.now() - 60_000).toISOString(),
		};
		expect((await collector.call('POST', '/api/v2/alerts', { token: 'local-alert', body: [alert] })).status).toBe(200);
		await waitFor('the call', async () => {
			const { text } = await collector.call('GET', '/api/fournines/v1/incidents', { token: 'local-read' });
			return (JSON.parse(text) as IncidentListAnswer).incidents.some(({ called }) => called.length > 0);
		});
		const page = await people.open('zhang', '/incidents');
		await page.getByText('MIS 入口打不开').first().click();
		await page.getByText('建立事件').waitFor();
		await page.getByText('1. 打开入口；2. 查看日志；3. 通知采购人。').waitFor();
		await page.getByRole('button', { name: '我来处理' }).click();
		await page.locator('.oncall-acknowledged').getByText('张伟').first().waitFor();
		await page.getByRole('button', { name: '添加备注' }).click();
		await page.getByRole('dialog').getByLabel('内容').fill('已联系机房');
		await page.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '添加备注' }).click();
		await page.locator('.oncall-timeline').getByText('已联系机房').waitFor();
		await people.pictures(page, 'incident');
		const looker = await people.open('looker', '/incidents/1');
		await looker.getByText('建立事件').waitFor();
		expect(await looker.getByRole('button', { name: '转交' }).count()).toBe(0);
		await page.getByRole('button', { name: '转交' }).click();
		await page.getByRole('dialog').getByLabel('人员').click();
		await page.locator('.ant-select-dropdown:visible').getByText('李娜').first().click();
		await page.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '转交' }).click();
		await page.locator('.oncall-handed-over').getByText('李娜').first().waitFor();
		await page.goto(`${collector.address}/incidents`);
		await page.getByText('等待确认').first().waitFor();
		await people.pictures(page, 'incidents');
	});

	test('duty shows who has it and what lacks; a stand-in is entered and taken back; the record is signed', async () => {
		const page = await people.open('zhang', '/oncall');
		await page.locator('.oncall-people').getByText('张伟').waitFor();
		await page.getByText('双人在岗：需 2 人，只有 张伟').first().waitFor();
		await page.getByRole('button', { name: '调整值班' }).click();
		const dialog = page.getByRole('dialog');
		for (const [label, who] of [
			['被替换的人', '张伟'],
			['值班的人', '李娜'],
		] as const) {
			await dialog.getByLabel(label).click();
			await page.locator('.ant-select-dropdown:visible').getByText(who, { exact: true }).first().click();
		}
		await dialog.getByLabel('原因').fill('请假');
		await dialog.locator('.ant-modal-footer').getByRole('button', { name: '调整值班' }).click();
		await page.getByText('李娜 替 张伟').waitFor();
		await page.getByRole('button', { name: '撤销' }).click();
		await page.getByRole('dialog').getByLabel('原因').fill('不请了');
		await page.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '撤销' }).click();
		await page.getByText('zhang 已撤销：不请了').waitFor();
		await people.pictures(page, 'on-call');
		await page.getByText('（无） 交给 张伟').click();
		await page.getByRole('button', { name: '接班签字' }).click();
		await page.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '接班签字' }).click();
		await page.getByText(/^张伟 .* 签字/).waitFor();
	});
});
