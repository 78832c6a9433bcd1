import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findCommand, waitFor } from '../harness/process.ts';
import { TRIAL_PASSWORD, type TrialCollector } from '../harness/trial-collector.ts';

export const CHROMIUM = findCommand('chromium') ?? findCommand('chromium-browser');
const SCREENSHOTS = join(import.meta.dirname, 'screenshots');
const SIZES = [
	{ width: 1440, height: 900 },
	{ width: 390, height: 844 },
] as const;

/** People in real browsers, each logged in to a trial collector. */
export interface SignedIn {
	page(account: string): Page;
	/** Opens a page of the console as somebody. */
	open(account: string, path: string): Promise<Page>;
	/** What the browsers complained about since the last time. */
	complaints(): readonly string[];
	/** Keeps pictures for a laptop and a telephone, and fails when the page is wider than the screen. */
	pictures(page: Page, name: string): Promise<void>;
	close(): Promise<void>;
}

export async function signIn(collector: TrialCollector, accounts: readonly string[]): Promise<SignedIn> {
	mkdirSync(SCREENSHOTS, { recursive: true });
	const browser: Browser = await chromium.launch({
		executablePath: CHROMIUM ?? '',
		args: [
			'--headless',
			'--no-sandbox',
			'--disable-gpu',
			'--no-first-run',
			'--disable-background-networking',
			'--disable-component-update',
		],
	});
	const pages = new Map<string, Page>();
	const complaints: string[] = [];
	for (const account of accounts) {
		const answer = await collector.call('POST', '/api/fournines/v1/session', { body: { account, password: TRIAL_PASSWORD } });
		const [name = '', value = ''] = String(answer.headers['set-cookie']).split(';', 1).join('').split('=', 2);
		const context = await browser.newContext({ viewport: SIZES[0], locale: 'zh-CN' });
		await context.addCookies([{ name, value, url: collector.address }]);
		const page = await context.newPage();
		page.setDefaultTimeout(90_000);
		page.on('pageerror', (error) => complaints.push(`${account}: ${error.stack ?? error.message}`));
		page.on('console', (message) => {
			if (message.type() === 'error' || message.type() === 'warning') complaints.push(`${account}: ${message.text()}`);
		});
		pages.set(account, page);
	}
	const page = (account: string): Page => {
		const found = pages.get(account);
		if (found === undefined) throw new Error(`${account} is not signed in`);
		return found;
	};
	return {
		page,
		open: async (account, path) => {
			await page(account).goto(collector.address + path);
			return page(account);
		},
		complaints: () => complaints.splice(0),
		pictures: async (shown, name) => {
			for (const size of SIZES) {
				await shown.setViewportSize(size);
				await shown.waitForTimeout(300);
				await waitFor(`${name} to fit ${size.width} pixels`, () =>
					shown.evaluate('document.documentElement.scrollWidth === document.documentElement.clientWidth'),
				);
				await shown.screenshot({ path: join(SCREENSHOTS, `${name}-${size.width}.png`) });
			}
			await shown.setViewportSize(SIZES[0]);
		},
		close: () => browser.close(),
	};
}
