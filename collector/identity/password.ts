import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { AppError } from '../../core/errors.ts';

const derive = promisify(argon2);

/** OWASP's second recommendation for argon2id: 19 MiB, two passes, one lane; about 30 ms here. */
const PARAMETERS = { memory: 19_456, passes: 2, parallelism: 1, tagLength: 32 } as const;

const CLASSES = [/\p{Lu}/u, /\p{Ll}/u, /\p{Nd}/u, /[^\p{L}\p{Nd}]/u];

/** GB/T 22239 8.1.4.1 as the tenders put it: at least 8 characters of four classes. Throws `FN_PASSWORD_WEAK`, which lists what is missing. */
export function assertPasswordPolicy(password: string, account: string): void {
	const missing: string[] = [];
	if ([...password].length < 8) missing.push('at least 8 characters');
	if (Buffer.byteLength(password) > 256) missing.push('at most 256 bytes');
	const names = ['an upper-case letter', 'a lower-case letter', 'a digit', 'a symbol'];
	CLASSES.forEach((pattern, i) => {
		if (!pattern.test(password)) missing.push(names[i] as string);
	});
	if (account !== '' && password.toLowerCase().includes(account.toLowerCase())) missing.push('that it does not contain the account name');
	if (missing.length > 0) throw new AppError('FN_PASSWORD_WEAK', `the password needs ${missing.join(', ')}`, { status: 400 });
}

/** `argon2id$memory$passes$parallelism$salt$hash`, the last two base64: self-describing, so that parameters can grow. */
export async function hashPassword(password: string): Promise<string> {
	const salt = randomBytes(16);
	const hash = await derive('argon2id', { message: password, nonce: salt, ...PARAMETERS });
	return ['argon2id', PARAMETERS.memory, PARAMETERS.passes, PARAMETERS.parallelism, salt.toString('base64'), hash.toString('base64')].join(
		'$',
	);
}

export async function verifyPassword(password: string, stored: string): Promise<boolean> {
	const [kind, memory, passes, parallelism, salt, hash] = stored.split('$');
	if (kind !== 'argon2id' || salt === undefined || hash === undefined) return false;
	const expected = Buffer.from(hash, 'base64');
	const actual = await derive('argon2id', {
		message: password,
		nonce: Buffer.from(salt, 'base64'),
		memory: Number(memory),
		passes: Number(passes),
		parallelism: Number(parallelism),
		tagLength: expected.length,
	});
	return timingSafeEqual(actual, expected);
}
