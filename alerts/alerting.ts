import { randomBytes } from 'node:crypto';
import type { Registry } from 'prom-client';
import type { Clock } from '../core/clock.ts';
import { parseDuration } from '../core/duration.ts';
import type { httpExchange } from '../core/http-client.ts';
import type { Logger } from '../core/log.ts';
import { Secret, type SecretRef } from '../core/secret.ts';
import type { AlertSink } from '../protocol/alert.ts';
import { type Alert, isFiring } from './alert.ts';
import type { AlertsConfig } from './config.ts';
import { configWarnings } from './config-warnings.ts';
import { Delivery, type DeliveryRules } from './delivery/delivery.ts';
import type { PersonalDelivery } from './delivery/personal.ts';
import { Dispatcher, type DispatchRules } from './dispatcher.ts';
import { createIntake, type Intake } from './foreign/intake.ts';
import { Forwarder } from './forward/forwarder.ts';
import { buildInhibitRule } from './inhibit/inhibit.ts';
import type { Topology } from './inhibit/topology.ts';
import { type AlertsMetrics, createAlertsMetrics } from './metrics.ts';
import type { CallbackAnswer, CallbackRequest } from './notify/channel-line.ts';
import { type Channels, type ChannelWorld, openChannels } from './notify/channels.ts';
import type { Inbound } from './notify/notifier.ts';
import { createOnCall, type OnCall, type OnCallWorld } from './on-call.ts';
import type { AlertingPorts, NotificationHistory } from './ports.ts';
import type { DayKindOf } from './roster/duty-window.ts';
import { parseMatchers } from './route/matcher.ts';
import { buildRoute } from './route/route.ts';
import { MAX_WAITING_POSTS, SerialQueue } from './serial-queue.ts';
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
	/** Where relative names of template files start; the current folder when absent. */
	readonly configFolder?: string;
	/** Says which approved window holds an alert. Default: none does. */
	readonly maintenance?: MaintenanceHold;
	/** What runs on what; asked anew each round. Default: nothing. */
	readonly topology?: () => Topology;
	/** Default: nothing of the rest of the product, and links that end with the process. */
	readonly onCall?: OnCallWorld;
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
	/** Incidents, duty and escalation. */
	readonly onCall: OnCall;
	/** Reaches one person on one channel after the other. */
	readonly personal: PersonalDelivery;
	/** Hands a provider's request to its channel in `alerts.channels`. Throws `FN_ALERTS_CALLBACK_UNKNOWN` and `FN_ALERTS_CALLBACK_REFUSED`. */
	callback(channel: string, request: CallbackRequest): Promise<CallbackAnswer>;
	/** Takes alerts of another system, of an entry of `alerts.intake`; answers how many. */
	readonly intake: Intake;
	/** The configuration in force. */
	config(): AlertsConfig;
	/** Alerts that fire now. */
	alerts(): readonly AlertStatus[];
	groups(): readonly AlertGroupStatus[];
	/** Begins to dispatch and to deliver. Throws when the state cannot be read. */
	start(): Promise<void>;
	/** Ends the round in progress, gives deliveries in flight a few seconds, and leaves the rest in the outbox. */
	stop(): Promise<void>;
	/** Builds another checked configuration, and throws when that cannot be done (a secret is missing); it is in force when what is returned was called. */
	prepare(config: AlertsConfig): () => Promise<void>;
}

