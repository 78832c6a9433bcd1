import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { AgentEntry, AgentLabels, AgentSyncAnswer, AgentSyncRequest, CentralConfigState } from '../../protocol/agent-api.ts';
import type { OperationLog } from '../identity/operation-log.ts';
import type { TokenStore } from '../identity/tokens.ts';
import type { StateDatabase } from '../state/database.ts';
import { type CentralConfigs, createCentralConfigs, type DocumentCheck } from './central-config.ts';
import { createEnrolment, type Enrolment, hostOfToken } from './enrolment.ts';

/** The agents that have a key of their own, and what they are told. */
export interface Agents {
	readonly enrolment: Enrolment;
	readonly configs: CentralConfigs;
	list(): Promise<readonly AgentEntry[]>;
	/** Notes what the agent says and tells what it should run on. Throws `FN_AGENT_NOT_ENROLLED` (403). */
	sync(tokenName: string, request: AgentSyncRequest): Promise<AgentSyncAnswer>;
	/** The key that a host's agent signs with, PEM; `null` when it is unknown or revoked. */
	publicKey(host: string): Promise<string | null>;
}

export function createAgents(options: {
	readonly state: StateDatabase;
	readonly tokens: TokenStore;
	readonly operations: OperationLog;
	/** What the inventory says of a host. */
	readonly labels: (host: string) => AgentLabels;
	readonly check: DocumentCheck;
	readonly clock: Clock;
}): Agents {
	const { state, clock, labels } = options;
	const configs = createCentralConfigs(options);
	return {
		enrolment: createEnrolment(options),
		configs,
		list: async () => {
			const rows = await state.selectFrom('agent').selectAll().orderBy('host').execute();
			return Promise.all(
				rows.map(async (row): Promise<AgentEntry> => {
					const known = labels(row.host);
					return {
						...known,
						agentVersion: row.agent_version,
						enrolledAtMs: row.enrolled_at_ms,
						lastSyncMs: row.last_sync_ms,
						revoked: row.revoked_at_ms !== null,
						wantedVersion: (await configs.of(known)).version,
						configVersion: row.config_version,
						state: stateOf(row.config_state),
						reason: row.config_reason,
					};
				}),
			);
		},
		sync: async (tokenName, request) => {
			const host = hostOfToken(tokenName);
			if (host === null) {
				throw new AppError('FN_AGENT_NOT_ENROLLED', `the token "${tokenName}" is not the key of an enrolled agent; enrol this host first`, {
					status: 403,
				});
			}
			const result = await state
				.updateTable('agent')
				.set({
					agent_version: request.agentVersion,
					last_sync_ms: clock.now(),
					config_version: request.configVersion,
					config_state: request.state,
					config_reason: request.state === 'failed' ? `${request.failedVersion}: ${request.reason}` : '',
				})
				.where('host', '=', host)
				.executeTakeFirst();
			if (result.numUpdatedRows === 0n) {
				throw new AppError('FN_AGENT_NOT_ENROLLED', `there is no agent of ${host} any more; enrol this host again`, { status: 403 });
			}
			const known = labels(host);
			const { version, config } = await configs.of(known);
			return { version, labels: known, config };
		},
		publicKey: async (host) => {
			const row = await state.selectFrom('agent').selectAll().where('host', '=', host).executeTakeFirst();
			return row === undefined || row.revoked_at_ms !== null ? null : row.public_key;
		},
	};
}

function stateOf(text: string): CentralConfigState {
	return text === 'applied' || text === 'failed' ? text : 'none';
}
