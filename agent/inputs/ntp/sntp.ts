import { randomBytes } from 'node:crypto';
import { AppError } from '../../../core/errors.ts';
import { exchangeUdp } from './udp-exchange.ts';

/** Seconds from 1900-01-01, where NTP counts from, to 1970-01-01. */
const ERA_SECONDS = 2_208_988_800;
const TWO_32 = 2 ** 32;
const PACKET_BYTES = 48;
const MODE_CLIENT = 3;
const MODE_SERVER = 4;
const LEAP_UNSYNCHRONISED = 3;

/** Answer of a time server (RFC 5905, section 7.3). Times are Unix milliseconds. */
export interface NtpAnswer {
	/** 0 no warning, 1 and 2 a leap second this month, 3 the server is not synchronised itself. */
	readonly leap: number;
	/** 1 has a clock of its own, 2 to 15 follow others, 16 is not synchronised. */
	readonly stratum: number;
	readonly rootDelaySeconds: number;
	readonly rootDispersionSeconds: number;
	readonly referenceMs: number;
	/** What must be added to the clock of this host to agree with the server. */
	readonly offsetSeconds: number;
	readonly roundTripSeconds: number;
}

export interface NtpRequest {
	readonly host: string;
	readonly port: number;
	readonly timeoutMs: number;
	readonly signal: AbortSignal;
	/** Wall clock in milliseconds, as exact as the platform gives it. */
	readonly now: () => number;
}

/**
 * Asks a time server once, as a client of SNTP (RFC 5905, section 14). The request carries random bits instead of this
 * host's time (RFC 9109 in spirit), and an answer that does not repeat them is ignored: a forged one would have to guess
 * 64 bits. Throws `FN_AGENT_NTP_TIMEOUT`, `FN_AGENT_NTP_FAILED` and `FN_AGENT_NTP_REFUSED` (a kiss-o'-death: ask less often).
 */
export function askTimeServer(request: NtpRequest): Promise<NtpAnswer> {
	const what = `the time server ${request.host}:${request.port}`;
	const cookie = randomBytes(8);
	let sentMs = 0;
	return exchangeUdp({
		...request,
		what,
		packet: () => {
			const packet = Buffer.alloc(PACKET_BYTES);
			packet[0] = (4 << 3) | MODE_CLIENT;
			cookie.copy(packet, 40);
			sentMs = request.now();
			return packet;
		},
		accept: (bytes) => {
			const receivedMs = request.now();
			if (bytes.length < PACKET_BYTES || ((bytes[0] ?? 0) & 7) !== MODE_SERVER || !bytes.subarray(24, 32).equals(cookie)) return null;
			const answer = decodeAnswer(bytes, sentMs, receivedMs);
			if (typeof answer !== 'string') return answer;
			throw new AppError('FN_AGENT_NTP_REFUSED', `${what} refuses with "${answer}"; ask it less often or another one`, { retryable: true });
		},
	});
}

/** The four letters of a kiss-o'-death, or the answer. `sentMs` and `receivedMs` are this host's clock. Exported for tests. */
export function decodeAnswer(bytes: Buffer, sentMs: number, receivedMs: number): NtpAnswer | string {
	const stratum = bytes[1] ?? 0;
	if (stratum === 0) return bytes.toString('latin1', 12, 16).replace(/[^\x21-\x7e]/g, '');
	const serverReceivedMs = timestampMs(bytes, 32, receivedMs);
	const serverSentMs = timestampMs(bytes, 40, receivedMs);
	return {
		leap: (bytes[0] ?? 0) >> 6,
		stratum,
		rootDelaySeconds: bytes.readInt32BE(4) / 65536,
		rootDispersionSeconds: bytes.readUInt32BE(8) / 65536,
		referenceMs: timestampMs(bytes, 16, receivedMs),
		offsetSeconds: (serverReceivedMs - sentMs + (serverSentMs - receivedMs)) / 2000,
		roundTripSeconds: Math.max(0, (receivedMs - sentMs - (serverSentMs - serverReceivedMs)) / 1000),
	};
}

/** Seconds are counted modulo 2^32, so the era is the one that lies nearest to now (it changes in 2036). */
function timestampMs(bytes: Buffer, at: number, nearMs: number): number {
	const seconds = bytes.readUInt32BE(at);
	const fraction = bytes.readUInt32BE(at + 4) / TWO_32;
	const era = Math.round((nearMs / 1000 + ERA_SECONDS - seconds) / TWO_32);
	return (seconds + era * TWO_32 - ERA_SECONDS + fraction) * 1000;
}

/** Whether the answer may be believed: the server is synchronised, recently, and not absurdly far from its own source (RFC 5905, 7.3 and A.5.5.3). */
export function isSane(answer: NtpAnswer, nowMs: number): boolean {
	return (
		answer.leap !== LEAP_UNSYNCHRONISED &&
		answer.stratum < 16 &&
		answer.rootDelaySeconds / 2 + answer.rootDispersionSeconds < 16 &&
		Math.abs(nowMs - answer.referenceMs) < 86_400_000
	);
}
