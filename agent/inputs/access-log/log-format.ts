import { AppError } from '../../../core/errors.ts';

/** The variables of a line that are counted; the others are skipped over. */
export type LogField = 'request' | 'method' | 'uri' | 'status' | 'bytes' | 'time' | 'upstreamTime' | 'server';

export interface LogLine {
	method: string;
	/** Without the query. */
	path: string;
	status: string;
	bytes: number;
	/** Seconds; NaN when the format has no time, or the line has none. */
	timeSeconds: number;
	/** Seconds that upstreams took; with several attempts their sum. NaN when none was asked. */
	upstreamSeconds: number;
	server: string;
}

interface Part {
	readonly field: LogField | null;
	/** Factor to seconds of a time. */
	readonly scale: number;
	/** What stands behind the value; `''` at the end of the line. */
	readonly until: string;
	/** Whether a backslash escapes the character behind it, as it does inside of quotes. */
	readonly escaped: boolean;
}

export interface LogFormat {
	readonly lead: string;
	readonly parts: readonly Part[];
	readonly fields: ReadonlySet<LogField>;
}

/** Variables of Nginx' `log_format`. `$request_length` and `$upstream_*` beside the times are not counted. */
const NGINX_FIELDS: Readonly<Record<string, LogField>> = {
	request: 'request',
	request_method: 'method',
	request_uri: 'uri',
	uri: 'uri',
	document_uri: 'uri',
	status: 'status',
	body_bytes_sent: 'bytes',
	bytes_sent: 'bytes',
	request_time: 'time',
	upstream_response_time: 'upstreamTime',
	host: 'server',
	http_host: 'server',
	server_name: 'server',
};

/** Pattern codes of Tomcat's AccessLogValve (and Apache httpd). */
const TOMCAT_FIELDS: Readonly<Record<string, LogField>> = {
	r: 'request',
	m: 'method',
	U: 'uri',
	s: 'status',
	b: 'bytes',
	B: 'bytes',
	D: 'time',
	T: 'time',
	v: 'server',
};

export const NAMED_FORMATS: Readonly<Record<string, string>> = {
	combined: '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"',
	'tomcat-common': '%h %l %u %t "%r" %s %b',
	'tomcat-combined': '%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"',
};

/**
 * Compiles a `log_format` of Nginx or a pattern of Tomcat's AccessLogValve. `durationUnit` is that of Tomcat's `%D`:
 * milliseconds up to Tomcat 9, microseconds from 10 on. Throws `FN_AGENT_LOG_FORMAT` for a format that has no status or in
 * which two values stand side by side with nothing between them.
 */
export function compileLogFormat(text: string, durationUnit: 'ms' | 'us' = 'ms'): LogFormat {
	const format = NAMED_FORMATS[text] ?? text;
	const tomcat = format.includes('%') && !format.includes('$');
	const pattern = tomcat ? /%(?:\{([^}]*)\})?([a-zA-Z%])/g : /\$(?:\{([a-z0-9_]+)\}|([a-z0-9_]+))/g;
	const found: { readonly field: LogField | null; readonly scale: number; readonly end: number; readonly start: number }[] = [];
	for (const match of format.matchAll(pattern)) {
		const name = tomcat ? (match[2] ?? '') : (match[1] ?? match[2] ?? '');
		// `%{name}i` and its like are headers and attributes, not the variable that the letter alone stands for.
		const field = tomcat ? (match[1] === undefined ? (TOMCAT_FIELDS[name] ?? null) : null) : (NGINX_FIELDS[name] ?? null);
		const scale = tomcat && name === 'D' ? (durationUnit === 'ms' ? 1e-3 : 1e-6) : 1;
		found.push({ field, scale, start: match.index, end: match.index + match[0].length });
	}
	const parts: Part[] = found.map(({ field, scale, end }, i) => {
		const next = found[i + 1];
		const until = format.slice(end, next?.start ?? format.length);
		if (next !== undefined && until === '')
			throw new AppError('FN_AGENT_LOG_FORMAT', `"${text}" has two values with nothing between them; put a blank there`);
		// Tomcat writes `%t` with its brackets and a blank inside.
		const bracketed = tomcat && format.slice(end - 2, end) === '%t';
		return { field, scale, until: bracketed ? `]${until}` : until, escaped: until.startsWith('"') };
	});
	const fields = new Set(parts.flatMap(({ field }) => (field === null ? [] : [field])));
	if (!fields.has('status')) throw new AppError('FN_AGENT_LOG_FORMAT', `"${text}" has no status; without it there is nothing to count`);
	return { lead: format.slice(0, found[0]?.start ?? 0), parts, fields };
}

/** One line; `null` when it does not fit the format. The object is filled anew by each call of the same parser. */
export function lineParser(format: LogFormat): (line: string) => LogLine | null {
	const result: LogLine = { method: '', path: '', status: '', bytes: 0, timeSeconds: Number.NaN, upstreamSeconds: Number.NaN, server: '' };
	return (line) => {
		if (!line.startsWith(format.lead)) return null;
		result.method = '';
		result.path = '';
		result.status = '';
		result.server = '';
		result.bytes = 0;
		result.timeSeconds = Number.NaN;
		result.upstreamSeconds = Number.NaN;
		let at = format.lead.length;
		for (const part of format.parts) {
			const end = endOf(line, at, part);
			if (end < 0) return null;
			if (part.field !== null) take(result, part, line.slice(at, end));
			at = end + part.until.length;
		}
		return /^[1-5][0-9]{2}$/.test(result.status) ? result : null;
	};
}

function endOf(line: string, from: number, part: Part): number {
	if (part.until === '') return line.length;
	let end = line.indexOf(part.until, from);
	if (!part.escaped) return end;
	while (end >= 0 && isEscaped(line, from, end)) end = line.indexOf(part.until, end + 1);
	return end;
}

function isEscaped(line: string, from: number, at: number): boolean {
	let slashes = 0;
	for (let i = at - 1; i >= from && line.charCodeAt(i) === 92; i--) slashes++;
	return slashes % 2 === 1;
}

function take(result: LogLine, part: Part, text: string): void {
	switch (part.field) {
		case 'request': {
			const first = text.indexOf(' ');
			if (first < 0) return;
			const last = text.lastIndexOf(' ');
			result.method = text.slice(0, first);
			result.path = pathOf(text.slice(first + 1, last > first ? last : undefined));
			return;
		}
		case 'method':
			result.method = text;
			return;
		case 'uri':
			result.path = pathOf(text);
			return;
		case 'status':
			result.status = text;
			return;
		case 'bytes':
			result.bytes = text === '-' ? 0 : Number(text) || 0;
			return;
		case 'time':
			result.timeSeconds = text === '-' || text === '' ? Number.NaN : Number(text) * part.scale;
			return;
		case 'upstreamTime':
			result.upstreamSeconds = sumOfAttempts(text);
			return;
		case 'server':
			result.server = text;
			return;
	}
}

function pathOf(uri: string): string {
	const query = uri.indexOf('?');
	return query < 0 ? uri : uri.slice(0, query);
}

/** A request that was tried at several upstreams has their times with commas (and colons between groups): `0.000, 0.120 : 0.004`. `-` is one that was not reached. */
export function sumOfAttempts(text: string): number {
	let sum = Number.NaN;
	for (const word of text.split(/[,:]/)) {
		const trimmed = word.trim();
		const value = trimmed === '' || trimmed === '-' ? Number.NaN : Number(trimmed);
		if (!Number.isNaN(value)) sum = Number.isNaN(sum) ? value : sum + value;
	}
	return sum;
}
