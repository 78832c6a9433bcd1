import { monthOf, zonedTime } from '../log-time.ts';
import { type ParseContext, type ParsedEvent, parsedEvent } from './parsed-event.ts';

/** Tomcat 8 and later: `21-Nov-2026 21:05:57.123 INFO [main] org.apache.…Catalina.start Server startup …` */
const ONE_LINE =
	/^([0-9]{1,2})-([A-Za-z]{3})[a-z]*-([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]{3}))? (\S+) \[(.*?)\] (\S+) (.*)$/s;
/** Tomcat 7: `Nov 21, 2026 9:05:57 PM org.apache.…Catalina start`, the level and text on the next line. */
const TWO_LINES =
	/^([A-Z][a-z]{2}) ([0-9]{1,2}), ([0-9]{4}) ([0-9]{1,2}):([0-9]{2}):([0-9]{2}) ([AP]M) (\S+ \S+)\r?\n(?:([A-Z]+): )?(.*)$/s;

/** Whether a line begins an event; all others (stack traces, the second line of Tomcat 7) belong to the one before. */
export function startsCatalinaEvent(line: string): boolean {
	return /^([0-9]{1,2}-[A-Za-z]{3,9}-[0-9]{4} [0-9]{2}:|[A-Z][a-z]{2} [0-9]{1,2}, [0-9]{4} |[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:)/.test(
		line,
	);
}

/** `catalina.out` and `catalina.<date>.log`: one event with its stack trace. */
export function parseCatalinaEvent(text: string, context: ParseContext): ParsedEvent {
	const one = ONE_LINE.exec(text);
	if (one !== null) {
		const [, day, monthName = '', year, hour, minute, second, millisecond, level = '', thread = '', logger = '', message = ''] = one;
		const wall = {
			year: Number(year),
			month: monthOf(monthName) ?? 0,
			day: Number(day),
			hour: Number(hour),
			minute: Number(minute),
			second: Number(second),
		};
		const eventTimeMs = zonedTime({ ...wall, millisecond: Number(millisecond ?? 0) }, context.timeZone);
		return describe(eventTimeMs, level, logger, message, { thread });
	}
	const two = TWO_LINES.exec(text);
	if (two !== null) {
		const [, monthName = '', day, year, hour, minute, second, half, logger = '', level = '', message = ''] = two;
		const wall = {
			...{ year: Number(year), month: monthOf(monthName) ?? 0, day: Number(day), minute: Number(minute), second: Number(second) },
			hour: (Number(hour) % 12) + (half === 'PM' ? 12 : 0),
		};
		return describe(zonedTime(wall, context.timeZone), level, logger.replace(' ', '.'), message, {});
	}
	return parsedEvent('catalina', {});
}

function describe(
	eventTimeMs: number,
	level: string,
	logger: string,
	message: string,
	known: Readonly<Record<string, string>>,
): ParsedEvent {
	const exception = /(?:^|\n|\s)((?:[a-z_$][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error))\b/.exec(message)?.[1];
	return parsedEvent('catalina', {
		eventTimeMs,
		module: logger,
		severity: level.toLowerCase(),
		result: level === 'SEVERE' || level === 'ERROR' ? 'failure' : 'unknown',
		fields: { ...known, ...(exception === undefined ? {} : { exception }) },
	});
}
