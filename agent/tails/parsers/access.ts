import { monthOf, zonedTime } from '../log-time.ts';
import { type ParseContext, type ParsedEvent, parsedEvent } from './parsed-event.ts';

/** `addr ident user [time] "request" status bytes`, with `"referer" "agent"` behind it in the combined format. Quotes inside are escaped by Nginx (`\x22`) and Tomcat (`\"`). */
const LINE =
	/^(\S+) (\S+) (.+?) \[([0-9]{2})\/([A-Za-z]{3})\/([0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2}) ([+-][0-9]{4})\] "((?:[^"\\]|\\.)*)" ([0-9]{3}) ([0-9]+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?/;

/** Access logs of Nginx (`combined`) and Tomcat (`common`, `combined`). `source` is `nginx-access` or `tomcat-access`. */
export function parseAccessLine(source: string, text: string, _context: ParseContext): ParsedEvent {
	const match = LINE.exec(text);
	if (match === null) return parsedEvent(source, {});
	const [, address = '', , user = '', day, monthName = '', year, hour, minute, second, zone = '', request = '', status = '', bytes = ''] =
		match;
	const [, , , , , , , , , , , , , , referer, agent] = match;
	const [, method = '', target = '', protocol = ''] = /^(\S+) (.*?)(?: (HTTP\/[0-9.]+))?$/.exec(request) ?? [];
	const wall = {
		year: Number(year),
		month: monthOf(monthName) ?? 0,
		day: Number(day),
		hour: Number(hour),
		minute: Number(minute),
		second: Number(second),
	};
	const offsetMs = (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5))) * 60_000;
	return parsedEvent(source, {
		eventTimeMs: zonedTime(wall, 'UTC') - offsetMs,
		kind: 'request',
		actor: user === '-' ? '' : user,
		action: method,
		object: target,
		result: Number(status) < 400 ? 'success' : 'failure',
		srcAddr: address,
		severity: Number(status) >= 500 ? 'error' : 'info',
		fields: {
			status,
			bytes: bytes === '-' ? '0' : bytes,
			...(protocol === '' ? {} : { protocol }),
			...(referer === undefined || referer === '-' ? {} : { referer }),
			...(agent === undefined || agent === '-' ? {} : { userAgent: agent }),
		},
	});
}
