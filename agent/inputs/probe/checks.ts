import type { Socket } from 'node:net';
import { AppError, errorText } from '../../../core/errors.ts';
import { type DnsMeasurement, type DnsQuestion, dnsFamilies, dnsProbe } from '../dns/dns-probe.ts';
import { ping } from '../icmp/ping.ts';
import type { FamilySet } from '../input.ts';
import { parseServiceAddress } from '../service-address.ts';
import { type SqlServer, SqlSession } from '../sql/session.ts';
import { type AnswerConditions, type AnswerExpectation, compileConditions } from './answer-conditions.ts';
import { startTls, type TlsOutcome, type TlsSettings } from './connection.ts';
import type { Deadline } from './deadline.ts';
import { ProbeFailure } from './failure.ts';
import { emptyMeasurement, type HttpMeasurement, type HttpProbeRequest, httpProbe, PHASES } from './http-probe.ts';
import { addressFamilies, tlsFamilies } from './probe-families.ts';
import { type ResolvedAddress, type ResolveOptions, resolveHost } from './resolve.ts';
import { connectPath, connectTcp } from './tcp-connect.ts';
import { converseTcp, type DialogueStep } from './tcp-dialogue.ts';

export interface CheckContext {
	readonly deadline: Deadline;
	readonly monotonic: () => number;
	/** Filled in as far as the check goes, also when it fails. */
	readonly families: FamilySet;
}

/** One way of checking something. Throws a `ProbeFailure` when the target is not as it should be. */
export type Check = (context: CheckContext) => Promise<void>;

export interface HttpCheckOptions {
	readonly url: string;
	/** Made at each run, so that files with secrets can be replaced. */
	readonly request: () => HttpProbeRequest;
	readonly expect: AnswerExpectation;
	/** A server that speaks only TLCP passes when it answers that handshake. */
	readonly acceptGm: boolean;
}

export function httpCheck(options: HttpCheckOptions): Check {
	let conditions: AnswerConditions | null = null;
	return async ({ deadline, monotonic, families }) => {
		const measured = emptyMeasurement();
		let textFailed = false;
		try {
			conditions ??= await compileConditions(options.expect);
			const answer = await httpProbe(options.url, options.request(), measured, { deadline, monotonic });
			conditions.check(answer);
		} catch (error) {
			textFailed = error instanceof ProbeFailure && error.reason === 'text';
			if (options.acceptGm && error instanceof ProbeFailure && error.reason === 'tls_gm_only') return;
			throw error;
		} finally {
			httpFamilies(measured, textFailed, families);
		}
	};
}

function httpFamilies(measured: HttpMeasurement, textFailed: boolean, families: FamilySet): void {
	addressFamilies(measured.address, measured.lookupSeconds, families);
	families.gauge('probe_http_status_code', 'Response HTTP status code', measured.status);
	for (const phase of PHASES) {
		families.gauge('probe_http_duration_seconds', 'Duration of http request by phase, summed over all redirects', measured.phases[phase], [
			'phase',
			phase,
		]);
	}
	families.gauge('probe_http_redirects', 'The number of redirects', measured.redirects);
	families.gauge('probe_http_ssl', 'Indicates if SSL was used for the final redirect', measured.ssl ? 1 : 0);
	families.gauge('probe_http_version', 'Returns the version of HTTP of the probe response', measured.version);
	families.gauge('probe_http_content_length', 'Length of http content response', measured.contentLength);
	families.gauge('probe_http_uncompressed_body_length', 'Length of uncompressed response body', measured.bodyBytes);
	families.gauge('probe_failed_due_to_regex', 'Indicates if probe failed due to regex', textFailed ? 1 : 0);
	if (measured.lastModified !== null) {
		families.gauge(
			'probe_http_last_modified_timestamp_seconds',
			'Returns the Last-Modified HTTP response header in unixtime',
			measured.lastModified,
		);
	}
	tlsFamilies(measured.tls, families);
}

export interface TcpCheckOptions {
	readonly address: string;
	readonly dialogue: readonly DialogueStep[];
	/** Whether TLS begins at once. */
	readonly tls: boolean;
	readonly tlsSettings: TlsSettings;
	readonly resolve: ResolveOptions;
	readonly acceptGm: boolean;
}

export function tcpCheck(options: TcpCheckOptions): Check {
	const target = parseServiceAddress(options.address, 0);
	return async ({ deadline, monotonic, families }) => {
		let outcome: TlsOutcome | null = null;
		let address: ResolvedAddress | null = null;
		let lookupSeconds = 0;
		let textFailed = false;
		let socket: Socket | null = null;
		try {
			if (target.kind === 'socket') {
				socket = await connectPath(target.path, deadline);
				await converseTcp(socket, options.dialogue, deadline, async (plain) => plain);
				return;
			}
			const started = monotonic();
			const found = await resolveHost(target.host, options.resolve, deadline);
			address = found;
			lookupSeconds = (monotonic() - started) / 1000;
			const upgrade = (plain: Socket) =>
				startTls(plain, target.host, options.tlsSettings, {
					deadline,
					address: found,
					port: target.port,
					learned: (learned) => {
						outcome = learned;
					},
				});
			socket = await connectTcp(found, target.port, deadline);
			if (options.tls) socket = await upgrade(socket);
			socket = await converseTcp(socket, options.dialogue, deadline, upgrade);
		} catch (error) {
			textFailed = error instanceof ProbeFailure && error.reason === 'text';
			if (options.acceptGm && error instanceof ProbeFailure && error.reason === 'tls_gm_only') return;
			throw error;
		} finally {
			socket?.destroy();
			addressFamilies(address, lookupSeconds, families);
			families.gauge('probe_failed_due_to_regex', 'Indicates if probe failed due to regex', textFailed ? 1 : 0);
			tlsFamilies(outcome, families);
		}
	};
}

