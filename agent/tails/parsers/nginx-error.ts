import { zonedTime } from '../log-time.ts';
import { type ParseContext, type ParsedEvent, parsedEvent } from './parsed-event.ts';

const LINE = /^([0-9]{4})\/([0-9]{2})\/([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) \[([a-z]+)\] ([0-9]+)#[0-9]+: (?:\*[0-9]+ )?(.*)$/s;

/** Nginx's error log; its times are in the server's zone and do not say so. */
export function parseNginxErrorLine(text: string, context: ParseContext): ParsedEvent {
	const match = LINE.exec(text);
	if (match === null) return parsedEvent('nginx-error', {});
	const [, year, month, day, hour, minute, second, severity = '', pid = '', message = ''] = match;
	const client = /, client: ([^,]+)/.exec(message)?.[1] ?? '';
	const [, method = '', target = ''] = /, request: "(\S+) (\S+)/.exec(message) ?? [];
	const upstream = /, upstream: "([^"]+)"/.exec(message)?.[1];
	return parsedEvent('nginx-error', {
		eventTimeMs: zonedTime(
			{
				year: Number(year),
				month: Number(month) - 1,
				day: Number(day),
				hour: Number(hour),
				minute: Number(minute),
				second: Number(second),
			},
			context.timeZone,
		),
		severity,
		action: method,
		object: target,
		srcAddr: client,
		result: /^(error|crit|alert|emerg)$/.test(severity) ? 'failure' : 'unknown',
		fields: { pid, ...(upstream === undefined ? {} : { upstream }) },
	});
}
