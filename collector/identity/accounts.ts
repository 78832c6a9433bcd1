import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { parseDuration } from '../../core/duration.ts';
import { AppError } from '../../core/errors.ts';
import { uuidv7 } from '../../core/ids.ts';
import { ROLES, type Role, type SetupRequest } from '../../protocol/api.ts';
import type { StateDatabase } from '../state/database.ts';
import type { IdentityConfig } from './config.ts';
import type { OperationLog } from './operation-log.ts';
import { assertPasswordPolicy, hashPassword, verifyPassword } from './password.ts';
import { hashToken, newToken } from './tokens.ts';

export interface UserIdentity {
	readonly account: string;
	readonly role: Role;
}

export interface Accounts {
	/** A one-time code for the first set-up, or `null` when accounts exist. The same code until it is used or the process ends. */
	setupCode(): Promise<string | null>;
	/** Throws `FN_SETUP_DONE`, `FN_SETUP_CODE`, `FN_SETUP_ACCOUNTS`, `FN_PASSWORD_WEAK`. */
	setUp(request: SetupRequest, srcAddr: string): Promise<void>;
	/** Returns the session's cookie value. Throws `FN_LOGIN_FAILED` or `FN_LOGIN_LOCKED`. */
	logIn(account: string, password: string, srcAddr: string): Promise<{ readonly session: string; readonly user: UserIdentity }>;
	/** The user of a session; `null` when it is unknown or has been idle too long. Counts as activity. */
	session(value: string): Promise<UserIdentity | null>;
	logOut(value: string, srcAddr: string): Promise<void>;
}

const ACCOUNT = /^[\p{L}\p{N}][\p{L}\p{N}._-]{1,63}$/u;
/** Sessions are written back at most this often: a board refreshes every few seconds. */
const TOUCH_MS = 30_000;

