import type { ReactNode } from 'react';
import type { Panel } from '../board-json.ts';
import { asText } from '../json-read.ts';

/** Headings, lists, bold, code and links of Markdown. HTML is shown as it is written, never executed. */
export function TextPanel({ panel }: { readonly panel: Panel }) {
	const blocks = asText(panel.options['content']).split(/\n\s*\n/);
	return (
		<div className="text-panel">
			{blocks.map((block, i) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: blocks never change place
				<Block key={i} text={block.trim()} />
			))}
		</div>
	);
}

function Block({ text }: { readonly text: string }) {
	const heading = /^(#{1,4})\s+(.*)$/.exec(text);
	if (heading !== null) return <h3>{inline(heading[2] ?? '')}</h3>;
	const lines = text.split('\n');
	if (lines.every((line) => /^\s*([-*]|\d+\.)\s+/.test(line))) {
		const items = lines.map((line) => <li key={line}>{inline(line.replace(/^\s*([-*]|\d+\.)\s+/, ''))}</li>);
		return /^\s*\d/.test(text) ? <ol>{items}</ol> : <ul>{items}</ul>;
	}
	return text === '' ? null : <p>{inline(text)}</p>;
}

function inline(text: string): readonly ReactNode[] {
	return text.split(/(\*\*[^*]+\*\*|`[^`]+`|\[[^\]]+\]\([^)\s]+\))/).map((part, i) => {
		const key = `${i} ${part}`;
		if (part.startsWith('**') && part.endsWith('**') && part.length > 4) return <b key={key}>{part.slice(2, -2)}</b>;
		if (part.startsWith('`') && part.endsWith('`') && part.length > 2) return <code key={key}>{part.slice(1, -1)}</code>;
		const link = /^\[([^\]]+)\]\(([^)\s]+)\)$/.exec(part);
		// Only addresses of the web and of this console: `javascript:` is one as well.
		if (link !== null && /^(https?:\/\/|\/(?!\/))/.test(link[2] ?? '')) {
			return (
				<a key={key} href={link[2]} rel="noopener noreferrer">
					{link[1]}
				</a>
			);
		}
		return part;
	});
}
