import { readFileSync } from 'node:fs';
import type { Secret, SecretRef } from '../../../core/secret.ts';
import { readCaFile } from '../../ca-file.ts';
import type { DnsQuestion } from '../dns/dns-probe.ts';
import type { AnswerExpectation, JsonCondition } from './answer-conditions.ts';
import { type Check, dnsCheck, httpCheck, icmpCheck, sqlCheck, tcpCheck } from './checks.ts';
import type { ProbeConfig } from './config.ts';
import type { TlsSettings } from './connection.ts';
import type { HttpProbeRequest } from './http-probe.ts';
import type { ResolveOptions } from './resolve.ts';

export type SecretReader = (ref: SecretRef | undefined) => () => Secret | null;

/** A dns probe without "dns" is refused by the configuration; any server that resolves knows these. */
const NAME_SERVERS_OF_THE_ROOT: DnsQuestion = {
	name: '.',
	type: 'NS',
	transport: 'udp',
	recursion: true,
	rcodes: ['NOERROR'],
	answers: [],
	only: false,
};

type ExpectConfig = ProbeConfig['expect'];
type RequestConfig = ProbeConfig['http'];
type ReachConfig = Pick<
	ProbeConfig,
	'ca_file' | 'cert_file' | 'key_file' | 'server_name' | 'tls_verify' | 'tls_min_version' | 'ip_family' | 'resolver' | 'gm_only'
>;

/** The check that an entry of `inputs.probes` describes. Throws `FN_AGENT_CA_UNREADABLE`. */
export function checkFromConfig(entry: ProbeConfig, secret: SecretReader, userAgent: string): Check {
	const tlsSettings = tlsFromConfig(entry);
	const resolve = resolveFromConfig(entry);
	const acceptGm = entry.gm_only === 'accept';
	switch (entry.kind) {
		case 'http':
			return httpCheck({
				url: entry.target,
				request: requestFromConfig(entry.http, { tls: tlsSettings, resolve, secret, userAgent }),
				expect: expectFromConfig(entry.expect),
				acceptGm,
			});
		case 'tcp':
		case 'tls':
			return tcpCheck({ address: entry.target, dialogue: entry.dialogue, tls: entry.kind === 'tls', tlsSettings, resolve, acceptGm });
		case 'dns': {
			const dns: DnsQuestion = entry.dns ?? NAME_SERVERS_OF_THE_ROOT;
			return dnsCheck({ server: entry.target, question: dns, resolve });
		}
		case 'icmp':
			return icmpCheck({ host: entry.target, command: entry.icmp.command, resolve });
		case 'sql': {
			const sql = entry.sql ?? { username: '', database: '', query: 'SELECT 1' };
			return sqlCheck({
				server: {
					address: entry.target,
					username: sql.username,
					password: secret(sql.password),
					database: sql.database,
					ca: entry.ca_file === undefined ? null : readCaFile(entry.ca_file),
				},
				query: sql.query,
				equals: sql.equals ?? null,
				min: sql.min ?? null,
				max: sql.max ?? null,
			});
		}
	}
}

export function expectFromConfig(expect: ExpectConfig): AnswerExpectation {
	return {
		status: expect.status ?? null,
		text: expect.text === undefined ? [] : [expect.text],
		notText: expect.not_text === undefined ? [] : [expect.not_text],
		matches: expect.matches,
		notMatches: expect.not_matches,
		json: expect.json as readonly JsonCondition[],
		minBytes: expect.min_bytes ?? null,
		maxBytes: expect.max_bytes ?? null,
		finalUrl: expect.final_url ?? null,
		headers: Object.entries(expect.headers).map(([name, matches]) => ({ name, matches })),
	};
}

export function tlsFromConfig(entry: ReachConfig): TlsSettings {
	const { cert_file: certFile, key_file: keyFile } = entry;
	return {
		ca: entry.ca_file === undefined ? null : readCaFile(entry.ca_file),
		client:
			certFile === undefined || keyFile === undefined
				? null
				: () => ({ cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }),
		serverName: entry.server_name ?? null,
		verify: entry.tls_verify,
		minVersion: entry.tls_min_version,
	};
}

export function resolveFromConfig(entry: ReachConfig): ResolveOptions {
	return { family: entry.ip_family === 'any' ? null : entry.ip_family, resolver: entry.resolver ?? null };
}

/** The request, made anew at each run: secrets are read when they are needed. */
export function requestFromConfig(
	http: RequestConfig,
	context: { readonly tls: TlsSettings; readonly resolve: ResolveOptions; readonly secret: SecretReader; readonly userAgent: string },
): () => HttpProbeRequest {
	const { secret } = context;
	const password = secret(http.password);
	const bearer = secret(http.bearer);
	const secretHeaders = Object.entries(http.secret_headers).map(([name, ref]) => ({ name: name.toLowerCase(), value: secret(ref) }));
	const proxyPassword = secret(http.proxy_password);
	return () => {
		const headers: Record<string, string> = { 'user-agent': context.userAgent, accept: '*/*' };
		for (const [name, value] of Object.entries(http.headers)) headers[name.toLowerCase()] = value;
		const secrets: Record<string, string> = {};
		for (const { name, value } of secretHeaders) secrets[name] = value()?.reveal() ?? '';
		const token = bearer()?.reveal();
		const basic = http.username === undefined ? null : Buffer.from(`${http.username}:${password()?.reveal() ?? ''}`).toString('base64');
		if (token !== undefined) secrets['authorization'] = `Bearer ${token}`;
		else if (basic !== null) secrets['authorization'] = `Basic ${basic}`;
		return {
			method: http.method,
			headers,
			body: http.body ?? null,
			secretHeaders: secrets,
			redirects: http.redirects,
			proxy: http.proxy === undefined ? null : { url: http.proxy, username: http.proxy_username ?? null, password: proxyPassword },
			maxBodyBytes: http.max_body,
			tls: context.tls,
			resolve: context.resolve,
		};
	};
}
