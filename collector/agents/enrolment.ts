import { createPublicKey, randomBytes, verify } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import {
	type AgentLabels,
	type EnrolAnswer,
	type EnrolmentTokenAnswer,
	type EnrolRequest,
	enrolmentProofText,
} from '../../protocol/agent-api.ts';
import type { OperationLog } from '../identity/operation-log.ts';
import { hashToken, type TokenStore } from '../identity/tokens.ts';
import type { StateDatabase } from '../state/database.ts';
import type { EnrolmentTokenTable } from '../state/schema/agents.ts';

export interface Enrolment {
	/** A token that one agent may use once. `host` `''` lets any host use it. */
	issue(request: { readonly host: string; readonly validSeconds: number }, by: EnrolmentCaller): Promise<EnrolmentTokenAnswer>;
	/**
	 * Gives the agent a key of its own. A host that had one before gets another, and the old one is good for nothing from then on.
	 * Throws `FN_ENROL_TOKEN` (403) and `FN_ENROL_KEY` (400).
	 */
	enrol(request: EnrolRequest, srcAddr: string): Promise<EnrolAnswer>;
	/** The agent's key is refused from now on. Whether there was such an agent. */
	revoke(host: string, by: EnrolmentCaller): Promise<boolean>;
}

const REPEAT_MS = 3_600_000;

export interface EnrolmentCaller {
	readonly name: string;
	readonly address: string;
}

/** Name of the machine token of a host's agent. */
export function agentTokenName(host: string): string {
	return `agent:${host}`;
}

/** The host whose agent has this token; `null` for tokens that were not given at enrolment. */
export function hostOfToken(name: string): string | null {
	return name.startsWith('agent:') ? name.slice('agent:'.length) : null;
}

export function createEnrolment(options: {
	readonly state: StateDatabase;
	readonly tokens: TokenStore;
	readonly operations: OperationLog;
	readonly labels: (host: string) => AgentLabels;
	readonly clock: Clock;
}): Enrolment {
	const { state, tokens, operations, clock } = options;
	const refuse = async (request: EnrolRequest, srcAddr: string, detail: string): Promise<never> => {
		await operations.record({ actor: 'agent', action: 'agent.enrol', object: request.host, result: 'failure', srcAddr, detail });
		throw new AppError('FN_ENROL_TOKEN', `the one-time token is not good for ${request.host}: ${detail}; have another one made`, {
			status: 403,
		});
	};
	/** An answer can be lost on its way: the same agent, which has the same private key, may ask again for a while. */
	const sameAgentAgain = async (row: EnrolmentTokenTable, request: EnrolRequest, now: number): Promise<boolean> => {
		if (row.used_by_host !== request.host || now - (row.used_at_ms ?? 0) > REPEAT_MS) return false;
		const agent = await state.selectFrom('agent').select('public_key').where('host', '=', request.host).executeTakeFirst();
		return agent?.public_key === request.publicKey;
	};
	return {
		issue: async ({ host, validSeconds }, by) => {
			const token = `fne_${randomBytes(24).toString('base64url')}`;
			const now = clock.now();
			const expiresAtMs = now + validSeconds * 1000;
			await state
				.insertInto('enrolment_token')
				.values({
					token_hash: hashToken(token),
					host,
					created_by: by.name.slice(0, 64),
					created_at_ms: now,
					expires_at_ms: expiresAtMs,
					used_at_ms: null,
					used_by_host: '',
				})
				.execute();
			const detail = `valid for ${validSeconds} s`;
			await operations.record({ actor: by.name, action: 'agent.token', object: host, result: 'success', srcAddr: by.address, detail });
			return { token, expiresAtMs };
		},
		enrol: async (request, srcAddr) => {
			assertProof(request);
			const now = clock.now();
			const hash = hashToken(request.token);
			const row = await state.selectFrom('enrolment_token').selectAll().where('token_hash', '=', hash).executeTakeFirst();
			if (row === undefined) return refuse(request, srcAddr, 'it is unknown');
			if (row.host !== '' && row.host !== request.host) return refuse(request, srcAddr, `it was made for ${row.host}`);
			if (row.expires_at_ms <= now) return refuse(request, srcAddr, 'it has expired');
			// Taken in one statement, so that two agents with the same token cannot both get through.
			const taken = await state
				.updateTable('enrolment_token')
				.set({ used_at_ms: now, used_by_host: request.host })
				.where('token_hash', '=', hash)
				.where('used_at_ms', 'is', null)
				.executeTakeFirst();
			if (taken.numUpdatedRows === 0n && !(await sameAgentAgain(row, request, now))) {
				return refuse(request, srcAddr, `it was used by ${row.used_by_host} already`);
			}
			const key = await tokens.replace(agentTokenName(request.host), 'push');
			await state.transaction().execute(async (transaction) => {
				await transaction.deleteFrom('agent').where('host', '=', request.host).execute();
				await transaction
					.insertInto('agent')
					.values({
						host: request.host,
						agent_version: request.agentVersion,
						public_key: request.publicKey,
						enrolled_at_ms: now,
						last_sync_ms: 0,
						config_version: '',
						config_state: 'none',
						config_reason: '',
						revoked_at_ms: null,
					})
					.execute();
			});
			const detail = `agent ${request.agentVersion}, token made by ${row.created_by}`;
			await operations.record({ actor: 'agent', action: 'agent.enrol', object: request.host, result: 'success', srcAddr, detail });
			return { key, labels: options.labels(request.host) };
		},
		revoke: async (host, by) => {
			await tokens.revoke(agentTokenName(host));
			const result = await state
				.updateTable('agent')
				.set({ revoked_at_ms: clock.now() })
				.where('host', '=', host)
				.where('revoked_at_ms', 'is', null)
				.executeTakeFirst();
			const found = result.numUpdatedRows > 0n;
			if (found) {
				await operations.record({
					actor: by.name,
					action: 'agent.revoke',
					object: host,
					result: 'success',
					srcAddr: by.address,
					detail: '',
				});
			}
			return found;
		},
	};
}

/** The sender has the private key that belongs to the public one. */
function assertProof(request: EnrolRequest): void {
	let good = false;
	try {
		const key = createPublicKey(request.publicKey);
		const text = Buffer.from(enrolmentProofText(request));
		good = key.asymmetricKeyType === 'ed25519' && verify(null, text, key, Buffer.from(request.proof, 'base64'));
	} catch {
		// Whatever is wrong with it, the message below says what is wanted.
	}
	if (!good)
		throw new AppError('FN_ENROL_KEY', 'the public key is not an Ed25519 key in PEM, or the proof is not signed with it', { status: 400 });
}
