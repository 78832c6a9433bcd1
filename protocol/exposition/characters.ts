const TAB = 0x09;
export const LINE_FEED = 0x0a;
export const SPACE = 0x20;
export const QUOTE = 0x22;
export const HASH = 0x23;
export const COMMA = 0x2c;
export const EQUALS = 0x3d;
export const BACKSLASH = 0x5c;
export const OPEN = 0x7b;
export const CLOSE = 0x7d;

/** Bits per byte: may begin a label name, may continue one; a colon only in metric names. */
export const FIRST = 1;
export const LATER = 2;
export const COLON = 4;
export const CLASSES = Uint8Array.from({ length: 256 }, (_, byte) => {
	const char = String.fromCharCode(byte);
	return /[a-zA-Z_]/.test(char) ? FIRST | LATER : /[0-9]/.test(char) ? LATER : char === ':' ? COLON : 0;
});

export function isBlank(byte: number | undefined): boolean {
	return byte === SPACE || byte === TAB;
}
