/** Where an incident stands; made from its events. */
export interface IncidentTable {
	id: string;
	/** For people, from 1. */
	number: number;
	state: string;
	opened_at_ms: number;
	resolved_at_ms: number | null;
	/** When the next call of its chain is due; null while none is. */
	due_at_ms: number | null;
	/** Messages that delivery has not taken yet. */
	pending: number;
	/** `Incident` as JSON. */
	snapshot: string;
}

/** Append-only. */
export interface IncidentEventTable {
	incident_id: string;
	seq: number;
	at_ms: number;
	actor: string;
	kind: string;
	/** JSON. */
	body: string;
}

/** What people change about duty, hand-over records and drills: one stream each, append-only. */
export interface OnCallEventTable {
	stream: string;
	seq: number;
	at_ms: number;
	actor: string;
	kind: string;
	/** JSON. */
	body: string;
}

export interface OnCallTables {
	incident: IncidentTable;
	incident_event: IncidentEventTable;
	on_call_event: OnCallEventTable;
}
