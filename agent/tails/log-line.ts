import type { LogRecord } from '../../protocol/log-record.ts';
import type { LineParser } from './parsers/parsed-event.ts';

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
	return {
		v: 1,
		stream: context.stream,
		seq,
		eventTimeMs: event.eventTimeMs ?? nowMs,
		receiveTimeMs: nowMs,
		host: context.host,
		system: context.system,
		source: event.source,
		kind: event.kind,
		actor: event.actor,
		action: event.action,
		object: event.object,
		result: event.result,
		srcAddr: event.srcAddr,
		srcMac: '',
		module: event.module,
		severity: event.severity,
		raw: utf8 ?? bytes.toString('base64'),
		fields: utf8 === null ? { ...event.fields, rawEncoding: 'base64', text } : event.fields,
	};
}

function decodeUtf8(bytes: Buffer): string | null {
	try {
		// `ignoreBOM` keeps a byte order mark as what it is: a part of the line.
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch {
		return null;
	}
}
