import { randomBytes, X509Certificate } from 'node:crypto';
import type { Deadline } from './deadline.ts';
import type { ResolvedAddress } from './resolve.ts';
import { connectTcp } from './tcp-connect.ts';
import { type CertificateFacts, describeCertificate } from './tls-facts.ts';

/** Cipher suites of GB/T 38636-2020, clause 6.4.5.2.1. */
const SUITES: Readonly<Record<number, string>> = {
	57427: 'ECC_SM4_GCM_SM3',
	57363: 'ECC_SM4_CBC_SM3',
	57425: 'ECDHE_SM4_GCM_SM3',
	57361: 'ECDHE_SM4_CBC_SM3',
};
const VERSION = 0x0101;
const HANDSHAKE = 0x16;
const ALERT = 0x15;
/** Server hello and two certificates are about 2 KB. */
const MOST_BYTES = 32 * 1024;

export interface TlcpServer {
	/** Suite that the server chose; `''` when it only answered with an alert of this protocol. */
	readonly cipher: string;
	readonly facts: CertificateFacts | null;
}

/** A client hello of TLCP 1.1: the record layer and handshake of TLS 1.1 with version 0x0101, no extensions. */
export function tlcpClientHello(): Buffer {
	const suites = Object.keys(SUITES).map(Number);
	const body = Buffer.concat([
		Buffer.from([0x01, 0x01]),
		randomBytes(32),
		Buffer.from([0]),
		Buffer.from([0, suites.length * 2]),
		Buffer.from(suites.flatMap((suite) => [suite >> 8, suite & 0xff])),
		Buffer.from([1, 0]),
	]);
	const handshake = Buffer.concat([Buffer.from([1, 0, body.length >> 8, body.length & 0xff]), body]);
	return Buffer.concat([Buffer.from([HANDSHAKE, 0x01, 0x01, handshake.length >> 8, handshake.length & 0xff]), handshake]);
}

/**
 * What the first records of an answer say: `null` while more bytes are needed, `'none'` for anything but TLCP.
 * A record of version 0x0101 is proof: no version of TLS or SSL has it.
 */
export function readTlcpAnswer(bytes: Buffer): TlcpServer | 'none' | null {
	const handshake: Buffer[] = [];
	let pos = 0;
	while (pos + 5 <= bytes.length) {
		const type = bytes[pos] as number;
		if ((type !== HANDSHAKE && type !== ALERT) || bytes.readUInt16BE(pos + 1) !== VERSION) return 'none';
		if (type === ALERT) return handshake.length > 0 ? fromHandshake(Buffer.concat(handshake), true) : { cipher: '', facts: null };
		const length = bytes.readUInt16BE(pos + 3);
		if (pos + 5 + length > bytes.length) break;
		handshake.push(bytes.subarray(pos + 5, pos + 5 + length));
		pos += 5 + length;
	}
	if (bytes.length >= 3 && bytes.readUInt16BE(1) !== VERSION) return 'none';
	return fromHandshake(Buffer.concat(handshake), false);
}

/** Server hello, then the certificates, which TLCP sends in the clear: signing first, encryption second. */
function fromHandshake(bytes: Buffer, last: boolean): TlcpServer | null {
	let cipher = '';
	let pos = 0;
	while (pos + 4 <= bytes.length) {
		const type = bytes[pos];
		const length = bytes.readUIntBE(pos + 1, 3);
		if (pos + 4 + length > bytes.length) break;
		const body = bytes.subarray(pos + 4, pos + 4 + length);
		if (type === 2 && body.length >= 38) {
			const after = 35 + (body[34] as number);
			if (after + 2 <= body.length) {
				const suite = body.readUInt16BE(after);
				cipher = SUITES[suite] ?? `0x${suite.toString(16)}`;
			}
		} else if (type === 11) return { cipher, facts: certificates(body) };
		// Whatever follows without certificates is not waited for.
		else if (type === 14) return { cipher, facts: null };
		pos += 4 + length;
	}
	return last ? { cipher, facts: null } : null;
}

function certificates(body: Buffer): CertificateFacts | null {
	const expiries: number[] = [];
	let first: X509Certificate | null = null;
	for (let pos = 3; pos + 3 <= body.length; ) {
		const length = body.readUIntBE(pos, 3);
		const der = body.subarray(pos + 3, pos + 3 + length);
		pos += 3 + length;
		try {
			const certificate = new X509Certificate(der);
			const seconds = Date.parse(certificate.validTo) / 1000;
			if (Number.isFinite(seconds)) expiries.push(seconds);
			first ??= certificate;
		} catch {
			// A certificate that the runtime cannot read says nothing about its expiry; that the server speaks TLCP stands.
		}
	}
	return first === null || expiries.length === 0
		? null
		: { earliestExpiry: Math.min(...expiries), chainExpiry: null, ...describeCertificate(first) };
}

/** Asks a server that has just refused TLS in the national protocol. `null` when it does not speak that either. */
export async function detectTlcp(address: ResolvedAddress, port: number, deadline: Deadline): Promise<TlcpServer | null> {
	const socket = await connectTcp(address, port, deadline);
	try {
		deadline.phase('the TLCP handshake');
		return await deadline.race<TlcpServer | null>((resolve) => {
			let bytes = Buffer.alloc(0);
			socket.on('data', (chunk: Buffer) => {
				bytes = Buffer.concat([bytes, chunk]);
				const answer = readTlcpAnswer(bytes);
				if (answer !== null) resolve(answer === 'none' ? null : answer);
				else if (bytes.length > MOST_BYTES) resolve(null);
			});
			const ended = () => {
				// A server hello without certificates is enough to know the protocol.
				const known = bytes.length >= 5 && bytes.readUInt16BE(1) === VERSION && (bytes[0] === HANDSHAKE || bytes[0] === ALERT);
				resolve(known ? { cipher: '', facts: null } : null);
			};
			socket.on('error', ended);
			socket.on('close', ended);
			socket.write(tlcpClientHello());
		});
	} finally {
		socket.destroy();
	}
}
