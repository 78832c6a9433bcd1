/** One shift as a calendar shows it. */
export interface CalendarEntry {
	/** Stable for the same shift, so that a calendar that asks again moves nothing. */
	readonly uid: string;
	readonly fromMs: number;
	readonly toMs: number;
	readonly summary: string;
	readonly description: string;
}

/** An iCalendar object (RFC 5545), with CRLF line ends, lines of at most 75 octets and times in UTC. */
export function icalendar(name: string, entries: readonly CalendarEntry[], nowMs: number): string {
	const lines = [
		'BEGIN:VCALENDAR',
		'VERSION:2.0',
		'PRODID:-//Fournines//on-call//EN',
		'CALSCALE:GREGORIAN',
		'METHOD:PUBLISH',
		`X-WR-CALNAME:${escapeText(name)}`,
		...entries.flatMap((entry) => [
			'BEGIN:VEVENT',
			`UID:${escapeText(entry.uid)}`,
			`DTSTAMP:${utc(nowMs)}`,
			`DTSTART:${utc(entry.fromMs)}`,
			`DTEND:${utc(entry.toMs)}`,
			`SUMMARY:${escapeText(entry.summary)}`,
			`DESCRIPTION:${escapeText(entry.description)}`,
			'END:VEVENT',
		]),
		'END:VCALENDAR',
	];
	return lines.map((line) => `${fold(line)}\r\n`).join('');
}

/** RFC 5545 §3.3.11. */
function escapeText(text: string): string {
	return text
		.replace(/\\/g, '\\\\')
		.replace(/;/g, '\\;')
		.replace(/,/g, '\\,')
		.replace(/\r\n|\r|\n/g, '\\n');
}

const LINE_OCTETS = 75;

/** RFC 5545 §3.1: a longer line goes on after a line break and a space. A character of several octets is not torn apart. */
function fold(line: string): string {
	const parts: string[] = [];
	let part = '';
	let octets = 0;
	for (const character of line) {
		const size = Buffer.byteLength(character);
		if (octets + size > LINE_OCTETS) {
			parts.push(part);
			part = ' ';
			octets = 1;
		}
		part += character;
		octets += size;
	}
	return [...parts, part].join('\r\n');
}

function utc(timeMs: number): string {
	return new Date(Math.floor(timeMs / 1000) * 1000).toISOString().replace(/[-:]|\.000/g, '');
}
