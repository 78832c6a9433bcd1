import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** What the pipeline says of itself; documented in docs/metrics/alerts.md. */
export interface AlertsMetrics {
	readonly received: Counter<'status'>;
	readonly open: Gauge;
	readonly groups: Gauge;
	readonly outbox: Gauge;
	readonly notifications: Counter<'reason'>;
	readonly suppressed: Gauge;
	readonly attempts: Counter<'channel' | 'outcome'>;
	readonly delay: Histogram<'channel'>;
	readonly deferred: Counter;
	readonly stormDigests: Counter;
	readonly stormWaits: Counter;
	readonly storeErrors: Counter;
	readonly receipts: Counter<'state'>;
	readonly nextChannel: Counter;
	readonly exhausted: Counter;
	readonly replies: Counter<'channel'>;
	readonly templateErrors: Counter;
	readonly forwarded: Counter<'outcome'>;
	readonly unverified: Gauge;
}

export function createAlertsMetrics(registry: Registry): AlertsMetrics {
	const registers = [registry];
	return {
		received: new Counter({
			name: 'fournines_alerts_received_total',
			help: 'Alerts received, by what they meant for the pipeline.',
			labelNames: ['status'],
			registers,
		}),
		open: new Gauge({ name: 'fournines_alerts_open_count', help: 'Alerts that fire or whose recovery is still owed.', registers }),
		groups: new Gauge({ name: 'fournines_alerts_groups_count', help: 'Groups of alerts.', registers }),
		suppressed: new Gauge({ name: 'fournines_alerts_suppressed_count', help: 'Alerts hidden by a silence or an inhibition.', registers }),
		outbox: new Gauge({ name: 'fournines_alerts_outbox_count', help: 'Notifications that wait for delivery.', registers }),
		notifications: new Counter({
			name: 'fournines_alerts_notifications_total',
			help: 'Notifications written to the outbox, by reason.',
			labelNames: ['reason'],
			registers,
		}),
		attempts: new Counter({
			name: 'fournines_alerts_attempts_total',
			help: 'Attempts to deliver, by type of channel and outcome.',
			labelNames: ['channel', 'outcome'],
			registers,
		}),
		delay: new Histogram({
			name: 'fournines_alerts_delivery_delay_seconds',
			help: 'From the decision to notify to the acceptance by the channel.',
			labelNames: ['channel'],
			buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3600],
			registers,
		}),
		deferred: new Counter({
			name: 'fournines_alerts_groups_deferred_total',
			help: 'Turns of groups that were put off because the outbox was full.',
			registers,
		}),
		stormDigests: new Counter({
			name: 'fournines_alerts_storm_digests_total',
			help: 'Digests that took the place of many messages to one team.',
			registers,
		}),
		stormWaits: new Counter({
			name: 'fournines_alerts_storm_waits_total',
			help: "Turns of groups that wait for their team's next digest.",
			registers,
		}),
		receipts: new Counter({
			name: 'fournines_alerts_receipts_total',
			help: 'Receipts of channels, by what they said.',
			labelNames: ['state'],
			registers,
		}),
		nextChannel: new Counter({
			name: 'fournines_alerts_next_channel_total',
			help: "Personal messages that went to the person's next channel.",
			registers,
		}),
		exhausted: new Counter({
			name: 'fournines_alerts_unreached_total',
			help: 'Personal messages that reached their person on no channel.',
			registers,
		}),
		replies: new Counter({
			name: 'fournines_alerts_replies_total',
			help: 'Replies and button presses that came back from persons.',
			labelNames: ['channel'],
			registers,
		}),
		templateErrors: new Counter({
			name: 'fournines_alerts_template_errors_total',
			help: 'Messages whose own template failed, so that the shipped text was sent.',
			registers,
		}),
		forwarded: new Counter({
			name: 'fournines_alerts_forwarded_total',
			help: 'Alerts posted to other Alertmanagers, and posts that failed.',
			labelNames: ['outcome'],
			registers,
		}),
		unverified: new Gauge({
			name: 'fournines_alerts_unverified_tls_count',
			help: 'Places of the configuration that trust any certificate (insecure_skip_verify).',
			registers,
		}),
		storeErrors: new Counter({
			name: 'fournines_alerts_store_errors_total',
			help: 'Failed reads or writes of the state database, each of which is repeated.',
			registers,
		}),
	};
}
