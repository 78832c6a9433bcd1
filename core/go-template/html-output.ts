import { escapeHtml } from './builtins.ts';
import { formatValue } from './format.ts';
import type { OutputEscaper } from './template.ts';

/** Text that its author vouches for: it is not escaped in HTML. */
export class SafeHtml {
	readonly text: string;
	/** An own property, so that a template prints the text. */
	readonly String: () => string;

	constructor(text: string) {
		this.text = text;
		this.String = () => text;
	}
}

type Place = 'text' | 'tag' | 'attribute' | 'raw' | 'comment';

const URL_ATTRIBUTES = /^(?:href|src|action|formaction|cite|poster|background|data|longdesc|usemap|manifest|xlink:href)$/;
/** What Go's html/template writes where a value must not stand. */
const REFUSED = 'ZgotmplZ';
const UNSAFE_CSS = /[\0"'()/;@[\\\]`{}<>]|expression|mozbinding/i;

/**
 * Escapes by context, as Go's html/template does (pkg.go.dev/html/template): text, attributes, addresses, styles, scripts. The
 * context is that of the output so far, so that a value from an alert can never open a tag or run a script.
 */
export function htmlOutput(): OutputEscaper {
	let place: Place = 'text';
	/** Of the tag that is open, and of the element whose content is raw. */
	let tag = '';
	let attribute = '';
	/** `"`, `'` or `''` of the attribute that is open. */
	let quote = '';
	/** What the attribute holds so far: the scheme of an address stands at its beginning, its query after a `?`. */
	let held = '';

	const step = (text: string, at: number): { readonly next: number; readonly drop?: boolean } => {
		const char = text[at] ?? '';
		switch (place) {
			case 'text': {
				if (text.startsWith('<!--', at)) {
					place = 'comment';
					return { next: at + 4, drop: true };
				}
				const opened = /^<(\/?[a-zA-Z][a-zA-Z0-9:-]*)/.exec(text.slice(at, at + 64));
				if (opened === null) return { next: at + 1 };
				place = 'tag';
				tag = (opened[1] ?? '').toLowerCase();
				return { next: at + opened[0].length };
			}
			case 'comment': {
				const end = text.indexOf('-->', at);
				if (end === -1) return { next: text.length, drop: true };
				place = 'text';
				return { next: end + 3, drop: true };
			}
			case 'raw': {
				const end = text.toLowerCase().indexOf(`</${tag}`, at);
				if (end === -1) return { next: text.length };
				place = 'tag';
				const next = end + tag.length + 2;
				tag = `/${tag}`;
				return { next };
			}
			case 'tag': {
				if (char === '>') {
					place = tag === 'script' || tag === 'style' ? 'raw' : 'text';
					return { next: at + 1 };
				}
				const named = /^([^\s=>"'/]+)(\s*=\s*)(["']?)/.exec(text.slice(at, at + 200));
				if (named === null) return { next: at + 1 };
				attribute = (named[1] ?? '').toLowerCase();
				quote = named[3] ?? '';
				held = '';
				place = 'attribute';
				return { next: at + named[0].length };
			}
			case 'attribute': {
				if (quote === '' ? /[\s>]/.test(char) : char === quote) {
					place = 'tag';
					// The end of a value without quotes may be the end of its tag.
					return { next: quote === '' ? at : at + 1 };
				}
				held += char;
				return { next: at + 1 };
			}
		}
	};
	const follow = (text: string): string => {
		let kept = '';
		for (let at = 0; at < text.length; ) {
			const { next, drop = false } = step(text, at);
			if (!drop) kept += text.slice(at, next);
			at = next;
		}
		return kept;
	};
	const inAttribute = (text: string): string => {
		const escaped = quote === '' ? escapeUnquoted : escapeAttribute;
		if (URL_ATTRIBUTES.test(attribute)) return escaped(inAddress(text, held));
		if (attribute === 'style') return escaped(inStyle(text));
		if (attribute.startsWith('on')) return escaped(inScript(text));
		return escaped(text);
	};
	return {
		literal: follow,
		value: (value) => {
			const text = value === null || value === undefined ? '' : formatValue(value);
			switch (place) {
				case 'text':
					if (value instanceof SafeHtml) return follow(value.text);
					return escapeAttribute(text);
				case 'attribute': {
					const plain = value instanceof SafeHtml ? withoutTags(text) : text;
					const written = inAttribute(plain);
					held += plain;
					return written;
				}
				case 'raw':
					return tag === 'script' ? inScript(value) : inStyle(text);
				case 'comment':
					return '';
				case 'tag':
					// A name of a tag or an attribute: letters only.
					return /^[a-zA-Z][a-zA-Z0-9-]*$/.test(text) && !/^(?:on|style|src|href|data)/i.test(text) ? text : REFUSED;
			}
		},
	};
}

function escapeAttribute(text: string): string {
	return escapeHtml(text).replaceAll('+', '&#43;').replaceAll('\0', '\ufffd');
}

/** Without quotes, anything that ends a value must go as well. */
function escapeUnquoted(text: string): string {
	if (text === '') return REFUSED;
	return escapeAttribute(text).replace(/[\t\n\v\f\r =`]/g, (char) => `&#${char.charCodeAt(0)};`);
}

function inAddress(text: string, before: string): string {
	if (/[?#]/.test(before)) return encodeAll(text);
	if (before === '') {
		const colon = text.indexOf(':');
		if (colon >= 0 && !text.slice(0, colon).includes('/') && !/^(?:https?|mailto)$/i.test(text.slice(0, colon))) return `#${REFUSED}`;
	}
	// What is an address already stays one; everything else is encoded.
	return [...new TextEncoder().encode(text)]
		.map((byte, i, bytes) => {
			const char = String.fromCharCode(byte);
			if (/[a-zA-Z0-9\-._~!#$&*+,/:;=?@[\]]/.test(char)) return char;
			if (char === '%' && /^[0-9a-fA-F]{2}$/.test(String.fromCharCode(...bytes.slice(i + 1, i + 3)))) return char;
			return percent(byte);
		})
		.join('');
}

function encodeAll(text: string): string {
	return [...new TextEncoder().encode(text)]
		.map((byte) => {
			const char = String.fromCharCode(byte);
			return /[a-zA-Z0-9\-._~]/.test(char) ? char : percent(byte);
		})
		.join('');
}

function percent(byte: number): string {
	return `%${byte.toString(16).padStart(2, '0')}`;
}

function inStyle(text: string): string {
	return UNSAFE_CSS.test(text) || text.includes('--') ? REFUSED : text;
}

function inScript(value: unknown): string {
	const plain = value instanceof SafeHtml ? value.text : value instanceof Map ? Object.fromEntries(value) : value;
	return (JSON.stringify(plain) ?? 'null').replaceAll('<', '\\u003c').replaceAll('>', '\\u003e').replaceAll('&', '\\u0026');
}

function withoutTags(html: string): string {
	return html.replace(/<[^>]*>/g, '');
}
