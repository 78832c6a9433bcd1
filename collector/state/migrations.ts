import type { Migration } from './migration.ts';
import { identityTables } from './migrations/0001-identity.ts';
import { alertingTables } from './migrations/0002-alerting.ts';
import { agentTables } from './migrations/0003-agents.ts';
import { transferTables } from './migrations/0004-transfer.ts';
import { jobTables } from './migrations/0005-jobs.ts';
import { alertStageColumns } from './migrations/0006-alert-stages.ts';
import { maintenanceTables } from './migrations/0007-maintenance.ts';
import { faultTables } from './migrations/0008-faults.ts';
import { incidentTables } from './migrations/0009-incidents.ts';
import { onCallTables } from './migrations/0010-on-call.ts';
import { deskTables } from './migrations/0011-desk.ts';
import { inventoryTables } from './migrations/0012-inventory.ts';
import { receiptTables } from './migrations/0014-receipts.ts';
import { reportTables } from './migrations/0016-reports.ts';

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
	incidentTables,
	onCallTables,
	deskTables,
	inventoryTables,
	receiptTables,
	reportTables,
];
