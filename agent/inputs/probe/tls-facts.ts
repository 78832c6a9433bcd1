import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

export interface CertificateFacts {
	/** The earliest end of validity in the chain that the server presented, in seconds. */
	readonly earliestExpiry: number;
	/** The same of the chain up to the trusted root; `null` where the chain could not be verified. */
	readonly chainExpiry: number | null;
	/** SHA-256 of the server's own certificate, lower-case hexadecimal. */
	readonly fingerprint: string;
	/** Distinguished names as RFC 4514 writes them, last part first. */
	readonly subject: string;
	readonly issuer: string;
	/** DNS names that the certificate is for. */
	readonly names: readonly string[];
}

/** Certificates that one chain may have; a server that presents more is not followed further. */
const MOST_CERTIFICATES = 20;
/** They become label values; a certificate may name thousands of hosts. */
const MOST_NAMES = 20;
const MOST_CHARACTERS = 300;

export function certificateFacts(socket: TLSSocket): CertificateFacts | null {
	const leaf = socket.getPeerCertificate(true) as DetailedPeerCertificate | null;
	if (leaf === null || typeof leaf.valid_to !== 'string') return null;
	const chain: DetailedPeerCertificate[] = [];
	const seen = new Set<string>();
	for (
		let one: DetailedPeerCertificate | undefined = leaf;
		one !== undefined && chain.length < MOST_CERTIFICATES;
		one = one.issuerCertificate
	) {
		// A self-signed certificate names itself as its issuer.
		if (typeof one.fingerprint256 !== 'string' || seen.has(one.fingerprint256)) break;
		seen.add(one.fingerprint256);
		chain.push(one);
	}
	const expiries = chain.map((one) => Date.parse(one.valid_to) / 1000).filter((seconds) => Number.isFinite(seconds));
	// The runtime completes the chain with the root of its own list, which no server presents; it counts only for the second figure.
	const presented = socket.authorized && chain.length > 1 ? expiries.slice(0, -1) : expiries;
	return {
		earliestExpiry: Math.min(...presented),
		chainExpiry: socket.authorized ? Math.min(...expiries) : null,
		fingerprint: leaf.fingerprint256.replace(/:/g, '').toLowerCase(),
		subject: distinguishedName(Object.entries(leaf.subject)),
		issuer: distinguishedName(Object.entries(leaf.issuer)),
		names: dnsNames(leaf.subjectaltname),
	};
}

/** Of a certificate that arrived as bytes, not through a TLS socket. */
export function describeCertificate(certificate: X509Certificate): Pick<CertificateFacts, 'fingerprint' | 'subject' | 'issuer' | 'names'> {
	const parts = (text: string) =>
		text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
	return {
		fingerprint: certificate.fingerprint256.replace(/:/g, '').toLowerCase(),
		subject: distinguishedName(parts(certificate.subject)),
		issuer: distinguishedName(parts(certificate.issuer)),
		names: dnsNames(certificate.subjectAltName),
	};
}

function distinguishedName(parts: readonly (readonly [string, string | readonly string[] | undefined])[]): string {
	return parts
		.flatMap(([key, value]) =>
			value === undefined ? [] : typeof value === 'string' ? [`${key}=${value}`] : value.map((one) => `${key}=${one}`),
		)
		.reverse()
		.join(',')
		.slice(0, MOST_CHARACTERS);
}

function dnsNames(text: string | undefined): readonly string[] {
	const names = (text ?? '').split(', ').filter((name) => name.startsWith('DNS:'));
	return names.slice(0, MOST_NAMES).map((name) => name.slice(4, 4 + MOST_CHARACTERS));
}
