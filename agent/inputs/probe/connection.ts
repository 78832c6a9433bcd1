import type { Socket } from 'node:net';
import { checkServerIdentity, type SecureVersion, type TLSSocket, connect as tlsConnect } from 'node:tls';
import type { Deadline } from './deadline.ts';
import { ProbeFailure } from './failure.ts';
import type { ResolvedAddress } from './resolve.ts';
import { detectTlcp } from './tlcp.ts';
import { type CertificateFacts, certificateFacts } from './tls-facts.ts';

export interface TlsSettings {
	/** PEM of a private CA; `null` takes the runtime's list. */
	readonly ca: string | null;
	/** PEM of a client certificate and its key, read when the check runs, so that they can be replaced. */
	readonly client: (() => { readonly cert: string; readonly key: string }) | null;
	/** Name that is sent (SNI) and checked, instead of the host of the target. */
	readonly serverName: string | null;
	/** `false` takes any certificate; its expiry is measured all the same. */
	readonly verify: boolean;
	readonly minVersion: SecureVersion;
}

/** What a probe learned about a TLS server, also where the certificate was not acceptable. */
export interface TlsOutcome {
	readonly facts: CertificateFacts | null;
	/** `TLS 1.3`, as exporters write it; `''` where the handshake failed. */
	readonly version: string;
	/** Whether the server speaks only TLCP (GB/T 38636), the national protocol. */
	readonly gmOnly: boolean;
}

/**
 * TLS over a connected socket. `learned` is called with whatever could be read, before the certificate is judged. Throws a
 * `ProbeFailure`: `tls_gm_only` when the server answers the national protocol instead.
 */
export async function startTls(
	socket: Socket,
	host: string,
	settings: TlsSettings,
	options: {
		readonly deadline: Deadline;
		readonly address: ResolvedAddress;
		readonly port: number;
		readonly learned: (outcome: TlsOutcome) => void;
	},
): Promise<TLSSocket> {
	const { deadline } = options;
	deadline.phase('the TLS handshake');
	const client = readClient(settings);
	const name = settings.serverName ?? host;
	const old = settings.minVersion === 'TLSv1' || settings.minVersion === 'TLSv1.1';
	let secure: TLSSocket;
	try {
		secure = tlsConnect({
			socket,
			// An address is not a name: RFC 6066 forbids it in SNI.
			...(/^[0-9.]+$|:/.test(name) ? {} : { servername: name }),
			host: name,
			rejectUnauthorized: false,
			checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
			ALPNProtocols: ['http/1.1'],
			minVersion: settings.minVersion,
			...(old ? { ciphers: 'DEFAULT@SECLEVEL=0' } : {}),
			...(settings.ca === null ? {} : { ca: settings.ca }),
			...(client === null ? {} : client),
		});
	} catch (error) {
		socket.destroy();
		throw new ProbeFailure('config', 'the client certificate, its key or the CA cannot be used', error);
	}
	try {
		await deadline.race<void>(
			(resolve, reject) => {
				secure.once('secureConnect', resolve);
				secure.on('error', reject);
				secure.once('close', () => reject(new Error('the server closed the connection in the handshake')));
			},
			() => secure.destroy(),
		);
	} catch (error) {
		secure.destroy();
		if (error instanceof ProbeFailure) throw error;
		const tlcp = await detectTlcp(options.address, options.port, deadline).catch(() => null);
		if (tlcp !== null) {
			options.learned({ facts: tlcp.facts, version: '', gmOnly: true });
			throw new ProbeFailure(
				'tls_gm_only',
				`the server speaks only TLCP (GB/T 38636${tlcp.cipher === '' ? '' : `, ${tlcp.cipher}`})`,
				error,
			);
		}
		const text = error instanceof Error ? error.message.replace(/^[0-9A-F]+:error:[0-9A-F]+:/i, '').slice(0, 200) : String(error);
		throw new ProbeFailure('tls_handshake', `the TLS handshake failed: ${text}`, error);
	}
	options.learned({
		facts: certificateFacts(secure),
		version: (secure.getProtocol() ?? '').replace(/^TLSv/, 'TLS ').replace(/^TLS 1$/, 'TLS 1.0'),
		gmOnly: false,
	});
	if (settings.verify && !secure.authorized) {
		const cause = secure.authorizationError as Error | string | null;
		secure.destroy();
		throw untrusted(cause);
	}
	return secure;
}

function readClient(settings: TlsSettings): { readonly cert: string; readonly key: string } | null {
	if (settings.client === null) return null;
	try {
		return settings.client();
	} catch (error) {
		throw new ProbeFailure('config', 'the client certificate or its key cannot be read', error);
	}
}

function untrusted(cause: Error | string | null): ProbeFailure {
	const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
	const text = cause instanceof Error ? cause.message : String(cause);
	if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
		return new ProbeFailure('tls_expired', `the certificate is not valid now (${code})`);
	if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || /altname|does not match/i.test(text))
		return new ProbeFailure('tls_name', 'the certificate is for another name');
	return new ProbeFailure('tls_untrusted', `the certificate is not trusted (${code})`);
}
