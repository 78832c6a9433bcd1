import type { AgentTables } from './schema/agents.ts';
import type { AlertingTables } from './schema/alerting.ts';
import type { IdentityTables } from './schema/identity.ts';

export interface MigrationTable {
	id: string;
	applied_at_ms: number;
}

/** All tables of the state database. Each area declares its own in `schema/`. Times are integer milliseconds. */
export interface StateSchema extends IdentityTables, AlertingTables, AgentTables {
	migration: MigrationTable;
}
