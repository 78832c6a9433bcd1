/** UTF-8 bytes of `text`. */
export function byteLength(text: string): number {
	return Buffer.byteLength(text, 'utf8');
}

/** UTF-16 code units, which is what a short message in UCS-2 counts. */
export function unitLength(text: string): number {
	return text.length;
}

/** The longest beginning of `text` that fits `limit`, ending in `…` when something was cut; never splits a character. */
export function shorten(text: string, limit: number, measure: (text: string) => number): string {
	if (measure(text) <= limit) return text;
	const room = limit - measure('…');
	if (room < 0) return '';
	let kept = '';
	let used = 0;
	for (const character of text) {
		used += measure(character);
		if (used > room) break;
		kept += character;
	}
	return `${kept}…`;
}

/** A piece of a message. The highest `sacrifice` is shortened first; 0 is never touched until nothing else is left. */
export interface Piece {
	readonly text: string;
	readonly sacrifice: number;
	/** Goes as a whole or not at all: half a link leads nowhere. */
	readonly whole?: boolean;
}

/** Joins pieces and cuts the least important ones until the whole fits, so that what and where survive a long description. */
export function fitPieces(pieces: readonly Piece[], limit: number, measure: (text: string) => number): string {
	const texts = pieces.map((piece) => piece.text);
	let over = measure(texts.join('')) - limit;
	const order = pieces
		.map((piece, index) => ({ piece, index }))
		.filter(({ piece }) => piece.sacrifice > 0)
		.sort((a, b) => b.piece.sacrifice - a.piece.sacrifice || b.index - a.index);
	for (const { piece, index } of order) {
		if (over <= 0) break;
		const length = measure(piece.text);
		const cut = piece.whole === true ? '' : shorten(piece.text, Math.max(0, length - over), measure);
		// A few letters and an ellipsis say nothing and cost a line.
		texts[index] = measure(cut) < 12 ? '' : keepLineBreak(piece.text, cut, measure, length - over);
		over = measure(texts.join('')) - limit;
	}
	const joined = texts.join('');
	return over > 0 ? shorten(joined, limit, measure) : joined;
}

function keepLineBreak(original: string, cut: string, measure: (text: string) => number, limit: number): string {
	if (!original.endsWith('\n') || cut.endsWith('\n')) return cut;
	return `${shorten(original, Math.max(0, limit - 1), measure)}\n`;
}

/** Parts that a short message of `units` takes: one of 70, or several of 67 because each then carries a header. */
export function smsParts(units: number): number {
	return units <= 70 ? 1 : Math.ceil(units / 67);
}

/** Most units that fit into `parts` parts. */
export function smsCapacity(parts: number): number {
	return parts <= 1 ? 70 : parts * 67;
}
