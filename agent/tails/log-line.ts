import type { LogRecord } from '../../protocol/log-record.ts';
import type { LineParser } from './parsers/parsed-event.ts';

/** What the collector takes in a parsed text; the whole line is in `raw` anyway. */
const SHORT_CHARACTERS = 1024;
const OBJECT_CHARACTERS = 16_384;

export interface LineContext {
	readonly host: string;
	readonly system: string;
	readonly stream: string;
	readonly encoding: 'utf8' | 'gb18030';
	readonly timeZone: string;
	readonly parse: LineParser;
}

/**
 * The record of one event. The bytes are kept as they were: bytes that are not UTF-8 go into `raw` as base64, and the
 * decoded text into `fields.text`, so that what is sealed is what the program wrote.
 */
export function logRecord(bytes: Buffer, context: LineContext, seq: number, nowMs: number): LogRecord {
	const utf8 = decodeUtf8(bytes);
	const text = utf8 ?? new TextDecoder(context.encoding === 'gb18030' ? 'gb18030' : 'utf-8').decode(bytes);
	const event = context.parse(text, { nowMs, timeZone: context.timeZone });
	// Refused for its length, a line would be lost to the audit: that is what a long name or address in an attack is for.
	const cut: string[] = [];
	const limited = (name: string, value: string, limit: number) => {
		if (value.length <= limit) return value;
		cut.push(name);
		// Half of a surrogate pair at the end could not be written as UTF-8.
		return value.slice(0, limit).replace(/[\ud800-\udbff]$/, '');
	};
	const short = (name: string, value: string) => limited(name, value, SHORT_CHARACTERS);
	const record = {
		v: 1 as const,
		stream: context.stream,
		seq,
		eventTimeMs: isTime(event.eventTimeMs) ? event.eventTimeMs : nowMs,
		receiveTimeMs: nowMs,
		host: context.host,
		system: context.system,
		source: short('source', event.source),
		kind: event.kind,
		actor: short('actor', event.actor),
		action: short('action', event.action),
		object: limited('object', event.object, OBJECT_CHARACTERS),
		result: event.result,
		srcAddr: short('srcAddr', event.srcAddr),
		srcMac: '',
		module: short('module', event.module),
		severity: short('severity', event.severity),
		raw: utf8 ?? bytes.toString('base64'),
	};
	return {
		...record,
		fields: {
			...event.fields,
			...(utf8 === null ? { rawEncoding: 'base64', text } : {}),
			...(cut.length === 0 ? {} : { shortened: cut.join(',') }),
		},
	};
}

/** Whether a parser's time is one: a line may claim any year. */
function isTime(time: number | null): time is number {
	return time !== null && Number.isSafeInteger(time) && time >= 0 && time <= 8.64e15;
}

function decodeUtf8(bytes: Buffer): string | null {
	try {
		// `ignoreBOM` keeps a byte order mark as what it is: a part of the line.
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		return null;
	}
}
