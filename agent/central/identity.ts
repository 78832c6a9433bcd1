import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, systemErrorCode } from '../../core/errors.ts';
import { makeFolder } from '../../core/folder.ts';
import { httpExchange } from '../../core/http-client.ts';
import { Secret } from '../../core/secret.ts';
import { type EnrolAnswer, enrolmentProofText } from '../../protocol/agent-api.ts';

/** What an agent got when it was enrolled. */
export interface AgentIdentity {
	readonly host: string;
	/** Bearer token for the collector. */
	readonly key: Secret;
	/** Ed25519, PEM. */
	readonly privateKey: Secret;
	readonly system: string;
	readonly zone: string;
	/** SHA-256 of the one-time token that was exchanged: another token in the configuration means to enrol again. */
	readonly enrolledWith: string;
}

export const IDENTITY_FILE = 'identity.json';
/** The private key while the exchange is under way: if the answer is lost, the next attempt must be the same agent's. */
const PENDING_FILE = 'enrolment.key';

export function tokenDigest(token: Secret): string {
	return createHash('sha256').update(token.reveal()).digest('hex');
}

/** `null` before the agent is enrolled. Throws `FN_AGENT_IDENTITY` when the file is there and of no use. */
export function loadIdentity(dataDir: string): AgentIdentity | null {
	const file = join(dataDir, IDENTITY_FILE);
	let text: string;
	try {
		text = readFileSync(file, 'utf8');
	} catch (error) {
		if (systemErrorCode(error) === 'ENOENT') return null;
		throw unusable(file, systemErrorCode(error));
	}
	try {
		const value = JSON.parse(text) as Record<string, unknown>;
		const field = (name: string): string => {
			const found = value[name];
			if (typeof found !== 'string') throw new TypeError(name);
			return found;
		};
		return {
			host: field('host'),
			key: new Secret(field('key')),
			privateKey: new Secret(field('privateKey')),
			system: field('system'),
			zone: field('zone'),
			enrolledWith: field('enrolledWith'),
		};
	} catch {
		throw unusable(file, 'it is not what an enrolment writes');
	}
}

/** Readable only by the agent's user, and whole or not there at all. */
export function saveIdentity(dataDir: string, identity: AgentIdentity): void {
	makeFolder(dataDir, 0o700);
	const file = join(dataDir, IDENTITY_FILE);
	const text = JSON.stringify({ ...identity, key: identity.key.reveal(), privateKey: identity.privateKey.reveal() });
	writeFileSync(`${file}.new`, `${text}\n`, { mode: 0o600 });
	renameSync(`${file}.new`, file);
	rmSync(join(dataDir, PENDING_FILE), { force: true });
}

function pendingKey(dataDir: string): KeyObject {
	makeFolder(dataDir, 0o700);
	const file = join(dataDir, PENDING_FILE);
	try {
		return createPrivateKey(readFileSync(file, 'utf8'));
	} catch {
		const { privateKey } = generateKeyPairSync('ed25519');
		writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
		return privateKey;
	}
}

export interface EnrolOptions {
	/** `/api/fournines/v1/enrol` of the collector. */
	readonly url: string;
	readonly token: Secret;
	readonly host: string;
	readonly agentVersion: string;
	readonly ca?: () => string;
	readonly timeoutMs: number;
	readonly userAgent: string;
	readonly dataDir: string;
}

/**
 * Exchanges the one-time token for a key. Rejects with `FN_AGENT_ENROL_REFUSED` when the collector says no, and with a retryable error
 * when it cannot be reached.
 */
export async function enrol(options: EnrolOptions): Promise<AgentIdentity> {
	const privateKey = pendingKey(options.dataDir);
	const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
	const { host, agentVersion, token } = options;
	const proof = sign(null, Buffer.from(enrolmentProofText({ token: token.reveal(), host })), privateKey).toString('base64');
	const response = await httpExchange(options.url, {
		method: 'POST',
		headers: { 'content-type': 'application/json', 'user-agent': options.userAgent },
		body: JSON.stringify({ token: token.reveal(), host, agentVersion, publicKey, proof }),
		timeoutMs: options.timeoutMs,
		maxBodyBytes: 64 * 1024,
		...(options.ca === undefined ? {} : { ca: options.ca() }),
	});
	const text = response.body.toString('utf8');
	if (response.status !== 200) {
		throw new AppError('FN_AGENT_ENROL_REFUSED', `the collector did not enrol ${host} (${response.status}): ${refusal(text)}`, {
			retryable: response.status >= 500 || response.status === 429,
		});
	}
	const answer = JSON.parse(text) as EnrolAnswer;
	return {
		host,
		key: new Secret(answer.key),
		privateKey: new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
		system: answer.labels.system,
		zone: answer.labels.zone,
		enrolledWith: tokenDigest(token),
	};
}

function refusal(text: string): string {
	try {
		const { error } = JSON.parse(text) as { error?: { message?: string } };
		if (typeof error?.message === 'string') return error.message;
	} catch {
		// Not ours, for example of a proxy in between: shown as it is.
	}
	return text.slice(0, 200);
}

function unusable(file: string, why: string): AppError {
	return new AppError('FN_AGENT_IDENTITY', `the agent's identity ${file} cannot be used (${why}); remove it and enrol this host again`);
}
