/** Where a fault stands; made from its events, which are what counts. */
export interface FaultTable {
	id: string;
	/** For people, from 1. */
	number: number;
	profile: string;
	stage: string;
	service: string;
	source_key: string;
	onset_ms: number;
	updated_at_ms: number;
	/** `Fault` as JSON. */
	state: string;
}

/** Append-only. */
export interface FaultEventTable {
	fault_id: string;
	seq: number;
	at_ms: number;
	actor: string;
	/** JSON of the action or note. */
	body: string;
}

/** What people enter into an assessment: records, adjustments, disputes, decisions. Append-only. */
export interface ContractEventTable {
	id: string;
	profile: string;
	period: string;
	at_ms: number;
	actor: string;
	kind: string;
	body: string;
}

export interface FaultTables {
	fault: FaultTable;
	fault_event: FaultEventTable;
	contract_event: ContractEventTable;
}
