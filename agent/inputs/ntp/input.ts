import { AppError } from '../../../core/errors.ts';
import { FamilySet, type Input } from '../input.ts';
import { parseServiceAddress } from '../service-address.ts';
import { askChrony } from './chrony.ts';
import { askTimeServer, isSane } from './sntp.ts';

/** After a kiss-o'-death the server is left alone for this long (RFC 5905, section 7.4). */
const REFUSED_PAUSE_MS = 15 * 60_000;

export interface NtpInputOptions {
	/** The host's own target: the clock belongs to the host. */
	readonly target: Readonly<Record<string, string>>;
	readonly intervalMs: number;
	readonly timeoutMs: number;
	readonly kind: 'sntp' | 'chrony';
	readonly server: string;
	/** Wall clock in milliseconds. Default: the performance clock, which has fractions of a millisecond. */
	readonly now?: () => number;
}

/** The clock of this host against a time server, in the names of node_exporter's `ntp` collector with the label `server`, or as chronyd sees it. */
export function createNtpInput(options: NtpInputOptions): Input {
	const address = parseServiceAddress(options.server, options.kind === 'chrony' ? 323 : 123);
	if (address.kind !== 'tcp')
		throw new AppError('FN_AGENT_ADDRESS_INVALID', `"${options.server}" is not a time server; write host or host:port`);
	const labels = ['server', options.server];
	const now = options.now ?? preciseNow();
	let refusedUntilMs = 0;
	const failed = new FamilySet();
	if (options.kind === 'chrony') failed.gauge('chrony_up', 'Whether the chrony server is up.', 0);
	else failed.gauge('fournines_ntp_up', 'Whether the time server answered.', 0, labels);
	return {
		name: 'ntp',
		target: options.target,
		intervalMs: options.intervalMs,
		timeoutMs: options.timeoutMs,
		onFailure: failed.list(),
		async collect(signal, nowMs) {
			const place = { host: address.host, port: address.port, timeoutMs: options.timeoutMs, signal };
			if (options.kind === 'chrony') return askChrony(place);
			if (nowMs < refusedUntilMs)
				throw new AppError('FN_AGENT_NTP_REFUSED', `the time server ${options.server} asked to be left alone; the next attempt waits`, {
					retryable: true,
				});
			try {
				const answer = await askTimeServer({ ...place, now });
				const families = new FamilySet();
				families.gauge('fournines_ntp_up', 'Whether the time server answered.', 1, labels);
				families.gauge('node_ntp_offset_seconds', 'ClockOffset between NTP and local clock.', answer.offsetSeconds, labels);
				families.gauge('node_ntp_rtt_seconds', 'RTT to NTP server.', answer.roundTripSeconds, labels);
				families.gauge('node_ntp_stratum', 'NTPD stratum.', answer.stratum, labels);
				families.gauge('node_ntp_leap', 'NTPD leap second indicator, 2 bits.', answer.leap, labels);
				families.gauge('node_ntp_root_delay_seconds', 'NTPD RootDelay.', answer.rootDelaySeconds, labels);
				families.gauge('node_ntp_root_dispersion_seconds', 'NTPD RootDispersion.', answer.rootDispersionSeconds, labels);
				families.gauge('node_ntp_reference_timestamp_seconds', 'NTPD ReferenceTime, UNIX timestamp.', answer.referenceMs / 1000, labels);
				families.gauge(
					'node_ntp_sanity',
					'NTPD sanity according to RFC5905 heuristics and configured limits.',
					isSane(answer, now()) ? 1 : 0,
					labels,
				);
				return families.list();
			} catch (error) {
				if (error instanceof AppError && error.code === 'FN_AGENT_NTP_REFUSED') refusedUntilMs = nowMs + REFUSED_PAUSE_MS;
				throw error;
			}
		},
		async close() {},
	};
}

/** `Date.now` is cut to the millisecond, which is half of what a good network measures; the performance clock is not, but it does not follow when the clock is set, so each reading begins at the wall clock. */
function preciseNow(): () => number {
	let wallMs = 0;
	let monotonicMs = 0;
	return () => {
		const wall = Date.now();
		const monotonic = performance.now();
		const carried = wallMs + (monotonic - monotonicMs);
		if (wallMs !== 0 && carried >= wall - 1 && carried < wall + 2) return carried;
		wallMs = wall;
		monotonicMs = monotonic;
		return wall;
	};
}
