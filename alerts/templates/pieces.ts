import type { Piece } from './shorten.ts';

/** Unicode noncharacters, which no text may hold, so that nothing in an annotation can end or begin a piece. */
const BEGIN = '\ufdd0';
const END = '\ufdd1';
const MARKS = /[\ufdd0\ufdd1]/g;
/** Highest importance that can be written in one character after BEGIN. */
const HIGHEST = 999;

/** Marks a part of a text that may be shortened: the highest `sacrifice` first; `whole` goes entirely or not at all. */
export function markPiece(text: string, sacrifice: number, whole: boolean): string {
	if (text === '') return '';
	const rank = Math.max(0, Math.min(HIGHEST, Math.trunc(sacrifice)));
	return `${BEGIN}${String.fromCharCode(0x100 + rank)}${whole ? 'w' : 'c'}${text.replace(MARKS, '')}${END}`;
}

/** The pieces of a rendered template; what lies between marks has no sacrifice. */
export function piecesOf(rendered: string): readonly Piece[] {
	const pieces: Piece[] = [];
	let rest = rendered;
	while (rest !== '') {
		const begin = rest.indexOf(BEGIN);
		const plain = begin === -1 ? rest : rest.slice(0, begin);
		if (plain !== '') pieces.push({ text: plain.replace(MARKS, ''), sacrifice: 0 });
		if (begin === -1) break;
		const end = rest.indexOf(END, begin);
		const body = rest.slice(begin + 1, end === -1 ? undefined : end);
		pieces.push({ text: body.slice(2), sacrifice: body.charCodeAt(0) - 0x100, ...(body[1] === 'w' ? { whole: true } : {}) });
		rest = end === -1 ? '' : rest.slice(end + 1);
	}
	return pieces;
}
