import { randomBytes } from 'node:crypto';
import { AppError } from '../../../core/errors.ts';
import { FamilySet, type MetricFamily } from '../input.ts';
import { exchangeUdp } from './udp-exchange.ts';

/** Numbers of chrony's command protocol, version 6 (chrony since 2.0), from its candm.h. */
const VERSION = 6;
const TYPE_REQUEST = 1;
const TYPE_REPLY = 2;
const COMMAND_TRACKING = 33;
const REPLY_TRACKING = 5;
const STATUS_SUCCESS = 0;
/** Head of 20 bytes; the request is padded to the length of its reply, so that it cannot amplify. */
const REQUEST_BYTES = 104;
const REPLY_BYTES = 104;

const LEAP_WORDS = ['normal', 'insert_second', 'delete_second', 'not_synchronised'];

export interface ChronyRequest {
	readonly host: string;
	readonly port: number;
	readonly timeoutMs: number;
	readonly signal: AbortSignal;
}

/**
 * What chronyd on this host says of the clock, over its command port (UDP 323, answered to loopback without any
 * privilege), in chrony_exporter's names. Throws `FN_AGENT_NTP_TIMEOUT`, `FN_AGENT_NTP_FAILED`, and
 * `FN_AGENT_NTP_REFUSED` when chronyd does not answer the question.
 */
export function askChrony(request: ChronyRequest): Promise<readonly MetricFamily[]> {
	const sequence = randomBytes(4);
	return exchangeUdp({
		...request,
		what: `chronyd at ${request.host}:${request.port}`,
		packet: () => {
			const packet = Buffer.alloc(REQUEST_BYTES);
			packet[0] = VERSION;
			packet[1] = TYPE_REQUEST;
			packet.writeUInt16BE(COMMAND_TRACKING, 4);
			sequence.copy(packet, 8);
			return packet;
		},
		accept: (bytes) => {
			if (bytes.length < 28 || bytes[1] !== TYPE_REPLY || !bytes.subarray(16, 20).equals(sequence)) return null;
			const status = bytes.readUInt16BE(8);
			if (bytes[0] !== VERSION || status !== STATUS_SUCCESS || bytes.readUInt16BE(6) !== REPLY_TRACKING || bytes.length < REPLY_BYTES) {
				throw new AppError(
					'FN_AGENT_NTP_REFUSED',
					`chronyd does not tell its state (status ${status}); check its "cmdallow" and "cmdport"`,
					{ retryable: true },
				);
			}
			return trackingFamilies(bytes.subarray(28));
		},
	});
}

/** The body of a tracking reply: reference id 4, address 20, stratum 2, leap 2, time 12, then nine floats. */
function trackingFamilies(body: Buffer): readonly MetricFamily[] {
	const float = (index: number) => chronyFloat(body.readUInt32BE(40 + index * 4));
	const leap = body.readUInt16BE(26);
	const families = new FamilySet();
	families.gauge('chrony_up', 'Whether the chrony server is up.', 1);
	families.gauge('chrony_tracking_stratum', 'Chrony tracking client stratum.', body.readUInt16BE(24));
	families.gauge('fournines_chrony_synchronised', 'Whether chronyd has a source that it follows.', leap === 3 ? 0 : 1, [
		'leap',
		LEAP_WORDS[leap] ?? String(leap),
	]);
	families.gauge(
		'chrony_tracking_reference_timestamp_seconds',
		'Chrony tracking Reference timestamp.',
		body.readUInt32BE(28) * 2 ** 32 + body.readUInt32BE(32) + body.readUInt32BE(36) / 1e9,
	);
	families.gauge('chrony_tracking_system_time_seconds', 'Chrony tracking System time; positive when this host is behind.', float(0));
	families.gauge('chrony_tracking_last_offset_seconds', 'Chrony tracking last offset.', float(1));
	families.gauge('chrony_tracking_rms_offset_seconds', 'Chrony tracking RMS offset.', float(2));
	families.gauge('chrony_tracking_frequency_ppms', 'Chrony tracking frequency error of the local clock.', float(3));
	families.gauge('chrony_tracking_skew_ppms', 'Chrony tracking frequency skew.', float(5));
	families.gauge('chrony_tracking_root_delay_seconds', 'Chrony tracking root delay.', float(6));
	families.gauge('chrony_tracking_root_dispersion_seconds', 'Chrony tracking root dispersion.', float(7));
	families.gauge('chrony_tracking_update_interval_seconds', 'Chrony tracking update interval.', float(8));
	return families.list();
}

/** chrony's own 32-bit float: 7 bits of exponent, 25 of coefficient, both signed, no hidden bit. Exported for tests. */
export function chronyFloat(word: number): number {
	const exponent = (word | 0) >> 25;
	const coefficient = (word << 7) >> 7;
	return coefficient * 2 ** (exponent - 25);
}
