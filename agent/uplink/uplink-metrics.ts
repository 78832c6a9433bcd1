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

type Name = 'pushed' | 'dropped' | 'pushes' | 'lastPush' | 'held' | 'spoolBytes' | 'pendingBytes';

const OF_COLLECTOR: Readonly<Record<Name, string>> = {
	pushed: 'fournines_agent_pushed_samples_total',
	dropped: 'fournines_agent_dropped_samples_total',
	pushes: 'fournines_agent_pushes_total',
	lastPush: 'fournines_agent_last_push_timestamp_seconds',
	held: 'fournines_agent_uplink_held',
	spoolBytes: 'fournines_agent_spool_bytes',
	pendingBytes: 'fournines_agent_spool_pending_bytes',
};

const OF_DESTINATIONS: Readonly<Record<Name, string>> = {
	pushed: 'fournines_agent_destination_pushed_samples_total',
	dropped: 'fournines_agent_destination_dropped_samples_total',
	pushes: 'fournines_agent_destination_pushes_total',
	lastPush: 'fournines_agent_destination_last_push_timestamp_seconds',
	held: 'fournines_agent_destination_held',
	spoolBytes: 'fournines_agent_destination_spool_bytes',
	pendingBytes: 'fournines_agent_destination_spool_pending_bytes',
};

/** The metrics of the collector. */
export function collectorUplinkMetrics(registry: Registry): UplinkMetrics {
	const clockOffset = new Gauge({
		name: 'fournines_agent_clock_offset_seconds',
		help: 'Clock of this host minus clock of the collector, from the Date of its answers; precise to a second.',
		registers: [registry],
	});
	const maxBytes = new Gauge({ name: 'fournines_agent_spool_max_bytes', help: 'Configured cap of the spool.', registers: [registry] });
	// prom-client begins with 0, which would say that the clocks agree.
	clockOffset.remove();
	const own = receiverMetrics(registry, { names: OF_COLLECTOR, receiver: 'the collector', told: [] })({});
	return {
		...own,
		clockOffset: (seconds) => clockOffset.set(seconds),
		spool: (bytes, pending, max) => {
			own.spool(bytes, pending, max);
			maxBytes.set(max);
		},
	};
}

/** The metrics of further destinations, by their names. */
export function destinationMetrics(registry: Registry): (destination: string) => UplinkMetrics {
	const of = receiverMetrics(registry, { names: OF_DESTINATIONS, receiver: 'a further destination', told: ['destination'] });
	return (destination) => of({ destination });
}

/** What is counted of every receiver; `told` are the labels that receivers are told apart by. */
function receiverMetrics(
	registry: Registry,
	what: { readonly names: Readonly<Record<Name, string>>; readonly receiver: string; readonly told: readonly string[] },
): (receiver: Readonly<Record<string, string>>) => UplinkMetrics {
	const { names, receiver, told } = what;
	const of = (name: Name, help: string, ...more: readonly string[]) => ({
		name: names[name],
		help,
		labelNames: [...told, ...more],
		registers: [registry],
	});
	const pushed = new Counter(of('pushed', `Samples that ${receiver} has acknowledged.`));
	const dropped = new Counter(of('dropped', `Samples for ${receiver} that were given up, by reason.`, 'reason'));
	const pushes = new Counter(of('pushes', `Requests to ${receiver}, by result.`, 'result'));
	const lastPush = new Gauge(of('lastPush', `When ${receiver} last acknowledged a request; absent before the first time.`));
	const held = new Gauge(of('held', `1 while sending to ${receiver} is held back for a reason that somebody must remove.`, 'reason'));
	const spoolBytes = new Gauge(of('spoolBytes', `Size on disk of the spool for ${receiver}.`));
	const pendingBytes = new Gauge(of('pendingBytes', `Bytes in the spool for ${receiver} that wait for acknowledgement.`));
	// prom-client begins with 0 where there are no labels, which would say that a push happened in 1970.
	if (told.length === 0) lastPush.remove();
	return (one) => ({
		pushed: (samples) => pushed.inc(one, samples),
		dropped: (reason, samples) => dropped.inc({ ...one, reason }, samples),
		push: (result) => pushes.inc({ ...one, result }),
		lastPush: (seconds) => lastPush.set(one, seconds),
		// One clock is the reference: the collector's.
		clockOffset: () => {},
		held: (reason, value) => held.set({ ...one, reason }, value ? 1 : 0),
		spool: (bytes, pending) => {
			spoolBytes.set(one, bytes);
			pendingBytes.set(one, pending);
		},
	});
}
