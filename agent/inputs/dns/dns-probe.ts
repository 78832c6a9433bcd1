import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import type { FamilySet } from '../input.ts';
import type { Deadline } from '../probe/deadline.ts';
import { ProbeFailure, toFailure } from '../probe/failure.ts';
import type { ResolvedAddress } from '../probe/resolve.ts';
import { connectTcp } from '../probe/tcp-connect.ts';
import { DNS_TYPES, type DnsMessage, DnsMessageError, type DnsType, decodeMessage, encodeQuery } from './message.ts';

export interface DnsQuestion {
	readonly name: string;
	readonly type: DnsType;
	readonly transport: 'udp' | 'tcp';
	readonly recursion: boolean;
	/** Accepted answers of the server, by default `NOERROR` alone. */
	readonly rcodes: readonly string[];
	/** Data of records that must be among the answers, compared without regard to case and a final dot. */
	readonly answers: readonly string[];
	/** Fails where the answers hold anything else of that type. */
	readonly only: boolean;
}

export interface DnsMeasurement {
	connectSeconds: number;
	requestSeconds: number;
	message: DnsMessage | null;
}

/** Asks one server one question; UDP, and TCP where the answer did not fit. Throws a `ProbeFailure`. */
export async function dnsProbe(
	address: ResolvedAddress,
	port: number,
	question: DnsQuestion,
	measured: DnsMeasurement,
	options: { readonly deadline: Deadline; readonly monotonic: () => number },
): Promise<void> {
	let query: Buffer;
	try {
		query = encodeQuery(question.name, question.type, { id: randomInt(0x10000), recursion: question.recursion });
	} catch (error) {
		throw toFailure(error, 'config');
	}
	const started = options.monotonic();
	let message =
		question.transport === 'udp'
			? await askUdp(address, port, query, options.deadline)
			: await askTcp(address, port, query, measured, options);
	if (message.truncated) message = await askTcp(address, port, query, measured, options);
	measured.requestSeconds = (options.monotonic() - started) / 1000 - measured.connectSeconds;
	measured.message = message;
	judge(message, question);
}

function judge(message: DnsMessage, question: DnsQuestion): void {
	if (!question.rcodes.includes(message.rcode)) throw new ProbeFailure('answer', `the server answered ${message.rcode}`);
	const found = message.answers.filter((record) => record.type === DNS_TYPES[question.type]).map((record) => plain(record.data));
	const wanted = question.answers.map(plain);
	const missing = wanted.filter((data) => !found.includes(data));
	if (missing.length > 0)
		throw new ProbeFailure('answer', `${missing.join(', ')} is not among the answers (${found.slice(0, 5).join(', ') || 'none'})`);
	const extra = question.only ? found.filter((data) => !wanted.includes(data)) : [];
	if (extra.length > 0) throw new ProbeFailure('answer', `the answers hold ${extra.slice(0, 5).join(', ')}, which is not expected`);
	if (wanted.length === 0 && message.rcode === 'NOERROR' && question.rcodes.length === 1 && message.answers.length === 0)
		throw new ProbeFailure('answer', `there is no ${question.type} record`);
}

function plain(data: string): string {
	return data.toLowerCase().replace(/\.$/, '');
}

function accept(bytes: Buffer, query: Buffer): DnsMessage | null {
	const message = decodeMessage(bytes);
	const answer = (bytes.readUInt16BE(2) & 0x8000) !== 0;
	// Somebody else's answer, or a forged one, is not ours.
	return answer && message.id === query.readUInt16BE(0) ? message : null;
}

function askUdp(address: ResolvedAddress, port: number, query: Buffer, deadline: Deadline): Promise<DnsMessage> {
	deadline.phase('waiting for the answer of the name server');
	const socket = createSocket(address.family === 6 ? 'udp6' : 'udp4');
	let open = true;
	const close = () => {
		if (open) socket.close();
		open = false;
	};
	// A lost packet is not an outage: the question is asked again a third of the way, and once more.
	const timers = [1, 2].map((n) => setTimeout(() => open && socket.send(query), (deadline.timeoutMs * n) / 3));
	return deadline
		.race<DnsMessage>((resolve, reject) => {
			// Connected, so that only this server is heard and a closed port is reported.
			socket.connect(port, address.ip, () => open && socket.send(query));
			socket.on('message', (bytes) => {
				try {
					const message = accept(bytes, query);
					if (message !== null) resolve(message);
				} catch (error) {
					reject(malformed(error));
				}
			});
			socket.on('error', (error) => reject(toFailure(error, 'connect_failed')));
		}, close)
		.finally(() => {
			for (const timer of timers) clearTimeout(timer);
			close();
		});
}

async function askTcp(
	address: ResolvedAddress,
	port: number,
	query: Buffer,
	measured: DnsMeasurement,
	{ deadline, monotonic }: { readonly deadline: Deadline; readonly monotonic: () => number },
): Promise<DnsMessage> {
	const connecting = monotonic();
	const socket = await connectTcp(address, port, deadline);
	measured.connectSeconds = (monotonic() - connecting) / 1000;
	deadline.phase('waiting for the answer of the name server');
	try {
		return await deadline.race<DnsMessage>((resolve, reject) => {
			let bytes = Buffer.alloc(0);
			socket.on('data', (chunk: Buffer) => {
				// At most 64 KB and two bytes are ever kept: more is not one message.
				bytes = Buffer.concat([bytes, chunk.subarray(0, 0x10002 - bytes.length)]);
				if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
				try {
					const message = accept(bytes.subarray(2, 2 + bytes.readUInt16BE(0)), query);
					if (message === null) reject(new ProbeFailure('protocol', 'the answer belongs to another question'));
					else resolve(message);
				} catch (error) {
					reject(malformed(error));
				}
			});
			socket.on('error', (error) => reject(toFailure(error, 'broken_off')));
			socket.on('close', () => reject(new ProbeFailure('broken_off', 'the name server closed the connection')));
			socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 0xff]), query]));
		});
	} finally {
		socket.destroy();
	}
}

function malformed(error: unknown): ProbeFailure {
	return error instanceof DnsMessageError
		? new ProbeFailure('protocol', `the answer is not a DNS message: ${error.message}`, error)
		: toFailure(error, 'protocol');
}

/** Names as blackbox_exporter 0.23. */
export function dnsFamilies(measured: DnsMeasurement, lookupSeconds: number, families: FamilySet): void {
	const { message } = measured;
	families.gauge('probe_dns_query_succeeded', 'Displays whether or not the query was executed successfully', message === null ? 0 : 1);
	const phases = [
		['resolve', lookupSeconds],
		['connect', measured.connectSeconds],
		['request', measured.requestSeconds],
	] as const;
	for (const [phase, seconds] of phases)
		families.gauge('probe_dns_duration_seconds', 'Duration of DNS request by phase', seconds, ['phase', phase]);
	families.gauge('probe_dns_answer_rrs', 'Returns number of entries in the answer resource record list', message?.answers.length ?? 0);
	families.gauge(
		'probe_dns_authority_rrs',
		'Returns number of entries in the authority resource record list',
		message?.authority.length ?? 0,
	);
	families.gauge(
		'probe_dns_additional_rrs',
		'Returns number of entries in the additional resource record list',
		message?.additional.length ?? 0,
	);
	const soa = message?.answers.find((record) => record.type === DNS_TYPES.SOA);
	if (soa !== undefined) families.gauge('probe_dns_serial', 'Returns the serial number of the zone', Number(soa.data.split(' ')[2]));
}
