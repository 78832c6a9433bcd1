/**
 * The value of a number or duration literal without a sign (`1_000`, `.5`, `0x1F`, `1e3`, `Inf`, `5m`), or `null`.
 * Durations are seconds, as in Prometheus 3.
 */
export function parseNumber(text: string): number | null {
	const lower = text.toLowerCase();
	if (lower === 'inf') return Number.POSITIVE_INFINITY;
	if (lower === 'nan') return Number.NaN;
	const digits = lower.replaceAll('_', '');
	if (/^0x[0-9a-f]+$/.test(digits)) return Number(BigInt(digits));
	// Go reads a leading zero as octal (0755) as long as all digits are; 08 is a mistake there, but 0.5 and 00 are not affected.
	if (/^0[0-7]+$/.test(digits)) return Number.parseInt(digits, 8);
	if (/^([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?$/.test(digits)) return Number(digits);
	const ms = durationMs(text);
	return ms === null ? null : ms / 1000;
}

const DURATION = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/;
const UNITS = [31_536_000_000, 604_800_000, 86_400_000, 3_600_000, 60_000, 1000, 1];

function durationMs(text: string): number | null {
	const match = DURATION.exec(text);
	if (match === null || text === '') return null;
	let total = 0;
	for (let i = 0; i < UNITS.length; i++) total += Number(match[i + 1] ?? 0) * (UNITS[i] as number);
	return total;
}

const SIMPLE: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };

/** The value of a quoted string with Go's escapes (raw between backticks), or a message that says what is wrong with it. */
export function unquote(text: string): { readonly value: string } | { readonly problem: string } {
	const quote = text[0] ?? '';
	if (text.length < 2 || text.at(-1) !== quote) return { problem: 'unterminated quoted string' };
	const body = text.slice(1, -1);
	if (quote === '`') return { value: body };
	if (!body.includes('\\')) return body.includes('\n') ? { problem: 'unterminated quoted string' } : { value: body };
	// \x and octal escapes are bytes, so the whole is built as UTF-8.
	const parts: Buffer[] = [];
	let plainFrom = 0;
	for (let i = 0; i < body.length; i++) {
		if (body[i] === '\n') return { problem: 'unterminated quoted string' };
		if (body[i] !== '\\') continue;
		parts.push(Buffer.from(body.slice(plainFrom, i), 'utf8'));
		const next = body[i + 1] ?? '';
		const simple = SIMPLE[next] ?? (next === quote ? quote : undefined);
		if (simple !== undefined) {
			parts.push(Buffer.from(simple, 'utf8'));
			i += 1;
		} else if (next === 'x' || /[0-7]/.test(next)) {
			const digits = next === 'x' ? body.slice(i + 2, i + 4) : body.slice(i + 1, i + 4);
			const valid = next === 'x' ? /^[0-9a-fA-F]{2}$/.test(digits) : /^[0-3][0-7]{2}$/.test(digits);
			if (!valid) return { problem: 'invalid escape sequence in string' };
			parts.push(Buffer.from([Number.parseInt(digits, next === 'x' ? 16 : 8)]));
			i += 3;
		} else if (next === 'u' || next === 'U') {
			const length = next === 'u' ? 4 : 8;
			const digits = body.slice(i + 2, i + 2 + length);
			const code = Number.parseInt(digits, 16);
			if (!/^[0-9a-fA-F]+$/.test(digits) || digits.length !== length || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
				return { problem: 'escape sequence is an invalid Unicode code point' };
			}
			parts.push(Buffer.from(String.fromCodePoint(code), 'utf8'));
			i += 1 + length;
		} else {
			return { problem: `unknown escape sequence '\\${next}'` };
		}
		plainFrom = i + 1;
	}
	parts.push(Buffer.from(body.slice(plainFrom), 'utf8'));
	return { value: Buffer.concat(parts).toString('utf8') };
}

/**
 * Replaces the number spellings that Prometheus takes and the grammar does not (`2.`, `2.e3`, `0X1F`) by equal ones of
 * the same length, so that positions stay right. Strings and comments are left alone.
 */
export function normaliseNumbers(text: string): string {
	if (!/[0-9]\.(?![0-9])|0X/.test(text)) return text;
	return text.replace(
		/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*|[A-Za-z_:][A-Za-z0-9_:]*|0X[0-9a-fA-F]+|[0-9]+\.(?![0-9])([eE][+-]?[0-9]+)?/gs,
		(token, exponent: string | undefined) => {
			if (token.startsWith('0X')) return `0x${token.slice(2)}`;
			if (!/^[0-9]/.test(token)) return token;
			return `${token.slice(0, token.indexOf('.'))}${exponent ?? ''} `;
		},
	);
}
