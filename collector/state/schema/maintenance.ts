export interface MaintenanceEventTable {
	window_id: string;
	/** From 0 on, without a gap. */
	seq: number;
	at_ms: number;
	actor: string;
	kind: string;
	/** `MaintenanceEvent` as JSON. */
	event: string;
}

export interface MaintenanceTables {
	maintenance_event: MaintenanceEventTable;
}
