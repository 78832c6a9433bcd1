import type { Migration } from './migration.ts';
import { identityTables } from './migrations/0001-identity.ts';
import { alertingTables } from './migrations/0002-alerting.ts';
import { agentTables } from './migrations/0003-agents.ts';
import { transferTables } from './migrations/0004-transfer.ts';
import { jobTables } from './migrations/0005-jobs.ts';
import { alertStageColumns } from './migrations/0006-alert-stages.ts';
import { maintenanceTables } from './migrations/0007-maintenance.ts';
import { faultTables } from './migrations/0008-faults.ts';

/** Every change of the schema, oldest first. Conservative SQL only: the same statements must run on MySQL. */
export const MIGRATIONS: readonly Migration[] = [
	identityTables,
	alertingTables,
	agentTables,
	transferTables,
	jobTables,
	alertStageColumns,
	maintenanceTables,
	faultTables,
];
