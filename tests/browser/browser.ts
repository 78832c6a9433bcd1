import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findCommand, waitFor } from '../harness/process.ts';

export const CHROMIUM = findCommand('chromium') ?? findCommand('chromium-browser');
const SCREENSHOTS = join(import.meta.dirname, 'screenshots');
export const LAPTOP = { width: 1440, height: 900 } as const;
export const PHONE = { width: 390, height: 844 } as const;

/** The system's Chromium, which must not go to the network by itself. */
export function launchBrowser(): Promise<Browser> {
	return chromium.launch({
		executablePath: CHROMIUM ?? '',
		timeout: 120_000,
		args: [
			'--headless',
			'--no-sandbox',
			'--disable-gpu',
			'--disable-quic',
			'--no-first-run',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
		],
	});
}

/** Keeps a picture of a page at a size, and fails when the page is wider than the screen. */
export async function takePicture(page: Page, name: string, size: { readonly width: number; readonly height: number }): Promise<void> {
	mkdirSync(SCREENSHOTS, { recursive: true });
	await page.setViewportSize(size);
	// Charts follow the size of their panels one frame later.
	await page.waitForTimeout(300);
	await waitFor(`${name} to fit ${size.width} pixels`, () =>
		page.evaluate('document.documentElement.scrollWidth === document.documentElement.clientWidth'),
	);
	await page.screenshot({ path: join(SCREENSHOTS, `${name}-${size.width}.png`) });
	await page.setViewportSize(LAPTOP);
}

/** Collects what a page complains about. */
export function listenTo(page: Page, complaint: (text: string) => void): void {
	page.on('pageerror', (error) => complaint(error.stack ?? error.message));
	page.on('console', (message) => {
		if (message.type() === 'error' || message.type() === 'warning') complaint(`${message.text()} ${message.location().url}`);
	});
}
