import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { runbookPage } from './runbook-page.ts';

const RUNBOOKS = resolve(import.meta.dirname, '../../docs/runbooks');

test('headings, paragraphs, lists with lines that go on, bold and code become HTML, and nothing else does', () => {
	const page = runbookPage(
		'# Disk <full>\n\n**What it means.** `df -h | grep "<x>"` and\nmore.\n\n1. first\n2. second,\n   which goes on\n\n- **a** `**b**`\n\n<script>alert(1)</script>\n',
	);
	expect(page).toContain('<title>Disk &lt;full&gt;</title>');
	expect(page).toContain('<h1>Disk &lt;full&gt;</h1>');
	expect(page).toContain('<p><b>What it means.</b> <code>df -h | grep &#34;&lt;x&gt;&#34;</code> and\nmore.</p>');
	expect(page).toContain('<ol><li>first</li><li>second,\nwhich goes on</li></ol>');
	expect(page).toContain('<ul><li><b>a</b> <code>**b**</code></li></ul>');
	expect(page).toContain('<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>');
});

test.each(readdirSync(RUNBOOKS))('%s is written in what is drawn', (name) => {
	const page = runbookPage(readFileSync(join(RUNBOOKS, name), 'utf8'));
	const text = page.slice(page.indexOf('<body>')).replaceAll(/<code>.*?<\/code>/gs, '');
	expect(page).toMatch(/<title>[^<]+<\/title>/);
	// Marks that are left would be those of Markdown that is not drawn: fences, tables, links, emphasis.
	expect(text).not.toMatch(/`|\*\*|^\||\]\(|<p>#/m);
});
