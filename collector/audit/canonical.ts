import type { LogRecord } from '../../protocol/log-record.ts';

/**
 * RFC 8785 (JSON Canonicalization Scheme) bytes of a JSON value: keys sorted by UTF-16 code units, no white space,
 * numbers as ECMAScript prints them. Text with a lone surrogate has no UTF-8 form; it is made well-formed before.
 */
export function canonicalJson(value: unknown): string {
	if (value === null || typeof value === 'boolean') return String(value);
	if (typeof value === 'number') {
		if (!Number.isFinite(value)) throw new RangeError(`${value} has no JSON form`);
		return JSON.stringify(value);
	}
	if (typeof value === 'string') return JSON.stringify(value.toWellFormed());
	if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
	if (typeof value === 'object') {
		const object = value as Readonly<Record<string, unknown>>;
		const pairs = Object.keys(object)
			.sort()
			.map((key) => `${JSON.stringify(key.toWellFormed())}:${canonicalJson(object[key])}`);
		return `{${pairs.join(',')}}`;
	}
	throw new TypeError(`a ${typeof value} has no JSON form`);
}

export function canonicalRecord(record: LogRecord): string {
	return canonicalJson(record);
}
