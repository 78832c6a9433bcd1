import type { LogResult } from '../../../protocol/log-record.ts';

/** What a parser knows of one event. Texts are `''` when unknown. */
export interface ParsedEvent {
	/** `null` when the line carries no time. */
	readonly eventTimeMs: number | null;
	readonly source: string;
	readonly kind: string;
	readonly actor: string;
	readonly action: string;
	readonly object: string;
	readonly result: LogResult;
	readonly srcAddr: string;
	readonly module: string;
	readonly severity: string;
	readonly fields: Readonly<Record<string, string>>;
}

export interface ParseContext {
	/** When the line was read; the year of a time without one is taken from it. */
	readonly nowMs: number;
	/** IANA name of the zone of times without one. */
	readonly timeZone: string;
}

/** A parser takes every line: what it does not recognise becomes a `message`, never nothing. */
export type LineParser = (text: string, context: ParseContext) => ParsedEvent;

/** An event with everything unknown but what is given. */
export function parsedEvent(source: string, known: Partial<ParsedEvent>): ParsedEvent {
	return {
		eventTimeMs: null,
		source,
		kind: 'message',
		actor: '',
		action: '',
		object: '',
		result: 'unknown',
		srcAddr: '',
		module: '',
		severity: '',
		fields: {},
		...known,
	};
}
