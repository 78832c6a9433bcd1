import type { LogKind } from '../config.ts';
import { parseAccessLine } from './access.ts';
import { parseAuthLine } from './auth.ts';
import { parseCatalinaEvent, startsCatalinaEvent } from './catalina.ts';
import { parseNginxErrorLine } from './nginx-error.ts';
import { type LineParser, parsedEvent } from './parsed-event.ts';
import { parseSyslogLine } from './syslog.ts';

export interface LogFormat {
	readonly parse: LineParser;
	/** For formats whose events span lines: whether a line begins one. */
	readonly startsEvent: ((line: string) => boolean) | null;
}

/** How each configured kind is read. The explicit list of what there is. */
export const LOG_FORMATS: Readonly<Record<LogKind, LogFormat>> = {
	sshd: { parse: parseAuthLine, startsEvent: null },
	'nginx-access': { parse: (text, context) => parseAccessLine('nginx-access', text, context), startsEvent: null },
	'nginx-error': { parse: parseNginxErrorLine, startsEvent: null },
	'tomcat-access': { parse: (text, context) => parseAccessLine('tomcat-access', text, context), startsEvent: null },
	catalina: { parse: parseCatalinaEvent, startsEvent: startsCatalinaEvent },
	plain: {
		parse: (text, context) => {
			const line = parseSyslogLine(text, context);
			return parsedEvent(line.program === '' ? 'plain' : line.program, { eventTimeMs: line.eventTimeMs, module: line.program });
		},
		startsEvent: null,
	},
};
