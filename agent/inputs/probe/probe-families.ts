import { isIP } from 'node:net';
import type { FamilySet } from '../input.ts';
import type { TlsOutcome } from './connection.ts';
import type { ResolvedAddress } from './resolve.ts';

export function addressFamilies(address: ResolvedAddress | null, lookupSeconds: number, families: FamilySet): void {
	families.gauge('probe_dns_lookup_time_seconds', 'Returns the time taken for probe dns lookup in seconds', lookupSeconds);
	if (address === null) {
		families.gauge('probe_ip_protocol', 'Specifies whether probe ip protocol is IP4 or IP6', 0);
		return;
	}
	families.gauge('probe_ip_protocol', 'Specifies whether probe ip protocol is IP4 or IP6', address.family);
	families.gauge(
		'probe_ip_addr_hash',
		"Specifies the hash of IP address. It's useful to detect if the IP address changes.",
		addressHash(address.ip),
	);
}

export function tlsFamilies(outcome: TlsOutcome | null, families: FamilySet): void {
	if (outcome === null) return;
	families.gauge('fournines_check_gm_only', 'Whether the server speaks only TLCP, the national TLS of GB/T 38636.', outcome.gmOnly ? 1 : 0);
	const { facts, version } = outcome;
	if (version !== '') families.gauge('probe_tls_version_info', 'Contains the TLS version used', 1, ['version', version]);
	if (facts === null) return;
	families.gauge('probe_ssl_earliest_cert_expiry', 'Returns earliest SSL cert expiry date in unixtime', facts.earliestExpiry);
	families.gauge('probe_ssl_last_chain_info', 'Contains SSL leaf certificate information', 1, [
		...['fingerprint_sha256', facts.fingerprint, 'issuer', facts.issuer],
		...['subject', facts.subject, 'subjectalternative', facts.names.join(',')],
	]);
	if (facts.chainExpiry !== null) {
		families.gauge(
			'probe_ssl_last_chain_expiry_timestamp_seconds',
			'Returns last SSL chain expiry in timestamp seconds',
			facts.chainExpiry,
		);
	}
}

/** FNV-1a 32 over the bytes of the address, as blackbox_exporter: a change of the address is seen, the address is not a label. */
export function addressHash(ip: string): number {
	let hash = 0x811c9dc5;
	for (const byte of addressBytes(ip)) hash = Math.imul(hash ^ byte, 0x01000193);
	return hash >>> 0;
}

function addressBytes(ip: string): readonly number[] {
	if (isIP(ip) === 4) return ip.split('.').map(Number);
	const [plain = ''] = ip.split('%');
	const tail = /(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
	const text = tail === undefined ? plain : plain.slice(0, -tail.length) + groupsOf(tail.split('.').map(Number));
	const [head = '', rest] = text.split('::');
	const groups = (part: string) => (part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16)));
	const left = groups(head);
	const right = rest === undefined ? [] : groups(rest);
	const all = [...left, ...new Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right];
	return all.flatMap((group) => [group >> 8, group & 0xff]);
}

function groupsOf([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string {
	return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