/** Builds the pipeline: receive → route and group → inhibit, silence, deduplicate → outbox → channels. */
export async function createAlerting(options: AlertingOptions): Promise<Alerting> {
	const { ports, clock, log, http, secret } = options;
	const metrics: AlertsMetrics = createAlertsMetrics(options.metrics);
	let config = options.config;
	const delivery = new Delivery({
		outbox: ports.outbox,
		receipts: ports.receipts,
		lastNumber: await ports.outbox.lastNumber(),
		clock,
		log,
		metrics,
	});
	const warn = (next: AlertsConfig) => {
		const warnings = configWarnings(next);
		for (const { path, message } of warnings) log.warn({ key: path.join('.') }, message);
		metrics.unverified.set(warnings.length);
	};
	warn(config);
	const open = (next: AlertsConfig) => openChannels(next, channelWorld(options, delivery.inbound, metrics));
	let channels = open(config);
	let rules = buildRules(config, channels, options.onCall?.dayKind);
	const silences = new Silences(ports.silences, clock, options.onCall?.dayKind);
	await silences.load(rules.historyRetentionMs);
	const serial = new SerialQueue(MAX_WAITING_POSTS);
	const onCall = await createOnCall({
		ackKey: new Secret(randomBytes(32).toString('base64url')),
		...options.onCall,
		config: config.oncall,
		language: config.language,
		incidentStore: ports.incidents,
		store: ports.onCall,
		serial,
		delivery,
		hidden: (fingerprints) => hiddenBy(fingerprints.flatMap((fingerprint) => dispatcher.alert(fingerprint) ?? []).map(statuses())),
		deliveries: (incident) => ports.history.deliveries(incident),
		// Telephones in the internet reach the relay, and not the collector.
		ackUrl: () => config.relays.find(({ ack_url: url }) => url !== undefined)?.ack_url ?? options.externalUrl,
		clock,
		log,
		metrics: options.metrics,
		historyMs: () => rules.historyRetentionMs,
	});
	const dispatcher = new Dispatcher(
		{
			store: ports.alerts,
			silences,
			incidents: onCall.incidents,
			serial,
			delivery,
			...(options.maintenance === undefined ? {} : { maintenance: options.maintenance }),
			...(options.topology === undefined ? {} : { topology: options.topology }),
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

	const openForwarders = (next: AlertsConfig) =>
		next.forward.map(
			(entry) =>
				new Forwarder({ config: entry, alerts: () => dispatcher.alerts(), secret, http, clock, log, forwarded: metrics.forwarded }),
		);
	let forwarders = openForwarders(config);
	const receive: AlertSink = async (posted) => {
		await dispatcher.receive(posted);
		for (const forwarder of forwarders) forwarder.poke();
	};
	const openIntake = (next: AlertsConfig): Intake =>
		createIntake({
			configs: next.intake,
			secret,
			clock,
			open: () => dispatcher.alerts().flatMap((alert) => (isFiring(alert, clock.now()) ? [alert.labels] : [])),
			receive,
		});
	let intake = openIntake(config);

	return {
		receive,
		silences,
		history: ports.history,
		onCall,
		personal: delivery,
		callback: (channel, request) => channels.callback(channel, request),
		intake: (name, request) => intake(name, request),
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
			await delivery.start(channels, deliveryRules(config));
			onCall.start();
			dispatcher.start();
			for (const forwarder of forwarders) forwarder.start();
		},
		stop: async () => {
			await Promise.all(forwarders.map((forwarder) => forwarder.stop()));
			await dispatcher.stop();
			await onCall.stop();
			await delivery.stop();
		},
		prepare: (next) => {
			const opened = open(next);
			const built = buildRules(next, opened, options.onCall?.dayKind);
			const taken = openIntake(next);
			const forwarding = openForwarders(next);
			const useOnCall = onCall.prepare(next.oncall, next.language);
			return async () => {
				// Deliveries in flight end first, so that no message belongs to two workers.
				await dispatcher.applyRules(built, async () => {
					await delivery.stop();
					await delivery.start(opened, deliveryRules(next));
				});
				channels = opened;
				intake = taken;
				await Promise.all(forwarders.map((forwarder) => forwarder.stop()));
				forwarders = forwarding;
				for (const forwarder of forwarders) forwarder.start();
				rules = built;
				useOnCall();
				config = next;
				warn(next);
			};
		},
	};
}

/** What hides every one of them; `''` when one is told, and when none is known. */
function hiddenBy(statuses: readonly AlertStatus[]): string {
	const [first] = statuses;
	if (first === undefined || statuses.some(({ state }) => state === 'active')) return '';
	return first.silencedBy.length > 0 ? 'silence' : first.maintenance !== '' ? 'maintenance' : 'inhibition';
}

function deliveryRules(config: AlertsConfig): DeliveryRules {
	return { giveUpAfterMs: parseDuration(config.give_up_after), nextAfterMs: parseDuration(config.next_channel_after) };
}

function channelWorld(options: AlertingOptions, inbound: Inbound, metrics: AlertsMetrics): ChannelWorld {
	const { clock, log, http, secret, externalUrl, configFolder = '.' } = options;
	return {
		clock,
		log,
		http,
		secret,
		externalUrl,
		configFolder,
		inbound,
		onTemplateError: (channel, reason) => {
			metrics.templateErrors.inc();
			log.error({ channel, reason }, 'a template failed; the shipped text was sent instead');
		},
	};
}

function buildRules(config: AlertsConfig, channels: Channels, kindOf: DayKindOf | undefined): DispatchRules {
	const intervals = [...config.time_intervals, ...config.mute_time_intervals];
	return {
		root: buildRoute(config.route, new Map(intervals.map((interval) => [interval.name, buildTimeInterval(interval, kindOf)]))),
		inhibitRules: config.inhibit_rules.map(buildInhibitRule),
		down: { hostDown: config.topology.host_down.flatMap(parseMatchers), serviceDown: config.topology.service_down.flatMap(parseMatchers) },
		notifiers: channels.receivers,
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
