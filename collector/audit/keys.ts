import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sm2 } from 'sm-crypto-v2';
import { AppError } from '../../core/errors.ts';

/** Public halves, as they are published and put into bundles. */
export interface AuditPublicKeys {
	readonly epoch: number;
	/** PEM (SubjectPublicKeyInfo). */
	readonly ed25519: string;
	/** Uncompressed point, hex, 130 digits from `04`. */
	readonly sm2: string;
}

export interface AuditKeys {
	readonly publicKeys: AuditPublicKeys;
	sign(text: string): AuditSignatures;
}

/** Base64: Ed25519 as RFC 8032; SM2 with SM3 and the default id 1234567812345678 (GB/T 32918), DER. */
export interface AuditSignatures {
	readonly ed25519: string;
	readonly sm2: string;
}

interface StoredKeys {
	readonly epoch: number;
	readonly ed25519: string;
	readonly sm2Private: string;
	readonly sm2Public: string;
}

/**
 * `<dataDir>/keys/audit.json` (0600), made where there is none. `epochBefore`: of the keys that signed what the archive has; new ones begin
 * the epoch after it. Throws `FN_AUDIT_KEYS` when the file is damaged; errors of the disk pass through.
 */
export function provideAuditKeys(dataDir: string, epochBefore = 0): AuditKeys {
	const folder = join(dataDir, 'keys');
	const file = join(folder, 'audit.json');
	if (!existsSync(file)) {
		mkdirSync(folder, { recursive: true, mode: 0o700 });
		const pair = sm2.generateKeyPairHex();
		const stored: StoredKeys = {
			epoch: epochBefore + 1,
			ed25519: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
			sm2Private: pair.privateKey,
			sm2Public: pair.publicKey,
		};
		// Half a file would keep every later start from coming up.
		writeFileSync(`${file}.new`, JSON.stringify(stored), { mode: 0o600, flush: true });
		renameSync(`${file}.new`, file);
	}
	return loadAuditKeys(dataDir);
}

/** The keys of an archive. Throws `FN_AUDIT_KEYS` when there are none, or they are damaged. */
export function loadAuditKeys(dataDir: string): AuditKeys {
	const file = join(dataDir, 'keys', 'audit.json');
	let stored: StoredKeys;
	let privateKey: KeyObject;
	try {
		stored = JSON.parse(readFileSync(file, 'utf8')) as StoredKeys;
		privateKey = createPrivateKey(stored.ed25519);
		if (!/^[0-9a-f]{64}$/.test(stored.sm2Private) || !/^04[0-9a-f]{128}$/.test(stored.sm2Public))
			throw new Error('the SM2 key has a wrong form');
	} catch (error) {
		throw new AppError(
			'FN_AUDIT_KEYS',
			`the audit keys in ${file} cannot be used; restore the file from a backup (without it the next start of the collector makes keys of a new epoch, and what the old ones signed can be checked with their public halves only)`,
			{ cause: error },
		);
	}
	return {
		publicKeys: {
			epoch: stored.epoch,
			ed25519: createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString(),
			sm2: stored.sm2Public,
		},
		sign: (text) => ({
			ed25519: sign(null, Buffer.from(text), privateKey).toString('base64'),
			sm2: Buffer.from(
				sm2.doSignature(Buffer.from(text), stored.sm2Private, { hash: true, der: true, publicKey: stored.sm2Public }),
				'hex',
			).toString('base64'),
		}),
	};
}

/** Whether **both** signatures are right: each algorithm stands in for the other should one of them fall. */
export function verifySignatures(text: string, signatures: AuditSignatures, keys: AuditPublicKeys): boolean {
	try {
		if (!verify(null, Buffer.from(text), createPublicKey(keys.ed25519), Buffer.from(signatures.ed25519, 'base64'))) return false;
		return sm2.doVerifySignature(Buffer.from(text), Buffer.from(signatures.sm2, 'base64').toString('hex'), keys.sm2, {
			hash: true,
			der: true,
		});
	} catch {
		// A signature or key that cannot even be parsed proves nothing.
		return false;
	}
}

/** SHA-256 over both public keys, in groups of four: short enough to be read out and compared with a published one. */
export function keyFingerprint(keys: AuditPublicKeys): string {
	const hex = createHash('sha256').update(keys.ed25519.trim()).update('\n').update(keys.sm2).digest('hex');
	return (hex.match(/.{4}/g) ?? []).slice(0, 8).join('-');
}