export function dnsCheck(options: { readonly server: string; readonly question: DnsQuestion; readonly resolve: ResolveOptions }): Check {
	const target = parseServiceAddress(options.server, 53);
	return async ({ deadline, monotonic, families }) => {
		if (target.kind === 'socket') throw new ProbeFailure('config', 'a name server is an address, not a socket');
		const measured: DnsMeasurement = { connectSeconds: 0, requestSeconds: 0, message: null };
		let address: ResolvedAddress | null = null;
		let lookupSeconds = 0;
		try {
			const started = monotonic();
			address = await resolveHost(target.host, options.resolve, deadline);
			lookupSeconds = (monotonic() - started) / 1000;
			await dnsProbe(address, target.port, options.question, measured, { deadline, monotonic });
		} finally {
			addressFamilies(address, lookupSeconds, families);
			dnsFamilies(measured, lookupSeconds, families);
		}
	};
}

export function icmpCheck(options: { readonly host: string; readonly command: string; readonly resolve: ResolveOptions }): Check {
	return async ({ deadline, monotonic, families }) => {
		let address: ResolvedAddress | null = null;
		let lookupSeconds = 0;
		let rttSeconds = 0;
		try {
			const started = monotonic();
			address = await resolveHost(options.host, options.resolve, deadline);
			lookupSeconds = (monotonic() - started) / 1000;
			const sent = monotonic();
			rttSeconds = (await ping(options.command, address, deadline)) ?? (monotonic() - sent) / 1000;
		} finally {
			addressFamilies(address, lookupSeconds, families);
			const phases = [
				['resolve', lookupSeconds],
				['setup', 0],
				['rtt', rttSeconds],
			] as const;
			for (const [phase, seconds] of phases)
				families.gauge('probe_icmp_duration_seconds', 'Duration of icmp request by phase', seconds, ['phase', phase]);
		}
	};
}

export interface SqlCheckOptions {
	readonly server: SqlServer;
	readonly query: string;
	readonly equals: string | null;
	readonly min: number | null;
	readonly max: number | null;
}

const SQL_ANSWER_BYTES = 1024 * 1024;

/** A new session each time: what is checked is also that one can log in. */
export function sqlCheck(options: SqlCheckOptions): Check {
	return async ({ deadline, monotonic, families }) => {
		deadline.phase('the database');
		const session = new SqlSession(options.server);
		const started = monotonic();
		let rows = 0;
		try {
			const limits = { timeoutMs: deadline.timeoutMs, maxRows: 1, maxBytes: SQL_ANSWER_BYTES };
			const result = await session.query(options.query, limits, deadline.signal);
			rows = result.rows.length;
			judgeValue(result.rows[0]?.[0], options);
		} catch (error) {
			if (error instanceof ProbeFailure) throw error;
			if (deadline.signal.aborted) throw deadline.failure();
			const connect = error instanceof AppError && error.code === 'FN_AGENT_SOURCE_CONNECT';
			throw new ProbeFailure(connect ? sqlReason(error.cause) : 'answer', errorText(error), error);
		} finally {
			session.close();
			families.gauge('probe_sql_duration_seconds', 'Time to log in and run the statement', (monotonic() - started) / 1000);
			families.gauge('probe_sql_rows', 'Whether the statement gave a row', rows);
		}
	};
}

function sqlReason(cause: unknown): 'connect_refused' | 'refused' | 'connect_failed' {
	const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
	if (code === 'ECONNREFUSED') return 'connect_refused';
	return code.startsWith('ER_') ? 'refused' : 'connect_failed';
}

function judgeValue(value: string | null | undefined, { equals, min, max }: SqlCheckOptions): void {
	if (value === undefined) throw new ProbeFailure('answer', 'the statement gave no row');
	if (equals !== null && value !== equals) throw new ProbeFailure('answer', 'the first value is not the expected one');
	if (min === null && max === null) return;
	const number = value === null || value.trim() === '' ? Number.NaN : Number(value);
	if (Number.isNaN(number)) throw new ProbeFailure('answer', 'the first value is not a number');
	if (min !== null && number < min) throw new ProbeFailure('answer', `the first value is ${number}, less than ${min}`);
	if (max !== null && number > max) throw new ProbeFailure('answer', `the first value is ${number}, more than ${max}`);
}
