import type { AgentTables } from './schema/agents.ts';
import type { AlertingTables } from './schema/alerting.ts';
import type { CaseTables } from './schema/cases.ts';
import type { FaultTables } from './schema/faults.ts';
import type { IdentityTables } from './schema/identity.ts';
import type { InventoryTables } from './schema/inventory.ts';
import type { JobTables } from './schema/jobs.ts';
import type { MaintenanceTables } from './schema/maintenance.ts';
import type { OnCallTables } from './schema/on-call.ts';
import type { ReportTables } from './schema/reports.ts';
import type { TransferTables } from './schema/transfer.ts';

export interface MigrationTable {
	id: string;
	applied_at_ms: number;
}

/** All tables of the state database. Each area declares its own in `schema/`. Times are integer milliseconds. */
export interface StateSchema
	extends IdentityTables,
		JobTables,
		MaintenanceTables,
		AlertingTables,
		AgentTables,
		TransferTables,
		FaultTables,
		OnCallTables,
		CaseTables,
		InventoryTables,
		ReportTables {
	migration: MigrationTable;
}
