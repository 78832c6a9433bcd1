/** Where a case stands; made from its events, which are what counts. */
export interface DeskCaseTable {
	id: string;
	/** `problem` or `change`. */
	kind: string;
	/** For people, from 1, within its kind. */
	number: number;
	stage: string;
	/** When it began; what a range asks for. */
	at_ms: number;
	updated_at_ms: number;
	/** Its state as JSON. */
	state: string;
}

/** Append-only. */
export interface DeskEventTable {
	case_id: string;
	/** From 1, without gaps. */
	seq: number;
	at_ms: number;
	actor: string;
	/** JSON of what happened. */
	body: string;
}

export interface CaseTables {
	desk_case: DeskCaseTable;
	desk_event: DeskEventTable;
}
