import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { startTrialCollector, type TrialCollector } from '../harness/trial-collector.ts';
import { CHROMIUM } from './browser.ts';
import { provideBuilds } from './built.ts';
import { type SignedIn, signIn } from './signed-in.ts';

const ROLES = { root: 'system', lead: 'operator', owner: 'viewer' } as const;
type Account = keyof typeof ROLES;

/** A day at the desk, by three people in three real browsers against a real collector. */
describe.skipIf(CHROMIUM === null)('the desk in a browser', () => {
	let collector: TrialCollector;
	let people: SignedIn;

	beforeAll(async () => {
		provideBuilds();
		collector = await startTrialCollector('desk-browser', {
			people: ROLES,
			config: stringify({
				contracts: {
					parties: { client: ['owner'], manager: ['lead'] },
					terms: { 'chengdu-2021': { start: '2021-08-01', end: '2099-12-31' } },
				},
				inventory: {
					hosts: [{ id: 'app-1' }, { id: 'db-1' }],
					checks: [{ id: 'entrance' }],
					services: [{ id: 'mis', name: '城管业务 MIS', core: true, checks: ['entrance'], contract: 'chengdu-2021' }],
				},
			}),
		});
		people = await signIn(collector, Object.keys(ROLES));
	});
	afterAll(async () => {
		await people?.close();
		await collector?.remove();
	});
	afterEach(() => {
		expect(people.complaints()).toEqual([]);
	});

	const open = (account: Account, path: string): Promise<Page> => people.open(account, path);
	const pictures = (page: Page, name: string): Promise<void> => people.pictures(page, `desk-${name}`);
	const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
	/** Presses a button, fills what its dialog asks, and confirms it; waits until the dialog is gone. */
	const step = async (page: Page, name: string, fields: Readonly<Record<string, string>> = {}) => {
		await button(page, name).first().click();
		const dialog = page.getByRole('dialog');
		await dialog.waitFor();
		for (const [label, value] of Object.entries(fields)) await dialog.getByLabel(label, { exact: true }).fill(value);
		await dialog.locator('.ant-modal-footer').getByRole('button', { name, exact: true }).click();
		await dialog.waitFor({ state: 'hidden' });
	};
	const choose = async (page: Page, label: string, option: string) => {
		await page.getByRole('dialog').getByLabel(label, { exact: true }).click();
		// A long list draws only what is in sight.
		await page.keyboard.type(option);
		await page.locator('.ant-select-dropdown:visible').getByText(option, { exact: false }).first().click();
	};

	test('a fault that was told by telephone is declared, graded by both sides, and says how long is left', async () => {
		const lead = await open('lead', '/desk/faults');
		await lead.getByText('没有未关闭的故障。').waitFor();
		await button(lead, '手工申报').click();
		await lead.getByLabel('现象').fill('业务页面打不开');
		await choose(lead, '服务', '城管业务 MIS');
		await lead.getByLabel('故障点').fill('mis tomcat');
		await lead.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '手工申报' }).click();
		const row = lead.locator('.case-row', { hasText: '业务页面打不开' });
		await row.getByText(/^剩 \d+:\d\d$/).waitFor();
		await pictures(lead, 'faults');
		await row.click();
		await lead.getByRole('heading', { name: '故障 1 业务页面打不开' }).waitFor();
		await button(lead, '定级').click();
		await choose(lead, '级别', '一级');
		await lead.getByLabel('理由').fill('核心业务中断');
		await lead.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '定级' }).click();
		await lead.getByText('一级（已定级）').waitFor();
		await step(lead, '响应');
		await lead.getByText('按时').waitFor();
		// The manager grades; confirming is the client's.
		expect(await button(lead, '确认级别').count()).toBe(0);
		const owner = await open('owner', new URL(lead.url()).pathname);
		await button(owner, '确认级别').waitFor();
		for (const name of ['响应', '登记恢复', '派工单', '上传附件']) expect(await button(owner, name).count(), name).toBe(0);
		await step(owner, '确认级别');
		await owner.getByText('一级（已确认）').waitFor();
	});

	test('a second report of the same thing is merged into it', async () => {
		const lead = await open('lead', '/desk/faults');
		await step(lead, '手工申报', { 现象: '业务系统很慢' });
		await lead.locator('.case-row', { hasText: '业务系统很慢' }).click();
		await lead.getByRole('heading', { name: '故障 2 业务系统很慢' }).waitFor();
		await button(lead, '更多').click();
		await lead.getByRole('menuitem', { name: '并入其他故障' }).click();
		await choose(lead, '另一故障', '业务页面打不开');
		await lead.getByLabel('理由').fill('同一原因');
		await lead.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '并入其他故障' }).click();
		await lead.getByText('已并入').first().waitFor();
		await lead.getByRole('link', { name: '合并的故障' }).click();
		await lead.getByRole('heading', { name: '故障 1 业务页面打不开' }).waitFor();
		await lead.getByRole('link', { name: '合并的故障' }).waitFor();
	});

	test('its work order, evidence, cause and countersignature are what closes it', async () => {
		const lead = people.page('lead');
		await step(lead, '派工单', { 任务: '重启并查因' });
		await lead.getByText('工单 1 重启并查因').waitFor();
		await lead.locator('input[type=file]').setInputFiles({ name: '截图.txt', mimeType: 'text/plain', buffer: Buffer.from('evidence') });
		await lead.getByRole('link', { name: '截图.txt' }).waitFor();
		await button(lead, '完成工单').click();
		await lead.getByText(/完成于/).waitFor();
		await step(lead, '登记恢复');
		await step(lead, '登记解决', { 解决办法: '扩大连接池' });
		await step(lead, '填写原因', { 原因说明: '连接池耗尽' });
		await lead.getByText('我方：连接池耗尽').waitFor();
		await step(lead, '提交报告', { 报告内容: '见附件' });
		await pictures(lead, 'fault');
		// Only the client signs, and without the signature it does not close.
		const owner = people.page('owner');
		await owner.reload();
		await button(owner, '会签原因').click();
		await owner.getByText('已会签').waitFor();
		await lead.reload();
		await lead.getByText('已会签').waitFor();
		await step(lead, '关闭', { 结论: '已消除' });
		await lead.getByText('已关闭').first().waitFor();
		expect(await lead.locator('.case-history li').count()).toBeGreaterThan(8);
		await lead.getByText('没有待办。').waitFor();
	});

	test('maintenance is asked for by one person and approved by another', async () => {
		const lead = await open('lead', '/desk/maintenance');
		await button(lead, '申请维护').click();
		await lead.getByLabel('标题').fill('数据库升级');
		await choose(lead, '服务', '城管业务 MIS');
		await lead.keyboard.press('Escape');
		await lead.getByLabel('理由').fill('补丁');
		await lead.getByLabel('回退方案').fill('还原备份');
		await lead.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '申请维护' }).click();
		const entry = (page: Page) => page.locator('.window-entry', { hasText: '数据库升级' });
		await entry(lead).getByText('待批准').waitFor();
		await entry(lead).locator('.case-toggle').click();
		await button(lead, '登记采购人同意').waitFor();
		expect(await button(lead, '批准').count()).toBe(0);
		const root = await open('root', '/desk/maintenance');
		await entry(root).locator('.case-toggle').click();
		await step(root, '批准');
		await entry(root).getByText('已批准').waitFor();
		await root.getByText('0 条，其中严重告警 0 秒').waitFor();
		await pictures(root, 'maintenance');
		const owner = await open('owner', '/desk/maintenance');
		await entry(owner).waitFor();
		expect(await button(owner, '申请维护').count()).toBe(0);
	});

	test('a user’s problem is closed by the user’s word only', async () => {
		const lead = await open('lead', '/desk/problems');
		await step(lead, '登记来件', { 问题: '登录不了', 来件人: '刘工', 类别: '登录' });
		await lead.locator('.case-row', { hasText: '登录不了' }).getByText(/^剩 /).waitFor();
		await pictures(lead, 'problems');
		await lead.locator('.case-row', { hasText: '登录不了' }).click();
		expect(await button(lead, '用户确认，结案').count()).toBe(0);
		await step(lead, '受理');
		await step(lead, '交办');
		await step(lead, '回复', { 回复内容: '已重置密码' });
		await step(lead, '用户确认，结案');
		await lead.getByText('已结案').first().waitFor();
		await pictures(lead, 'problem');
		await lead.getByRole('link', { name: '问题', exact: true }).click();
		await lead.locator('td', { hasText: '已重置密码' }).waitFor();
	});

	test('a change needs two people, and marks the boards while it is worked on', async () => {
		const lead = await open('lead', '/desk/changes');
		await button(lead, '申请变更').click();
		await lead.getByLabel('标题').fill('升级 Tomcat');
		await choose(lead, '服务', '城管业务 MIS');
		await lead.keyboard.press('Escape');
		await lead.getByLabel('方案', { exact: true }).fill('逐台停换启');
		await lead.getByLabel('回退方案').fill('换回');
		await lead.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '申请变更' }).click();
		await lead.locator('.case-row', { hasText: '升级 Tomcat' }).getByText('待批准、待方案复核').waitFor();
		await lead.locator('.case-row', { hasText: '升级 Tomcat' }).click();
		await lead.getByRole('heading', { name: '变更 1 升级 Tomcat' }).waitFor();
		expect(await button(lead, '批准').count()).toBe(0);
		const root = await open('root', new URL(lead.url()).pathname);
		await step(root, '批准');
		await step(root, '方案复核通过');
		await lead.reload();
		await button(lead, '开工').click();
		await lead.getByText('施工中').first().waitFor();
		await pictures(lead, 'change');
		await root.goto(`${collector.address}/boards/fournines-overview`);
		const mark = root.getByRole('link', { name: /变更 1：升级 Tomcat/ });
		await mark.waitFor();
		await pictures(root, 'board-marks');
		await mark.click();
		await root.getByRole('heading', { name: '变更 1 升级 Tomcat' }).waitFor();
		await step(lead, '完工', { 结果: '正常' });
		expect(await button(lead, '结果复核通过').count()).toBe(0);
		await root.reload();
		await step(root, '结果复核通过');
		await root.getByText('已完成').first().waitFor();
	});

	test('the inventory is edited with a reason, refused with every problem, and keeps its history', async () => {
		const lead = await open('lead', '/desk/inventory');
		await lead.getByLabel('类别').selectOption('hosts');
		await button(lead, '新增').click();
		const dialog = lead.getByRole('dialog');
		await dialog.getByLabel('内容（YAML）').fill('id: app-2\non: nowhere\ncheck: nothing');
		await dialog.getByLabel('修改说明').fill('新主机');
		await dialog.locator('.ant-modal-footer').getByRole('button', { name: '新增' }).click();
		await dialog.getByText(/there is no host "nowhere"/).waitFor();
		await dialog.getByText(/there is no check "nothing"/).waitFor();
		expect(people.complaints().filter((error) => !error.includes('status of 400'))).toEqual([]);
		await dialog.getByLabel('内容（YAML）').fill('id: app-2\nname: 业务二');
		await dialog.locator('.ant-modal-footer').getByRole('button', { name: '新增' }).click();
		await lead.locator('.entry-row', { hasText: '业务二' }).getByText('已修改，未入文件').waitFor();
		await pictures(lead, 'inventory');
		await lead.locator('.ant-segmented').getByText('历史').click();
		await lead.getByText('新主机').waitFor();
		await lead.locator('.difference', { hasText: 'app-2' }).first().click();
		await pictures(lead, 'inventory-history');
		const owner = await open('owner', '/desk/inventory');
		await owner.locator('.entry-row').first().waitFor();
		expect(await button(owner, '修改').count()).toBe(0);
	});

	test('the assessment has three scores, a contested item, and two contracts side by side', async () => {
		const lead = await open('lead', '/desk/assessment');
		await lead.getByText('距下一次扣分').waitFor();
		await button(lead, '登记').click();
		await choose(lead, '条款', '书面投诉');
		await lead.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '登记' }).click();
		const item = (page: Page) => page.locator('.item-row', { hasText: '书面投诉' });
		await item(lead).getByText('-2').first().waitFor();
		const owner = await open('owner', '/desk/assessment');
		await item(owner).getByRole('button', { name: '采购人评分' }).click();
		await owner.getByRole('dialog').getByLabel('分值').fill('-1');
		await owner.getByRole('dialog').getByLabel('理由').fill('情节轻微');
		await owner.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '采购人评分' }).click();
		await item(owner).getByText('-1').first().waitFor();
		await lead.reload();
		await item(lead).getByRole('button', { name: '提出异议' }).click();
		await lead.getByRole('dialog').getByLabel('证据').fill('投诉已撤回，见函 8');
		await lead.getByRole('dialog').locator('.ant-modal-footer').getByRole('button', { name: '提出异议' }).click();
		await item(lead).getByText('有异议').waitFor();
		// Whoever contests an item does not decide about it; the client does.
		expect(await button(lead, '裁定').count()).toBe(0);
		await owner.reload();
		await item(owner).getByRole('button', { name: '裁定' }).waitFor();
		await pictures(lead, 'assessment');
		await lead.getByLabel('对照').selectOption('shaanxi-2023');
		await lead.locator('.desk-column').nth(1).getByText('终止条件：').waitFor();
		await pictures(lead, 'assessment-two');
	});
});
