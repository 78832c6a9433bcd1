import { escapeHtml } from '../../core/go-template/builtins.ts';

const STYLE = `body{margin:0 auto;padding:16px 20px 48px;max-width:46rem;color:#1b2733;background:#fff;overflow-wrap:anywhere;
font:16px/1.65 "PingFang SC","HarmonyOS Sans SC","Microsoft YaHei","Noto Sans CJK SC",system-ui,sans-serif}
h1{font-size:1.35rem;line-height:1.35;margin:.4em 0 .8em}
code{padding:0 .3em;border-radius:3px;background:#eef2f6;font-size:.88em}
li{margin:.35em 0}
@media print{body{max-width:none;padding:0}}`;

/** A runbook as a page that can be read on a telephone: text as it is wraps nowhere there. Of Markdown: headings, paragraphs, lists, bold, code. */
export function runbookPage(markdown: string): string {
	const blocks = markdown.split(/\n\s*\n/).filter((block) => block.trim() !== '');
	const title = /^#\s+(.*)$/m.exec(markdown)?.[1] ?? '';
	return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(title)}</title>
<style>${STYLE}</style></head><body>
${blocks.map(blockHtml).join('\n')}
</body></html>
`;
}

const ITEM = /^(?:[-*]|\d+\.)\s+/;

function blockHtml(block: string): string {
	const lines = block.trimEnd().split('\n');
	const [first = ''] = lines;
	const heading = /^(#{1,4})\s+(.*)$/.exec(first);
	if (heading !== null && lines.length === 1) {
		const level = (heading[1] ?? '#').length;
		return `<h${level}>${inlineHtml(heading[2] ?? '')}</h${level}>`;
	}
	if (!ITEM.test(first)) return `<p>${inlineHtml(lines.join('\n'))}</p>`;
	const items: string[] = [];
	for (const line of lines) {
		// What is indented goes on with the item before.
		if (ITEM.test(line)) items.push(line.replace(ITEM, ''));
		else items.push(`${items.pop() ?? ''}\n${line.trim()}`);
	}
	const list = /^\d/.test(first) ? 'ol' : 'ul';
	return `<${list}>${items.map((item) => `<li>${inlineHtml(item)}</li>`).join('')}</${list}>`;
}

function inlineHtml(text: string): string {
	return text
		.split(/(`[^`]+`)/)
		.map((part) =>
			part.startsWith('`') && part.length > 2
				? `<code>${escapeHtml(part.slice(1, -1))}</code>`
				: escapeHtml(part).replaceAll(/\*\*([^*]+)\*\*/g, '<b>$1</b>'),
		)
		.join('');
}
