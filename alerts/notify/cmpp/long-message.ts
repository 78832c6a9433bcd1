import type { MessagePart } from './codec.ts';

/** UCS-2 units of a message alone, and of one of several parts, which carry a header of six bytes. */
const SINGLE_UNITS = 70;
const PART_UNITS = 67;
/** Parts that one header can count. */
const MAX_PARTS = 255;

/** A text in UCS-2, in parts of at most 140 bytes; `reference` is the same for all parts of one message. A surrogate pair stays together. */
export function messageParts(text: string, reference: number): readonly MessagePart[] {
	if (text.length <= SINGLE_UNITS) return [{ joined: false, content: ucs2(text) }];
	const pieces: string[] = [];
	for (let at = 0; at < text.length && pieces.length < MAX_PARTS; ) {
		let end = Math.min(at + PART_UNITS, text.length);
		const last = text.charCodeAt(end - 1);
		if (end < text.length && last >= 0xd800 && last <= 0xdbff) end--;
		pieces.push(text.slice(at, end));
		at = end;
	}
	return pieces.map((piece, i) => ({
		joined: true,
		content: Buffer.concat([Buffer.from([0x05, 0x00, 0x03, reference & 0xff, pieces.length, i + 1]), ucs2(piece)]),
	}));
}

function ucs2(text: string): Buffer {
	return Buffer.from(text, 'utf16le').swap16();
}
