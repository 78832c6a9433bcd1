import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import type { httpExchange } from '../core/http-client.ts';
import type { Logger } from '../core/log.ts';
import type { Secret, SecretRef } from '../core/secret.ts';
import type { AlertSink } from '../protocol/alert.ts';
import { type Alert, isFiring } from './alert.ts';
import type { AlertsConfig } from './config.ts';
import { Delivery } from './delivery/delivery.ts';
import { Dispatcher, type DispatchRules } from './dispatcher.ts';
import { buildInhibitRule } from './inhibit/inhibit.ts';
import { type AlertsMetrics, createAlertsMetrics } from './metrics.ts';
import { buildNotifiers } from './notify/channels.ts';
import type { AlertingPorts, NotificationHistory } from './ports.ts';
import { buildRoute } from './route/route.ts';
import { Silences } from './silence/silences.ts';
import type { MaintenanceHold } from './stages/mute.ts';
import { buildTimeInterval } from './time/time-interval.ts';

export interface AlertingOptions {
	/** Checked by `AlertsConfigSchema` and `checkAlertsConfig`. */
	readonly config: AlertsConfig;
	readonly ports: AlertingPorts;
	readonly clock: Clock;
	readonly log: Logger;
	/** Where the pipeline registers its own metrics. */
	readonly metrics: Registry;
	readonly http: typeof httpExchange;
	readonly secret: (ref: SecretRef) => Secret;
	/** Under which people reach the collector, for links in messages; `''` leaves relative links out. */
	readonly externalUrl: string;
	/** Says which approved window holds an alert. Default: none does. */
	readonly maintenance?: MaintenanceHold;
}

/** An open alert and why it is told or not. */
export interface AlertStatus {
	readonly alert: Alert;
	readonly state: 'active' | 'suppressed';
	readonly silencedBy: readonly string[];
	readonly inhibitedBy: readonly string[];
	/** Window of approved maintenance; `''` when none. */
	readonly maintenance: string;
	readonly receivers: readonly string[];
}

export interface AlertGroupStatus {
	readonly groupKey: string;
	readonly receiver: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly alerts: readonly AlertStatus[];
}

export interface Alerting {
	readonly receive: AlertSink;
	readonly silences: Silences;
	readonly history: NotificationHistory;
	/** The configuration in force. */
	config(): AlertsConfig;
	/** Alerts that fire now. */
	alerts(): readonly AlertStatus[];
	groups(): readonly AlertGroupStatus[];
	/** Begins to dispatch and to deliver. Throws when the state cannot be read. */
	start(): Promise<void>;
	/** Ends the round in progress, gives deliveries in flight a few seconds, and leaves the rest in the outbox. */
	stop(): Promise<void>;
	/** Puts another checked configuration into force; when it cannot be built (a secret is missing), the old one stays and this throws. */
	reload(config: AlertsConfig): Promise<void>;
}

/** Builds the pipeline: receive → route and group → inhibit, silence, deduplicate → outbox → channels. */
export async function createAlerting(options: AlertingOptions): Promise<Alerting> {
	const { ports, clock, log } = options;
	const metrics: AlertsMetrics = createAlertsMetrics(options.metrics);
	let config = options.config;
	let rules = buildRules(options, config);
	const silences = new Silences(ports.silences, clock);
	await silences.load(rules.historyRetentionMs);
	const delivery = new Delivery({ outbox: ports.outbox, clock, log, metrics });
	const dispatcher = new Dispatcher(
		{
			store: ports.alerts,
			silences,
			delivery,
			lastNumber: await ports.outbox.lastNumber(),
			...(options.maintenance === undefined ? {} : { maintenance: options.maintenance }),
			clock,
			log,
			metrics,
		},
		rules,
	);
	await dispatcher.load();

	const statuses = (): ((alert: Alert) => AlertStatus) => {
		const inhibitor = dispatcher.inhibitor();
		const nowMs = clock.now();
		const windowOf = options.maintenance?.(nowMs) ?? (() => '');
		return (alert) => {
			const silenced = silences.silencedBy(alert.labels, nowMs);
			const source = inhibitor(alert);
			const maintenance = windowOf(alert.labels);
			return {
				alert,
				state: silenced.length > 0 || source !== null || maintenance !== '' ? 'suppressed' : 'active',
				silencedBy: silenced,
				inhibitedBy: source === null ? [] : [source],
				maintenance,
				receivers: dispatcher.receiversOf(alert.labels),
			};
		};
	};

	return {
		receive: dispatcher.receive,
		silences,
		history: ports.history,
		config: () => config,
		alerts: () => {
			const nowMs = clock.now();
			return dispatcher
				.alerts()
				.filter((alert) => isFiring(alert, nowMs))
				.map(statuses());
		},
		groups: () => {
			const status = statuses();
			const nowMs = clock.now();
			return dispatcher.groups().flatMap(({ group, alerts }) => {
				const firing = alerts.filter((alert) => isFiring(alert, nowMs));
				if (firing.length === 0) return [];
				const { groupKey, receiver, labels } = group.identity;
				return [{ groupKey, receiver, labels, alerts: firing.map(status) }];
			});
		},
		start: async () => {
			await delivery.start(notifiersOf(rules), parseDuration(config.give_up_after));
			dispatcher.start();
		},
		stop: async () => {
			await dispatcher.stop();
			await delivery.stop();
		},
		reload: async (next) => {
			const built = buildRules(options, next);
			// Deliveries in flight end first, so that no message belongs to two workers.
			await dispatcher.applyRules(built, async () => {
				await delivery.stop();
				await delivery.start(notifiersOf(built), parseDuration(next.give_up_after));
			});
			rules = built;
			config = next;
		},
	};
}

function notifiersOf(rules: DispatchRules) {
	return [...rules.notifiers.values()].flat();
}

function buildRules(options: AlertingOptions, config: AlertsConfig): DispatchRules {
	const { clock, http, secret, externalUrl } = options;
	return {
		root: buildRoute(
			config.route,
			new Map([...config.time_intervals, ...config.mute_time_intervals].map((interval) => [interval.name, buildTimeInterval(interval)])),
		),
		inhibitRules: config.inhibit_rules.map(buildInhibitRule),
		notifiers: buildNotifiers(config, { clock, http, secret, externalUrl }),
		flapping: {
			firings: config.flapping.firings,
			windowMs: parseDuration(config.flapping.window),
			calmAfterMs: parseDuration(config.flapping.calm_after),
		},
		stormMessages: config.storm.messages,
		resolveTimeoutMs: parseDuration(config.global.resolve_timeout),
		maxAlerts: config.max_alerts,
		maxOutbox: config.max_outbox,
		retentionMs: parseDuration(config.retention),
		historyRetentionMs: parseDuration(config.history_retention),
	};
}
