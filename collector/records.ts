import { Gauge, type Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { errorText } from '../core/errors.ts';
import type { CleanupStack } from '../core/lifecycle.ts';
import type { Logger } from '../core/log.ts';
import { type AuditArchive, openArchive } from './audit/archive.ts';
import type { CollectorConfig } from './config.ts';
import { type Accounts, createAccounts } from './identity/accounts.ts';
import { createOperationLog, type Operation, type OperationLog } from './identity/operation-log.ts';
import { createTokenStore, type TokenStore } from './identity/tokens.ts';
import { openStateDatabase, type StateDatabase } from './state/database.ts';
import { openWritableData } from './writable-data.ts';

/** What a collector keeps beside samples: relational state, log archive, people and machines. */
export interface Records {
	readonly state: StateDatabase;
	readonly archive: AuditArchive;
	readonly operations: OperationLog;
	readonly tokens: TokenStore;
	readonly accounts: Accounts;
	/** File with a token of the scope `push`. */
	readonly agentTokenFile: string;
	/** Where small things can be written: the data folder, or a copy. */
	readonly folder: string;
	/** The folder is a copy, because the disk is read-only. */
	readonly volatile: boolean;
}

/** Throws `FN_DATA_FOLDER`, `FN_STATE_OPEN`, `FN_STATE_MIGRATION`, `FN_AUDIT_KEYS`. What was opened is closed by `cleanup`. */
export async function openRecords(
	options: {
		readonly dataDir: string;
		readonly config: () => CollectorConfig['identity'];
		readonly metrics: Registry;
		readonly clock: Clock;
		readonly log: Logger;
	},
	cleanup: CleanupStack,
): Promise<Records> {
	const { dataDir, config, metrics, clock, log } = options;
	const writable = openWritableData(dataDir);
	cleanup.add('copy of the state', () => writable.release());
	if (writable.volatile) {
		log.error(
			{ dataDir },
			'the data folder is read-only: what changes now is lost at the next start; restart the collector when it can be written',
		);
	}
	new Gauge({
		name: 'fournines_collector_state_volatile',
		help: '1 while the state is a copy that is lost at the end, because the data folder was read-only at the start.',
		registers: [metrics],
	}).set(writable.volatile ? 1 : 0);
	const state = await openStateDatabase(writable.folder);
	cleanup.add('state', () => state.destroy());
	const archive = openArchive({ dataDir, clock, log, host: 'collector', readOnly: writable.volatile });
	cleanup.add('log archive', () => archive.stop());
	const operations = createOperationLog(state, clock, (operation) => archiveOperation(archive, operation, log));
	const tokens = createTokenStore(state, clock);
	// For the agent and the command line on this machine; whoever may read the data folder may use them.
	const agentTokenFile = await tokens.provideFile(writable.folder, 'local-agent', 'push');
	await tokens.provideFile(writable.folder, 'local-read', 'read');
	await tokens.provideFile(writable.folder, 'local-alert', 'alert');
	await tokens.provideFile(writable.folder, 'local-enrol', 'enrol');
	await tokens.provideFile(writable.folder, 'local-job', 'job');
	const accounts = createAccounts({ state, clock, config, operations });
	return { state, archive, operations, tokens, accounts, agentTokenFile, folder: writable.folder, volatile: writable.volatile };
}

/** The archive holds a copy of every operation. A full disk must not stop a log-in, but it must be seen. */
export function archiveOperation(archive: AuditArchive, operation: Operation & { readonly atMs: number }, log: Logger): void {
	try {
		archive.appendOwn({
			source: 'operations',
			kind: operation.action === 'login' || operation.action === 'logout' ? operation.action : 'command',
			actor: operation.actor,
			action: operation.action,
			object: operation.object,
			result: operation.result,
			srcAddr: operation.srcAddr,
			raw: operation.detail,
		});
	} catch (error) {
		log.error({ action: operation.action, error: errorText(error) }, 'an operation could not be written to the log archive');
	}
}