export function createAccounts(options: {
	readonly state: StateDatabase;
	readonly clock: Clock;
	readonly config: () => IdentityConfig;
	readonly operations: OperationLog;
}): Accounts {
	const { state, clock, config, operations } = options;
	let code: string | null = null;
	// Compared against for unknown accounts, so that an answer's delay does not tell which accounts exist.
	let decoy: Promise<string> | null = null;

	const turns = new Map<string, Promise<unknown>>();
	/** One attempt of a name after the other: guesses that come at once would all begin from the same count of failures. */
	const inTurn = <T>(name: string, work: () => Promise<T>): Promise<T> => {
		const turn = (turns.get(name) ?? Promise.resolve()).then(work);
		const over = turn.then(
			() => {},
			() => {},
		);
		turns.set(name, over);
		void over.then(() => {
			if (turns.get(name) === over) turns.delete(name);
		});
		return turn;
	};

	const hasUsers = async (): Promise<boolean> =>
		(await state.selectFrom('user_account').select('id').limit(1).executeTakeFirst()) !== undefined;

	const setUp: Accounts['setUp'] = async (request, srcAddr) => {
		if (await hasUsers())
			throw new AppError('FN_SETUP_DONE', 'the first accounts were already made; log in with one of them', { status: 409 });
		if (code === null || !sameText(request.code, code)) {
			await operations.record({ actor: 'setup', action: 'setup', object: '', result: 'failure', srcAddr, detail: 'wrong code' });
			throw new AppError('FN_SETUP_CODE', 'the one-time code is wrong; it is printed when the collector starts', { status: 403 });
		}
		assertSetupAccounts(request);
		const now = clock.now();
		const rows = [];
		for (const { role, account, password } of request.accounts) {
			assertPasswordPolicy(password, account);
			rows.push({
				id: uuidv7(now),
				account,
				role,
				password_hash: await hashPassword(password),
				password_changed_at_ms: now,
				failed_logins: 0,
				locked_until_ms: 0,
				created_at_ms: now,
			});
		}
		await state.insertInto('user_account').values(rows).execute();
		code = null;
		for (const row of rows)
			await operations.record({
				actor: 'setup',
				action: 'account.create',
				object: row.account,
				result: 'success',
				srcAddr,
				detail: row.role,
			});
	};
	const logIn: Accounts['logIn'] = async (account, password, srcAddr) => {
		const user = await state.selectFrom('user_account').selectAll().where('account', '=', account).executeTakeFirst();
		const now = clock.now();
		if (user === undefined) {
			decoy ??= hashPassword(newToken());
			await verifyPassword(password, await decoy);
			await operations.record({
				actor: account.slice(0, 64),
				action: 'login',
				object: '',
				result: 'failure',
				srcAddr,
				detail: 'unknown account',
			});
			throw loginFailed();
		}
		if (user.locked_until_ms > now) {
			await operations.record({ actor: account, action: 'login', object: '', result: 'failure', srcAddr, detail: 'locked' });
			const minutes = Math.ceil((user.locked_until_ms - now) / 60_000);
			throw new AppError('FN_LOGIN_LOCKED', `too many failures: the account is locked for another ${minutes} min`, { status: 429 });
		}
		if (!(await verifyPassword(password, user.password_hash))) {
			const failures = user.failed_logins + 1;
			const lock = failures >= config().lockout_failures;
			await state
				.updateTable('user_account')
				.set({ failed_logins: lock ? 0 : failures, locked_until_ms: lock ? now + parseDuration(config().lockout) : 0 })
				.where('id', '=', user.id)
				.execute();
			await operations.record({
				actor: account,
				action: 'login',
				object: '',
				result: 'failure',
				srcAddr,
				detail: lock ? 'wrong password, locked now' : 'wrong password',
			});
			throw loginFailed();
		}
		const session = newToken();
		await state.updateTable('user_account').set({ failed_logins: 0, locked_until_ms: 0 }).where('id', '=', user.id).execute();
		await state
			.insertInto('user_session')
			.values({ token_hash: hashToken(session), user_id: user.id, created_at_ms: now, last_seen_at_ms: now })
			.execute();
		await operations.record({ actor: account, action: 'login', object: '', result: 'success', srcAddr, detail: '' });
		return { session, user: { account: user.account, role: roleOf(user.role) } };
	};

	return {
		setupCode: async () => {
			if (await hasUsers()) return null;
			code ??= randomBytes(9).toString('base64url');
			return code;
		},
		setUp: (request, srcAddr) => inTurn('', () => setUp(request, srcAddr)),
		logIn: (account, password, srcAddr) => inTurn(account, () => logIn(account, password, srcAddr)),
		session: async (value) => {
			const tokenHash = hashToken(value);
			const row = await state
				.selectFrom('user_session')
				.innerJoin('user_account', 'user_account.id', 'user_session.user_id')
				.select(['user_account.account', 'user_account.role', 'user_session.last_seen_at_ms'])
				.where('user_session.token_hash', '=', tokenHash)
				.executeTakeFirst();
			if (row === undefined) return null;
			const now = clock.now();
			if (now - row.last_seen_at_ms > parseDuration(config().session_idle)) {
				await state.deleteFrom('user_session').where('token_hash', '=', tokenHash).execute();
				return null;
			}
			if (now - row.last_seen_at_ms > TOUCH_MS) {
				await state.updateTable('user_session').set({ last_seen_at_ms: now }).where('token_hash', '=', tokenHash).execute();
			}
			return { account: row.account, role: roleOf(row.role) };
		},
		logOut: async (value, srcAddr) => {
			const tokenHash = hashToken(value);
			const row = await state
				.selectFrom('user_session')
				.innerJoin('user_account', 'user_account.id', 'user_session.user_id')
				.select('user_account.account')
				.where('user_session.token_hash', '=', tokenHash)
				.executeTakeFirst();
			if (row === undefined) return;
			await state.deleteFrom('user_session').where('token_hash', '=', tokenHash).execute();
			await operations.record({ actor: row.account, action: 'logout', object: '', result: 'success', srcAddr, detail: '' });
		},
	};
}

/** One text for a wrong account and a wrong password: the difference would tell which accounts exist. */
function loginFailed(): AppError {
	return new AppError('FN_LOGIN_FAILED', 'account or password is wrong', { status: 401 });
}

function assertSetupAccounts(request: SetupRequest): void {
	const bad = (message: string) => new AppError('FN_SETUP_ACCOUNTS', message, { status: 400 });
	const roles = request.accounts.map((entry) => entry.role);
	if (!roles.includes('system')) throw bad('the first set-up needs an account with the role "system"');
	if (new Set(roles).size !== roles.length) throw bad('each role can be given once in the first set-up');
	const names = request.accounts.map((entry) => entry.account);
	if (new Set(names).size !== names.length)
		throw bad('the administrators must be different accounts, so that no one person holds two of these roles');
	for (const name of names) {
		if (!ACCOUNT.test(name))
			throw bad(
				`"${name.slice(0, 64)}" is not an account name: 2 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit`,
			);
	}
}

function roleOf(text: string): Role {
	const role = ROLES.find((known) => known === text);
	if (role === undefined)
		throw new AppError('FN_ROLE_UNKNOWN', `the state database holds the role "${text}", which this version does not know`);
	return role;
}

function sameText(a: string, b: string): boolean {
	const left = Buffer.from(hashToken(a));
	const right = Buffer.from(hashToken(b));
	return timingSafeEqual(left, right);
}
