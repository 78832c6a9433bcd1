import { bsdTime, monthOf } from '../log-time.ts';
import type { ParseContext } from './parsed-event.ts';

export interface SyslogLine {
	readonly eventTimeMs: number | null;
	readonly host: string;
	/** Name of the program without its process id; `''` when the line is not in syslog's form. */
	readonly program: string;
	readonly pid: string;
	readonly message: string;
}

const BSD = /^([A-Z][a-z]{2}) {1,2}([0-9]{1,2}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) (\S+) ([^:[\s]+)(?:\[([0-9]+)\])?:? ?(.*)$/s;
const ISO = /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9]{2}:?[0-9]{2})) (\S+) ([^:[\s]+)(?:\[([0-9]+)\])?:? ?(.*)$/s;

/** A line of a file that a syslog daemon writes, in the traditional (RFC 3164) or the RFC 3339 form. */
export function parseSyslogLine(text: string, context: ParseContext): SyslogLine {
	const bsd = BSD.exec(text);
	if (bsd !== null) {
		const month = monthOf(bsd[1] ?? '');
		if (month !== null) {
			const wall = { month, day: Number(bsd[2]), hour: Number(bsd[3]), minute: Number(bsd[4]), second: Number(bsd[5]) };
			return {
				eventTimeMs: bsdTime(wall, context.timeZone, context.nowMs),
				host: bsd[6] ?? '',
				program: bsd[7] ?? '',
				pid: bsd[8] ?? '',
				message: bsd[9] ?? '',
			};
		}
	}
	const iso = ISO.exec(text);
	if (iso !== null) {
		const time = Date.parse(iso[1] ?? '');
		return {
			eventTimeMs: Number.isNaN(time) ? null : time,
			host: iso[2] ?? '',
			program: iso[3] ?? '',
			pid: iso[4] ?? '',
			message: iso[5] ?? '',
		};
	}
	return { eventTimeMs: null, host: '', program: '', pid: '', message: text };
}
