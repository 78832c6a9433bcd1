import { Counter, Gauge, type Registry } from 'prom-client';

/** What one destination counts. The collector's own have no label, further destinations are told apart by `destination`. */
export interface UplinkMetrics {
	pushed(samples: number): void;
	dropped(reason: string, samples: number): void;
	/** `result` is an HTTP status or `no_answer`. */
	push(result: string): void;
	/** Unix time in seconds. */
	lastPush(seconds: number): void;
	/** This host's clock minus the receiver's, seconds. */
	clockOffset(seconds: number): void;
	held(reason: string, held: boolean): void;
	spool(bytes: number, pendingBytes: number, maxBytes: number): void;
}

/** The metrics of the collector. */
export function collectorUplinkMetrics(registry: Registry): UplinkMetrics {
	const registers = [registry];
	const pushed = new Counter({
		name: 'fournines_agent_pushed_samples_total',
		help: 'Samples that the collector has acknowledged.',
		registers,
	});
	const dropped = new Counter({
		name: 'fournines_agent_dropped_samples_total',
		help: 'Samples that were given up, by reason.',
		labelNames: ['reason'],
		registers,
	});
	const pushes = new Counter({
		name: 'fournines_agent_pushes_total',
		help: 'Requests to the collector, by result.',
		labelNames: ['result'],
		registers,
	});
	const lastPush = new Gauge({
		name: 'fournines_agent_last_push_timestamp_seconds',
		help: 'When the collector last acknowledged a request; absent before the first time.',
		registers,
	});
	const clockOffset = new Gauge({
		name: 'fournines_agent_clock_offset_seconds',
		help: 'Clock of this host minus clock of the collector, from the Date of its answers; precise to a second.',
		registers,
	});
	const held = new Gauge({
		name: 'fournines_agent_uplink_held',
		help: '1 while sending is held back for a reason that somebody must remove.',
		labelNames: ['reason'],
		registers,
	});
	const spoolBytes = new Gauge({ name: 'fournines_agent_spool_bytes', help: 'Size of the spool on disk.', registers });
	const pendingBytes = new Gauge({
		name: 'fournines_agent_spool_pending_bytes',
		help: 'Bytes in the spool that wait for acknowledgement.',
		registers,
	});
	const maxBytes = new Gauge({ name: 'fournines_agent_spool_max_bytes', help: 'Configured cap of the spool.', registers });
	// prom-client begins with 0, which would say that a push happened in 1970 and that the clocks agree.
	lastPush.remove();
	clockOffset.remove();
	return {
		pushed: (samples) => pushed.inc(samples),
		dropped: (reason, samples) => dropped.inc({ reason }, samples),
		push: (result) => pushes.inc({ result }),
		lastPush: (seconds) => lastPush.set(seconds),
		clockOffset: (seconds) => clockOffset.set(seconds),
		held: (reason, value) => held.set({ reason }, value ? 1 : 0),
		spool: (bytes, pending, max) => {
			spoolBytes.set(bytes);
			pendingBytes.set(pending);
			maxBytes.set(max);
		},
	};
}

/** The metrics of further destinations, by their names. */
export function destinationMetrics(registry: Registry): (destination: string) => UplinkMetrics {
	const registers = [registry];
	const labelNames = ['destination'] as const;
	const pushed = new Counter({
		name: 'fournines_agent_destination_pushed_samples_total',
		help: 'Samples that a further destination has acknowledged.',
		labelNames,
		registers,
	});
	const dropped = new Counter({
		name: 'fournines_agent_destination_dropped_samples_total',
		help: 'Samples that were given up for a further destination, by reason.',
		labelNames: ['destination', 'reason'],
		registers,
	});
	const pushes = new Counter({
		name: 'fournines_agent_destination_pushes_total',
		help: 'Requests to a further destination, by result.',
		labelNames: ['destination', 'result'],
		registers,
	});
	const lastPush = new Gauge({
		name: 'fournines_agent_destination_last_push_timestamp_seconds',
		help: 'When a further destination last acknowledged a request; absent before the first time.',
		labelNames,
		registers,
	});
	const held = new Gauge({
		name: 'fournines_agent_destination_held',
		help: '1 while sending to a further destination is held back for a reason that somebody must remove.',
		labelNames: ['destination', 'reason'],
		registers,
	});
	const spoolBytes = new Gauge({
		name: 'fournines_agent_destination_spool_bytes',
		help: 'Size of the spool of a further destination on disk.',
		labelNames,
		registers,
	});
	const pendingBytes = new Gauge({
		name: 'fournines_agent_destination_spool_pending_bytes',
		help: 'Bytes in the spool of a further destination that wait for acknowledgement.',
		labelNames,
		registers,
	});
	return (destination) => ({
		pushed: (samples) => pushed.inc({ destination }, samples),
		dropped: (reason, samples) => dropped.inc({ destination, reason }, samples),
		push: (result) => pushes.inc({ destination, result }),
		lastPush: (seconds) => lastPush.set({ destination }, seconds),
		// One clock is the reference: the collector's.
		clockOffset: () => {},
		held: (reason, value) => held.set({ destination, reason }, value ? 1 : 0),
		spool: (bytes, pending) => {
			spoolBytes.set({ destination }, bytes);
			pendingBytes.set({ destination }, pending);
		},
	});
}
