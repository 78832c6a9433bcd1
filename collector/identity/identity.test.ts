import { readFileSync, statSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../core/clock.ts';
import { systemClock } from '../../core/clock.ts';
import { type TemporaryFolder, temporaryFolder } from '../../tests/harness/process.ts';
import { openStateDatabase, type StateDatabase } from '../state/database.ts';
import { type Accounts, createAccounts } from './accounts.ts';
import { createOperationLog } from './operation-log.ts';
import { assertPasswordPolicy } from './password.ts';
import { may } from './rights.ts';
import { createTokenStore } from './tokens.ts';

let folder: TemporaryFolder;
let state: StateDatabase;
let accounts: Accounts;
let nowMs = 1_800_000_000_000;
const clock: Clock = { ...systemClock, now: () => nowMs };
const GOOD = 'Correct-horse-7';

beforeEach(async () => {
	folder = temporaryFolder('identity');
	state = await openStateDatabase(folder.path);
	accounts = createAccounts({
		state,
		clock,
		config: () => ({ session_idle: '30m', lockout_failures: 3, lockout: '30m' }),
		operations: createOperationLog(state, clock, () => {}),
	});
});
afterEach(async () => {
	await state.destroy();
	folder.remove();
});

async function setUp(): Promise<void> {
	const code = (await accounts.setupCode()) ?? '';
	await accounts.setUp({ code, accounts: [{ role: 'system', account: 'ops', password: GOOD }] }, '127.0.0.1');
}

test('the first set-up works once, with the code only', async () => {
	const request = { accounts: [{ role: 'system' as const, account: 'ops', password: GOOD }] };
	await accounts.setupCode();
	await expect(accounts.setUp({ ...request, code: 'guess' }, '')).rejects.toMatchObject({ code: 'FN_SETUP_CODE' });
	await setUp();
	expect(await accounts.setupCode()).toBeNull();
	await expect(accounts.setUp({ ...request, code: 'guess' }, '')).rejects.toMatchObject({ code: 'FN_SETUP_DONE' });
});

test.each([
	{ name: 'without a system administrator', list: [{ role: 'audit' as const, account: 'auditor', password: GOOD }] },
	{
		name: 'with one person in two roles',
		list: [
			{ role: 'system' as const, account: 'ops', password: GOOD },
			{ role: 'audit' as const, account: 'ops', password: GOOD },
		],
	},
	{ name: 'with an account name that could break out of a page', list: [{ role: 'system' as const, account: '<b>', password: GOOD }] },
])('refuses a set-up $name', async ({ list }) => {
	const code = (await accounts.setupCode()) ?? '';
	await expect(accounts.setUp({ code, accounts: list }, '')).rejects.toMatchObject({ code: 'FN_SETUP_ACCOUNTS' });
	expect(await accounts.setupCode()).toBe(code);
});

test('a session lives while it is used and dies when idle', async () => {
	await setUp();
	const { session } = await accounts.logIn('ops', GOOD, '');
	for (let i = 0; i < 3; i++) {
		nowMs += 20 * 60_000;
		expect(await accounts.session(session)).toEqual({ account: 'ops', role: 'system' });
	}
	nowMs += 31 * 60_000;
	expect(await accounts.session(session)).toBeNull();
});

test('a log-out ends the session at once', async () => {
	await setUp();
	const { session } = await accounts.logIn('ops', GOOD, '');
	await accounts.logOut(session, '');
	expect(await accounts.session(session)).toBeNull();
});

test('repeated failures lock the account, also for the right password, for a while', async () => {
	await setUp();
	for (let i = 0; i < 3; i++) await expect(accounts.logIn('ops', 'wrong', '')).rejects.toMatchObject({ code: 'FN_LOGIN_FAILED' });
	await expect(accounts.logIn('ops', GOOD, '')).rejects.toMatchObject({ code: 'FN_LOGIN_LOCKED' });
	nowMs += 31 * 60_000;
	await expect(accounts.logIn('ops', GOOD, '')).resolves.toMatchObject({ user: { account: 'ops' } });
});

test('guesses that come all at once are counted one by one', async () => {
	await setUp();
	await Promise.allSettled(Array.from({ length: 5 }, (_, i) => accounts.logIn('ops', `guess ${i}`, '10.0.0.9')));
	await expect(accounts.logIn('ops', GOOD, '')).rejects.toMatchObject({ code: 'FN_LOGIN_LOCKED' });
});

test('two people who set up at once do not both succeed', async () => {
	const code = (await accounts.setupCode()) ?? '';
	const request = (account: string) => ({ code, accounts: [{ role: 'system' as const, account, password: GOOD }] });
	const both = await Promise.allSettled([accounts.setUp(request('ann'), ''), accounts.setUp(request('bob'), '')]);
	expect(both.map((one) => (one.status === 'rejected' ? String(one.reason.code) : one.status)).sort()).toEqual([
		'FN_SETUP_DONE',
		'fulfilled',
	]);
	expect(await state.selectFrom('user_account').select('account').execute()).toHaveLength(1);
});

test('every attempt to log in is on record, without the password', async () => {
	await setUp();
	await accounts.logIn('nobody', GOOD, '10.0.0.1').catch(() => {});
	await accounts.logIn('ops', GOOD, '10.0.0.1');
	const rows = await state.selectFrom('operation_log').selectAll().where('action', '=', 'login').execute();
	expect(rows.map((row) => [row.actor, row.result, row.src_addr])).toEqual([
		['nobody', 'failure', '10.0.0.1'],
		['ops', 'success', '10.0.0.1'],
	]);
	expect(JSON.stringify(rows)).not.toContain(GOOD);
});

test.each([
	{ name: 'short', password: 'Ab1!', missing: '8 characters' },
	{ name: 'without symbol', password: 'Abcdefg1', missing: 'a symbol' },
	{ name: 'without upper case', password: 'abcdefg1!', missing: 'upper-case' },
	{ name: 'with the account in it', password: 'Ops-12345678', missing: 'account name' },
])('refuses a password that is $name', ({ password, missing }) => {
	expect(() => assertPasswordPolicy(password, 'ops')).toThrow(missing);
});

test('a machine token is known by its hash only, and a revoked one is nobody', async () => {
	const tokens = createTokenStore(state, clock);
	const token = await tokens.issue('grafana', 'read');
	expect(await tokens.verify(token)).toEqual({ name: 'grafana', scope: 'read' });
	expect(JSON.stringify(await state.selectFrom('machine_token').selectAll().execute())).not.toContain(token);
	await expect(tokens.issue('grafana', 'read')).rejects.toMatchObject({ code: 'FN_TOKEN_EXISTS' });
	expect(await tokens.revoke('grafana')).toBe(true);
	expect(await tokens.verify(token)).toBeNull();
});

test('a token that was seen a moment ago is refused as soon as it is revoked or replaced', async () => {
	const tokens = createTokenStore(state, clock);
	const first = await tokens.issue('agent:a', 'push');
	expect(await tokens.verify(first)).not.toBeNull();
	const second = await tokens.replace('agent:a', 'push');
	expect(await tokens.verify(first)).toBeNull();
	expect(await tokens.verify(second)).not.toBeNull();
	expect(await tokens.revoke('agent:a')).toBe(true);
	expect(await tokens.verify(second)).toBeNull();
	// What another process has changed is seen after a few seconds.
	const third = await tokens.issue('other', 'read');
	expect(await tokens.verify(third)).not.toBeNull();
	await createTokenStore(state, clock).revoke('other');
	expect(await createTokenStore(state, { ...clock, monotonic: () => clock.monotonic() + 6000 }).verify(third)).toBeNull();
});

test('a token file is private, stays the same, and heals after a partial restore', async () => {
	const tokens = createTokenStore(state, clock);
	const file = await tokens.provideFile(folder.path, 'agent', 'push');
	const first = readFileSync(file, 'utf8').trim();
	expect(statSync(file).mode & 0o777).toBe(0o600);
	await tokens.provideFile(folder.path, 'agent', 'push');
	expect(readFileSync(file, 'utf8').trim()).toBe(first);
	await state.deleteFrom('machine_token').execute();
	await tokens.provideFile(folder.path, 'agent', 'push');
	const second = readFileSync(file, 'utf8').trim();
	expect(second).not.toBe(first);
	expect(await tokens.verify(second)).toEqual({ name: 'agent', scope: 'push' });
});

test('no role has every right', () => {
	for (const role of ['system', 'security', 'audit', 'operator', 'viewer'] as const) {
		expect(may(role, 'audit.export') && may(role, 'silence')).toBe(false);
		expect(may(role, 'accounts') && may(role, 'audit.read')).toBe(false);
		// Whoever can delete samples must not be able to reach the record of it.
		expect(may(role, 'samples.delete') && (may(role, 'audit.read') || may(role, 'accounts'))).toBe(false);
	}
});
