import type { Page } from 'playwright-core';
import { TRIAL_PASSWORD, type TrialCollector } from '../harness/trial-collector.ts';
import { LAPTOP, launchBrowser, listenTo, PHONE, takePicture } from './browser.ts';

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
	const browser = await launchBrowser();
	const pages = new Map<string, Page>();
	const complaints: string[] = [];
	for (const account of accounts) {
		const answer = await collector.call('POST', '/api/fournines/v1/session', { body: { account, password: TRIAL_PASSWORD } });
		const [name = '', value = ''] = String(answer.headers['set-cookie']).split(';', 1).join('').split('=', 2);
		const context = await browser.newContext({ viewport: LAPTOP, locale: 'zh-CN' });
		await context.addCookies([{ name, value, url: collector.address }]);
		const page = await context.newPage();
		context.setDefaultTimeout(90_000);
		listenTo(page, (text) => complaints.push(`${account}: ${text}`));
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
			for (const size of [LAPTOP, PHONE]) await takePicture(shown, name, size);
		},
		close: () => browser.close(),
	};
}
