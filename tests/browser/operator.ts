import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { stringify } from 'yaml';
import { type CollectorProcess, startAgentProcess, startCollectorProcess } from '../harness/collector.ts';
import { startFakeWechatRobot } from '../harness/fake-wechat-robot.ts';
import { freePort, temporaryFolder } from '../harness/process.ts';
import { LAPTOP, launchBrowser, listenTo, takePicture } from './browser.ts';

export const ACCOUNT = 'zhang.wei';
export const PASSWORD = 'Correct-horse-7';
export const ROBOT_KEY = 'browser-robot-key';
const CHECK_INTERVAL = '5s';

/** One operator in a real browser, with a collector and an agent of their own. */
export interface Operator {
	readonly collector: CollectorProcess;
	readonly context: BrowserContext;
	readonly page: Page;
	/** What the browser complained about, and requests that left the collector. */
	readonly errors: string[];
	open(path: string): Promise<unknown>;
	/** The first place where the words are. */
	text(content: string | RegExp): Locator;
	panel(title: string): Locator;
	/** Keeps a picture, and fails when the page is wider than the screen. Default: a laptop's. */
	picture(name: string, size?: { readonly width: number; readonly height: number }): Promise<void>;
	/** A refusal that was provoked is also an error of the network, which the browser writes to its console. */
	forgive(status: number): void;
	logIn(): Promise<void>;
	close(): Promise<void>;
}

/** Two services are watched, of which one, `gis`, is down from the beginning; a robot is told. */
export async function startOperator(): Promise<Operator> {
	const closing: (() => Promise<unknown> | unknown)[] = [];
	try {
		return await start(closing);
	} catch (error) {
		await closeAll(closing);
		throw error;
	}
}

async function closeAll(closing: (() => Promise<unknown> | unknown)[]): Promise<void> {
	for (const close of closing.splice(0).reverse()) await close();
}

async function start(closing: (() => Promise<unknown> | unknown)[]): Promise<Operator> {
	const errors: string[] = [];
	const folder = temporaryFolder('console');
	closing.push(() => folder.remove());
	const file = (name: string, content: unknown) => {
		const path = join(folder.path, name);
		writeFileSync(path, stringify(content), { mode: 0o600 });
		return path;
	};
	const [port, closedPort] = [await freePort(), await freePort()];
	const dataDir = join(folder.path, 'data');
	const robot = await startFakeWechatRobot({ key: ROBOT_KEY });
	closing.push(() => robot.stop());
	const keyFile = join(folder.path, 'robot.key');
	writeFileSync(keyFile, ROBOT_KEY, { mode: 0o600 });
	const configFile = file('collector.yml', {
		// No CPU is busier than busy.
		rules: {
			thresholds: [{ rule: 'HostCpuBusy', value: 2, host: 'app-2' }],
			files: ['checks.yml', 'host.yml'].map((name) => resolve(import.meta.dirname, '../../rules', name)),
		},
		alerts: {
			receivers: [{ name: '值班组', wechat_robot_configs: [{ base_url: robot.baseUrl, key: { file: keyFile } }] }],
			// What else a busy machine sets off must not share the message with the one that is looked for. A silence that is tried when the message
			// was due puts it off by `group_interval`.
			route: { receiver: '值班组', group_by: ['alertname'], group_wait: '1s', group_interval: '5s' },
		},
		inventory: {
			checks: [
				{ id: 'mis-entrance', interval: CHECK_INTERVAL },
				{ id: 'gis-entrance', interval: CHECK_INTERVAL },
			],
			services: [
				{ id: 'mis', name: '城管业务 MIS', core: true, checks: ['mis-entrance'] },
				{
					id: 'gis',
					name: '地理信息 GIS',
					core: false,
					checks: ['gis-entrance'],
					requests: { good: 'asked_total{code!~"5.."}', total: 'asked_total' },
				},
			],
		},
	});
	const collector = await startCollectorProcess({ dataDir, port, configFile });
	closing.push(() => collector.stop());
	const probe = { kind: 'http', interval: CHECK_INTERVAL, timeout: '3s' };
	const agentFile = file('agent.yml', {
		host: { name: 'app-2', system: 'mis' },
		interval: '5s',
		listen: '',
		collector: { url: collector.url, token: { file: collector.pushTokenFile } },
		inputs: {
			probes: [
				{ ...probe, id: 'mis-entrance', target: `${collector.url}/-/healthy` },
				{ ...probe, id: 'gis-entrance', target: `http://127.0.0.1:${closedPort}/` },
			],
		},
	});
	const agent = startAgentProcess({ configFile: agentFile, dataDir: join(folder.path, 'agent') });
	closing.push(() => agent.stop());
	const browser = await launchBrowser();
	closing.push(() => browser.close());
	const context = await browser.newContext({ viewport: LAPTOP, locale: 'zh-CN', acceptDownloads: true });
	const page = await context.newPage();
	context.setDefaultTimeout(90_000);
	listenTo(page, (text) => errors.push(text));
	page.on('request', (request) => {
		if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(collector.url))
			errors.push(`left the collector: ${request.url()}`);
	});
	return {
		collector,
		context,
		page,
		errors,
		open: (path) => page.goto(collector.url + path),
		text: (content) => page.getByText(content).first(),
		panel: (title) => page.getByRole('region', { name: title, exact: true }),
		picture: (name, size = LAPTOP) => takePicture(page, name, size),
		forgive: (status) => {
			const kept = errors.splice(0).filter((error) => !error.includes(`status of ${status}`));
			errors.push(...kept);
		},
		logIn: async () => {
			await page.getByLabel('账号').fill(ACCOUNT);
			await page.getByLabel('密码').fill(PASSWORD);
			await page.getByRole('button', { name: '登录' }).click();
		},
		close: () => closeAll(closing),
	};
}
