import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CollectorProcess } from '../harness/collector.ts';
import { waitFor } from '../harness/process.ts';
import { CHROMIUM, PHONE } from './browser.ts';
import { provideBuilds } from './built.ts';
import { ACCOUNT, type Operator, PASSWORD, ROBOT_KEY, startOperator } from './operator.ts';

/** What an operator does on the first day, in a real browser against a real collector and agent. */
describe.skipIf(CHROMIUM === null)('the console in a browser', () => {
	let operator: Operator;
	let collector: CollectorProcess;
	let context: BrowserContext;
	let page: Page;
	let errors: string[] = [];

	beforeAll(async () => {
		provideBuilds();
		operator = await startOperator();
		({ collector, context, page, errors } = operator);
	});

	afterAll(() => operator?.close());

	afterEach(() => {
		expect(errors.splice(0)).toEqual([]);
	});

	const open = (path: string) => operator.open(path);
	const text = (content: string | RegExp) => operator.text(content);
	const panel = (title: string) => operator.panel(title);
	const picture: Operator['picture'] = (name, size) => operator.picture(name, size);
	const forgive = (status: number) => operator.forgive(status);

	test('the first visit asks for the first accounts', async () => {
		await open('/');
		await page.getByLabel('一次性口令').waitFor();
		forgive(401);
		await page.getByLabel('一次性口令').fill('not-the-code');
		const administrator = page.getByRole('group', { name: '系统管理员' });
		await administrator.getByLabel('账号').fill(ACCOUNT);
		await administrator.getByLabel('密码', { exact: true }).fill('weak');
		await picture('setup-rules');
		await page.getByRole('button', { name: '建立账号' }).click();
		await text('两次输入不一致').waitFor();
		await administrator.getByLabel('密码', { exact: true }).fill(PASSWORD);
		await administrator.getByLabel('再次输入密码').fill(PASSWORD);
		await page.getByRole('button', { name: '建立账号' }).click();
		await text('一次性口令不正确').waitFor();
		forgive(403);
		await page.getByLabel('同时建立审计管理员').check();
		const auditor = page.getByRole('group', { name: '审计管理员' });
		await auditor.getByLabel('账号').fill('li.na');
		await auditor.getByLabel('密码', { exact: true }).fill(`${PASSWORD}x`);
		await auditor.getByLabel('再次输入密码').fill(`${PASSWORD}x`);
		await page.getByLabel('一次性口令').fill(collector.setupCode());
		await picture('setup', PHONE);
		await page.getByRole('button', { name: '建立账号' }).click();
		await text('账号已建立').waitFor();
	});

	test('a wrong password is refused in words, the right one leads to where one wanted to go', async () => {
		await open('/alerts');
		await page.getByLabel('账号').fill(ACCOUNT);
		forgive(401);
		await page.getByLabel('密码').fill('Wrong-horse-7');
		await page.getByRole('button', { name: '登录' }).click();
		await text('账号或密码不正确').waitFor();
		forgive(401);
		await picture('login');
		await picture('login', PHONE);
		await operator.logIn();
		await page.getByRole('heading', { name: '告警' }).waitFor();
		expect(new URL(page.url()).pathname).toBe('/alerts');
	});

	test('the overview shows services, hosts and the alert, and is alive', async () => {
		await page.getByRole('link', { name: '概览' }).click();
		await text('城管业务 MIS').waitFor();
		await page.locator('.host-row', { hasText: 'app-2' }).waitFor();
		await page.locator('.service-row', { hasText: '城管业务 MIS' }).getByText('正常').waitFor();
		await page.locator('.service-row', { hasText: '地理信息 GIS' }).getByText('中断').waitFor();
		await page.locator('.alert-row', { hasText: 'gis-entrance' }).waitFor();
		const updated = page.getByText(/\d\d:\d\d:\d\d 更新/);
		const before = await updated.textContent();
		await waitFor('another state', async () => (await updated.textContent()) !== before);
		await picture('overview');
		await picture('overview', PHONE);
	});

	test('the host board draws live values that change', async () => {
		await open('/boards');
		await page.getByText(/请求成功率。数字由可用性台账写入/).waitFor();
		await picture('boards');
		await page.getByRole('link', { name: /^主机/ }).click();
		await panel('CPU 时间分布').waitFor();
		await open('/boards/fournines-host?refresh=5s&from=now-15m&to=now');
		const cpu = panel('CPU 使用率').locator('.gauge-value');
		await waitFor('the CPU in percent', async () => /^\d+(\.\d+)?%$/.test((await cpu.textContent({ timeout: 1000 })) ?? ''), {
			intervalMs: 500,
		});
		await panel('CPU 时间分布').locator('canvas').waitFor();
		await panel('CPU 时间分布').getByText('system', { exact: true }).waitFor();
		// A busy machine stays at 100.0 %; how long it has been up moves on whatever it does.
		const values = async () => (await page.locator('.stat-value, .gauge-value').allTextContents()).join();
		const first = await values();
		const drawn = await panel('CPU 时间分布').locator('canvas').elementHandle();
		await waitFor('another value', async () => (await values()) !== first, { intervalMs: 500 });
		// The element that was there at first is still the one on the page: a refresh builds no new chart.
		expect(await drawn?.isVisible()).toBe(true);
		const chart = panel('CPU 时间分布').locator('.chart');
		const box = await chart.boundingBox();
		const tip = page.locator('.chart-tip').getByText('system').first();
		let fromRight = 0;
		await waitFor('the values under the mouse', async () => {
			// Where the newest minutes are: how near to its right end depends on what has arrived, and a chart that is drawn anew forgets the mouse.
			fromRight = (fromRight % 60) + 20;
			await chart.hover({ position: { x: (box?.width ?? 0) - fromRight, y: 60 } });
			await tip.waitFor({ timeout: 1000 });
			return true;
		});
		await picture('host-board');
		await page.mouse.move(5, 5);
		for (const title of ['文件系统', '流量（发送向下）', '采集项']) {
			await panel(title).scrollIntoViewIfNeeded();
			await page.waitForTimeout(500);
		}
		await panel('文件系统').scrollIntoViewIfNeeded();
		await picture('host-board-disks');
		await panel('采集项').getByText('probe').first().waitFor();
		await page.evaluate('window.scrollTo(0, 0)');
		await picture('host-board', PHONE);
	});

	test('the overview board fills every panel', async () => {
		await open('/boards/fournines-overview?from=now-15m&to=now');
		await panel('检测项').locator('td', { hasText: 'mis-entrance' }).waitFor();
		await page.locator('.panel-bargauge').scrollIntoViewIfNeeded();
		await page.locator('.panel-bargauge .bar', { hasText: 'app-2' }).waitFor();
		await picture('overview-board-hosts');
		await page.evaluate('window.scrollTo(0, 0)');
		await picture('overview-board');
		await picture('overview-board', PHONE);
	});

	test('a service shows its outage by the second', async () => {
		await open('/services/gis');
		await page.getByRole('heading', { name: '地理信息 GIS' }).waitFor();
		await page.locator('.band-down').first().waitFor();
		await text('检测 gis-entrance 失败').waitFor();
		// Nobody asked anything, which is no figure.
		const requests = page.locator('.ant-card', { hasText: '请求成功率' });
		await requests.getByText('—', { exact: true }).first().waitFor();
		await requests.getByText('asked_total{code!~"5.."}').waitFor();
		// What an outage of twenty minutes would cost.
		await page.getByRole('button', { name: /试\s*算/ }).click();
		await page.getByText(/计入中断 \d/).waitFor();
		await picture('service');
		await picture('service', PHONE);
		await page.getByText('本月', { exact: true }).click();
		await page.locator('.band-down').first().waitFor();
		await picture('service-month');
	});

	test('an alert is silenced and heard again', async () => {
		await open('/alerts');
		await page.getByText(/检测 gis-entrance/).click();
		await text('处置步骤').waitFor();
		await picture('alerts');
		await picture('alerts', PHONE);
		// What an outage does to the budget is told, too.
		const entry = page.locator('.alert-entry', { hasText: /检测 gis-entrance/ });
		await entry.getByRole('button', { name: '静默' }).click();
		await page.getByLabel('原因').fill('数据库升级，工单号 2026-118');
		await picture('silence');
		await picture('silence', PHONE);
		await page.getByRole('dialog').getByRole('button', { name: '静默' }).click();
		const silence = page.locator('.silence-row', { hasText: '工单号 2026-118' });
		await silence.getByText('生效中').waitFor();
		expect(await silence.textContent()).toContain(ACCOUNT);
		await picture('silences');
		await picture('silences', PHONE);
		await page.getByText(/^当前告警/).click();
		await entry.getByText('已抑制').waitFor();
		await page.locator('.ant-segmented').getByText('静默', { exact: true }).click();
		await silence.getByRole('button', { name: '提前结束' }).click();
		await page.locator('.ant-popconfirm').getByRole('button', { name: '提前结束' }).click();
		await text('没有静默').waitFor();
		await page.getByText(/^当前告警/).click();
		await entry.and(page.locator('.alert-entry:not(.alert-suppressed)')).waitFor();
	});

	test('an alert is silenced for nights that come back, by the statutory calendar', async () => {
		await open('/alerts');
		await page
			.locator('.alert-entry', { hasText: /检测 gis-entrance/ })
			.getByRole('button', { name: '静默' })
			.click();
		const dialog = page.getByRole('dialog');
		await dialog.getByText('周期重复').click();
		await dialog.getByLabel('六').uncheck();
		await dialog.getByLabel('五').check();
		await dialog.getByLabel('从', { exact: true }).fill('23:30');
		await dialog.getByText('到次日').waitFor();
		await page.getByLabel('原因').fill('每周末夜间批处理');
		await picture('silence-recurring');
		await picture('silence-recurring', PHONE);
		await dialog.getByRole('button', { name: '静默' }).click();
		const row = page.locator('.silence-row', { hasText: '每周末夜间批处理' });
		await row.getByText(/下次 .* → |正在静默，到/).waitFor();
		await row.getByText(/^(待下次|生效中)$/).waitFor();
		await picture('silences-recurring');
		await picture('silences-recurring', PHONE);
		const made = (await (await page.request.get(`${collector.url}/api/v2/silences`)).json()) as readonly {
			comment: string;
			recurrence: readonly { weekdays: readonly string[]; times: readonly object[] }[];
		}[];
		expect(made.find(({ comment }) => comment === '每周末夜间批处理')?.recurrence).toMatchObject([
			{ weekdays: ['friday'], times: [{ start_time: '23:30', end_time: '24:00' }], location: 'Asia/Shanghai' },
			{ weekdays: ['saturday'], times: [{ start_time: '00:00', end_time: '06:00' }], location: 'Asia/Shanghai' },
		]);
		// And by the calendar instead of the week.
		await open('/alerts');
		await page
			.locator('.alert-entry', { hasText: /检测 gis-entrance/ })
			.getByRole('button', { name: '静默' })
			.click();
		await dialog.getByText('周期重复').click();
		await dialog.getByText('休息日', { exact: true }).click();
		await dialog.getByText(/按法定节假日与调休/).waitFor();
		await page.getByLabel('原因').fill('休息日不打扰');
		await dialog.getByRole('button', { name: '静默' }).click();
		for (const comment of ['每周末夜间批处理', '休息日不打扰']) {
			const entry = page.locator('.silence-row', { hasText: comment });
			await entry.getByRole('button', { name: '提前结束' }).click();
			await page.locator('.ant-popconfirm:visible').getByRole('button', { name: '提前结束' }).click();
			await entry.waitFor({ state: 'detached' });
		}
	});

	test('a rule says which threshold counts where, and who would be beyond another one', async () => {
		await open('/alerts?view=rules');
		await page.getByText(/^只看另设了阈值的（1）/).click();
		await page.getByRole('button', { name: /^HostCpuBusy/ }).click();
		const own = page.locator('.rule-overrides tr', { hasText: 'host=app-2' });
		await own.getByText('2', { exact: true }).waitFor();
		await own.getByText(/^collector\.yml:\d+$/).waitFor();
		await picture('rules');
		await picture('rules', PHONE);
		const trial = page.locator('.rule-trial');
		await trial.getByLabel('阈值').fill('-1');
		await trial.getByLabel('主机').fill('app-2');
		// The ratio is a recorded one, which comes with the first evaluation.
		await waitFor('somebody beyond it', async () => {
			await trial.getByRole('button', { name: '看现在谁会超过' }).click();
			await trial.getByText('此刻有 1 个对象超过此值').waitFor({ timeout: 2000 });
			return true;
		});
		await trial.getByText('- { rule: HostCpuBusy, value: -1, host: app-2 }').waitFor();
		await picture('rules-trial');
		// From an alert to its rule, and back to where one came from.
		await open('/alerts?q=gis-entrance');
		await page.getByText(/检测 gis-entrance/).click();
		await page.getByRole('link', { name: '查看规则与阈值' }).click();
		await page.getByRole('button', { name: /^CheckFailed/ }).waitFor();
		await page.goBack();
		await page.locator('.alert-entry', { hasText: /检测 gis-entrance/ }).waitFor();
		expect(await page.getByLabel(/^搜索/).inputValue()).toBe('gis-entrance');
	});

	test('notifications and reports', async () => {
		await open('/notifications');
		await page.getByRole('heading', { name: '通知记录' }).waitFor();
		const notification = page.locator('.notification', { hasText: 'gis-entrance' }).first();
		await notification.getByText('已送达').waitFor();
		await notification.getByText('企业微信群机器人').waitFor();
		await notification.locator('.notification-row').click();
		await notification.getByText('尝试次数').waitFor();
		expect(await notification.textContent()).not.toContain(ROBOT_KEY);
		await picture('notifications');
		await picture('notifications', PHONE);
		await page.getByRole('link', { name: '报告' }).click();
		await page.getByRole('heading', { name: '报告' }).waitFor();
		const [report] = await Promise.all([context.waitForEvent('page'), page.getByText('打开网页版').click()]);
		await report.getByText('城管业务 MIS').first().waitFor();
		await report.close();
		const [download] = await Promise.all([page.waitForEvent('download'), page.getByText('下载 Excel').click()]);
		expect(download.suggestedFilename()).toMatch(/^availability-\d{4}-\d{2}\.xlsx$/);
		await picture('reports');
		await picture('reports', PHONE);
	});

	test('a host is enrolled, and agents are configured centrally', async () => {
		await open('/agents');
		await page.getByText('还没有登记的采集程序').waitFor();
		await page.getByRole('button', { name: '登记主机' }).click();
		await page.getByPlaceholder('app-1').fill('db-1');
		await page.getByRole('button', { name: '生成令牌' }).click();
		await page.getByText(/^fne_/).waitFor();
		await page.getByRole('button', { name: '完成' }).click();
		await page.getByText('集中配置').first().click();
		const editor = page.getByRole('textbox', { name: '集中配置' });
		await editor.fill('inputs: { nonsense: [] }');
		await page.getByRole('button', { name: '保存并下发' }).click();
		await page
			.getByText(/nonsense/)
			.last()
			.waitFor();
		await page
			.getByText(/FN_AGENT_CONFIG|unknown key/)
			.first()
			.waitFor();
		await editor.fill('interval: 10s\n');
		await page.getByRole('button', { name: '保存并下发' }).click();
		await page.getByText('历史版本（1）').waitFor();
		forgive(400);
		await picture('agents');
		await picture('agents', PHONE);
	});

	test('in English no Chinese is left but names', async () => {
		await open('/');
		await page.getByRole('button', { name: 'English' }).click();
		await page.getByRole('link', { name: 'Overview' }).waitFor();
		await page.locator('.alert-row').first().waitFor();
		for (const path of ['/', '/services/gis', '/alerts', '/alerts?view=rules', '/notifications', '/reports']) {
			await open(path);
			await page.locator('.page h1, .overview').first().waitFor();
			await page.waitForTimeout(500);
			const seen = await page.locator('main').innerText();
			// Names, and messages as they were sent, are data.
			expect(seen.replaceAll(/城管业务|地理信息|值班组|【严重】|检测 gis-entrance 失败/g, '')).not.toMatch(/\p{Script=Han}/u);
		}
		await open('/');
		await page.locator('.alert-row').first().waitFor();
		await picture('overview-english');
		await page.getByRole('button', { name: '中文' }).click();
	});

	test('an address that does not exist says so', async () => {
		await open('/services/none');
		await text('没有这个服务').waitFor();
		forgive(404);
		await open('/nowhere');
		await text('没有这个页面').waitFor();
	});

	test('a collector that went away is not taken for a quiet one', async () => {
		await open('/');
		await text('城管业务 MIS').waitFor();
		await collector.kill();
		await text('监控平台没有应答').waitFor();
		await picture('overview-stale');
		// A page whose code was not fetched before cannot be opened now; the rest of the console stays.
		await page.getByRole('link', { name: '值班' }).click();
		await text('这个页面打不开').waitFor();
		await picture('page-failed');
		await page.getByRole('link', { name: '概览' }).click();
		await text('监控平台没有应答').waitFor();
		await collector.start();
		await text('监控平台没有应答').waitFor({ state: 'hidden' });
		errors.splice(0, errors.length, ...errors.filter((error) => !/ERR_|Failed to fetch dynamically/.test(error)));
	});

	test('after logging out nothing is to be seen', async () => {
		await page.getByRole('button', { name: ACCOUNT }).click();
		await page.getByText('退出登录').click();
		await page.getByLabel('密码').waitFor();
		forgive(401);
		await open('/boards/fournines-host');
		await page.getByLabel('密码').waitFor();
		forgive(401);
		expect(new URL(page.url()).pathname).toBe('/login');
	});
});
