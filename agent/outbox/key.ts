import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import { makeFolder } from '../../core/folder.ts';

const FILE = 'outbox.key';

/** The key that this agent signs its files with, made at the first call. Throws `FN_AGENT_OUTBOX_KEY` when the file is of no use. */
export function provideOutboxKey(dataDir: string): KeyObject {
	const file = join(dataDir, FILE);
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch (error) {
		if (systemErrorCode(error) !== 'ENOENT') throw unusable(file);
		const { privateKey } = generateKeyPairSync('ed25519');
		makeFolder(dataDir, 0o700);
		writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
		return privateKey;
	}
	try {
		return createPrivateKey(text);
	} catch {
		throw unusable(file);
	}
}

/** What the collector must be told, PEM. */
export function publicKeyPem(key: KeyObject): string {
	return createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString();
}

function unusable(file: string): AppError {
	return new AppError(
		'FN_AGENT_OUTBOX_KEY',
		`the key ${file} cannot be read; give the agent's user access, or remove it and take the new public key to the collector`,
	);
}
