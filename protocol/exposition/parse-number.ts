/** Powers of ten that are exact as doubles. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** More digits than this may not fit into the 53 bits within which the fast way is exact. */
const FAST_DIGITS = 15;
const NUMBER = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
/** Longer than any shortest or exact spelling of a double that a program prints. */
const LONGEST_NUMBER = 1100;

/**
 * The number that `bytes[start .. end)` spells, or `undefined`. What Go's `strconv.ParseFloat` takes, without hexadecimal and
 * underscores, which Prometheus excludes: decimal with exponent, `Inf` and `NaN` in any case. Too large for a double is no number.
 */
export function parseNumber(bytes: Uint8Array, start: number, end: number): number | undefined {
	let pos = start;
	const first = bytes[pos] as number;
	const negative = first === 0x2d;
	if (negative || first === 0x2b) pos++;
	let mantissa = 0;
	let digits = 0;
	let scale = 0;
	let seenPoint = false;
	for (; pos < end; pos++) {
		const byte = bytes[pos] as number;
		if (byte >= 0x30 && byte <= 0x39) {
			mantissa = mantissa * 10 + (byte - 0x30);
			digits++;
			if (seenPoint) scale--;
		} else if (byte === 0x2e && !seenPoint) seenPoint = true;
		else break;
	}
	if (digits === 0 || digits > FAST_DIGITS) return slowNumber(bytes, start, end);
	if (pos < end) {
		const exponent = parseExponent(bytes, pos, end);
		if (exponent === undefined) return undefined;
		scale += exponent;
	}
	if (scale < -22 || scale > 22) return slowNumber(bytes, start, end);
	const value = scale < 0 ? mantissa / (POWERS[-scale] as number) : mantissa * (POWERS[scale] as number);
	return negative ? -value : value;
}

function parseExponent(bytes: Uint8Array, start: number, end: number): number | undefined {
	let pos = start;
	if (((bytes[pos++] as number) | 0x20) !== 0x65) return undefined;
	const sign = bytes[pos] as number;
	if (sign === 0x2d || sign === 0x2b) pos++;
	if (pos === end) return undefined;
	let exponent = 0;
	for (; pos < end; pos++) {
		const byte = bytes[pos] as number;
		if (byte < 0x30 || byte > 0x39) return undefined;
		exponent = Math.min(exponent * 10 + (byte - 0x30), 100_000);
	}
	return sign === 0x2d ? -exponent : exponent;
}

function slowNumber(bytes: Uint8Array, start: number, end: number): number | undefined {
	if (end - start > LONGEST_NUMBER) return undefined;
	let text = '';
	for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i] as number);
	if (NUMBER.test(text)) {
		const value = Number(text);
		return Number.isFinite(value) ? value : undefined;
	}
	const infinite = INFINITE.exec(text);
	if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
	return text.toLowerCase() === 'nan' ? Number.NaN : undefined;
}
