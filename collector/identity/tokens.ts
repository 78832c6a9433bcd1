import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { AppError } from '../../core/errors.ts';
import type { StateDatabase } from '../state/database.ts';

/** What a machine may do: agents push metrics and logs, Grafana reads, a Prometheus posts alerts, a script lets hosts enrol. */
export const TOKEN_SCOPES = ['push', 'read', 'alert', 'enrol', 'job'] as const;
export type TokenScope = (typeof TOKEN_SCOPES)[number];

export interface MachineIdentity {
	readonly name: string;
	readonly scope: TokenScope;
}

export interface TokenStore {
	/** Makes a token and returns it; only its hash is kept. Throws `FN_TOKEN_EXISTS` when the name is taken. */
	issue(name: string, scope: TokenScope): Promise<string>;
	/** Who presents this token; `null` when nobody has it or it was revoked. */
	verify(token: string): Promise<MachineIdentity | null>;
	/** Makes a token in place of the one that has this name, if any, which is good for nothing from then on. */
	replace(name: string, scope: TokenScope): Promise<string>;
	revoke(name: string): Promise<boolean>;
	/** A token in `<dataDir>/keys/<name>.token` (0600), made at the first call. Returns the file's path. */
	provideFile(dataDir: string, name: string, scope: TokenScope): Promise<string>;
}

/** How long an answer of the database is believed. Only good tokens are kept, so there are never more than were issued. */
const KNOWN_MS = 5000;

export function hashToken(token: string): string {
	return createHash('sha256').update(token).digest('hex');
}

/** 256 random bits with a prefix that secret scanners can recognise. */
export function newToken(): string {
	return `fn_${randomBytes(32).toString('base64url')}`;
}

export function createTokenStore(state: StateDatabase, clock: Clock): TokenStore {
	const add = async (name: string, scope: TokenScope, token: string): Promise<void> => {
		await state
			.insertInto('machine_token')
			.values({ token_hash: hashToken(token), name, scope, created_at_ms: clock.now(), revoked_at_ms: null })
			.execute();
	};
	// Every request asks; what another process changed is seen after KNOWN_MS, what this one changes at once.
	const known = new Map<string, { readonly identity: MachineIdentity; readonly untilMs: number }>();
	let changes = 0;
	const forget = () => {
		changes++;
		known.clear();
	};
	const find = (name: string) => state.selectFrom('machine_token').selectAll().where('name', '=', name).executeTakeFirst();
	return {
		issue: async (name, scope) => {
			if ((await find(name)) !== undefined) {
				throw new AppError('FN_TOKEN_EXISTS', `there is already a token named "${name}"; revoke it first or choose another name`, {
					status: 409,
				});
			}
			const token = newToken();
			await add(name, scope, token);
			return token;
		},
		verify: async (token) => {
			const hash = hashToken(token);
			const now = clock.monotonic();
			const before = known.get(hash);
			if (before !== undefined && now < before.untilMs) return before.identity;
			const asked = changes;
			const row = await state.selectFrom('machine_token').selectAll().where('token_hash', '=', hash).executeTakeFirst();
			const scope = row === undefined || row.revoked_at_ms !== null ? undefined : TOKEN_SCOPES.find((one) => one === row.scope);
			if (row === undefined || scope === undefined) return null;
			const identity = { name: row.name, scope };
			// A token that was revoked while the database answered must not be believed any longer.
			if (changes === asked) known.set(hash, { identity, untilMs: now + KNOWN_MS });
			return identity;
		},
		replace: async (name, scope) => {
			const token = newToken();
			await state.transaction().execute(async (transaction) => {
				await transaction.deleteFrom('machine_token').where('name', '=', name).execute();
				await transaction
					.insertInto('machine_token')
					.values({ token_hash: hashToken(token), name, scope, created_at_ms: clock.now(), revoked_at_ms: null })
					.execute();
			});
			forget();
			return token;
		},
		revoke: async (name) => {
			const result = await state
				.updateTable('machine_token')
				.set({ revoked_at_ms: clock.now() })
				.where('name', '=', name)
				.where('revoked_at_ms', 'is', null)
				.executeTakeFirst();
			forget();
			return result.numUpdatedRows > 0n;
		},
		provideFile: async (dataDir, name, scope) => {
			const folder = join(dataDir, 'keys');
			const file = join(folder, `${name}.token`);
			mkdirSync(folder, { recursive: true, mode: 0o700 });
			const existing = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
			const row = await find(name);
			if (existing !== '' && row !== undefined && row.token_hash === hashToken(existing) && row.revoked_at_ms === null) return file;
			// The file and the database can part when one of them was restored alone; the file is made anew then.
			if (row !== undefined) await state.deleteFrom('machine_token').where('name', '=', name).execute();
			const token = newToken();
			await add(name, scope, token);
			forget();
			writeFileSync(file, `${token}\n`, { mode: 0o600 });
			chmodSync(file, 0o600);
			return file;
		},
	};
}
