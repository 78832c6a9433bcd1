import { type Static, type TSchema, Type } from 'typebox';
import { DURATION_PATTERN } from '../core/duration.ts';
import { IntakeConfigSchema } from './foreign/config.ts';
import { FOREIGN_RECEIVERS, foreignReceiverProperties } from './foreign-receivers.ts';
import { ForwardConfigSchema } from './forward/config.ts';
import { AlertsGlobalSchema } from './global-config.ts';
import { CHANNEL_KINDS } from './notify/kinds.ts';
import { OnCallConfigSchema } from './on-call-config.ts';
import { RelayConfigSchema } from './relay/config.ts';
import { TemplatesConfigSchema } from './template-config.ts';
import { NamedTimeIntervalSchema } from './time/time-interval.ts';

const Duration = Type.String({ pattern: DURATION_PATTERN });
const Texts = Type.Record(Type.String(), Type.String(), { default: {} });
const Lines = Type.Array(Type.String(), { default: [] });

/**
 * The shipped route: a critical alert leaves at once, everything else waits for company. Without a receiver of their
 * own, alerts are recorded and shown, and nobody is called.
 */
const SHIPPED_ROUTE = {
	receiver: 'default',
	group_by: ['alertname', 'system'],
	group_wait: '30s',
	group_interval: '5m',
	repeat_interval: '4h',
	routes: [{ matchers: ['severity="critical"'], group_wait: '0s', group_interval: '10s' }],
};

/** A node of the routing tree, keys as in Alertmanager. What is absent is inherited. */
export const RouteConfigSchema = Type.Cyclic(
	{
		Route: Type.Object(
			{
				receiver: Type.Optional(Type.String()),
				group_by: Type.Optional(Type.Array(Type.String())),
				group_wait: Type.Optional(Duration),
				group_interval: Type.Optional(Duration),
				repeat_interval: Type.Optional(Duration),
				/** Names of `time_intervals`: tell nobody inside of them, or only inside of them. Not on the root. */
				mute_time_intervals: Lines,
				active_time_intervals: Lines,
				matchers: Lines,
				match: Texts,
				match_re: Texts,
				continue: Type.Boolean({ default: false }),
				routes: Type.Array(Type.Ref('Route'), { default: [] }),
			},
			{ additionalProperties: false },
		),
	},
	'Route',
	{ default: SHIPPED_ROUTE },
);
export type RouteConfig = Static<typeof RouteConfigSchema>;

const InhibitRuleSchema = Type.Object(
	{
		/** What `fournines check` calls it. */
		name: Type.Optional(Type.String({ minLength: 1 })),
		source_matchers: Lines,
		target_matchers: Lines,
		source_match: Texts,
		source_match_re: Texts,
		target_match: Texts,
		target_match_re: Texts,
		equal: Lines,
	},
	{ additionalProperties: false },
);
export type InhibitRuleConfig = Static<typeof InhibitRuleSchema>;

/** Sends through an entry of `channels`, whose account, token or connection several receivers and persons share. */
const SharedChannelSchema = Type.Object(
	{
		channel: Type.String({ minLength: 1 }),
		/** Recipients as that channel names them; empty for a channel without any (a robot). */
		to: Lines,
		/** Instead of the channel's own. */
		send_resolved: Type.Optional(Type.Boolean()),
	},
	{ additionalProperties: false },
);

const ReceiverSchema = Type.Object(
	{
		name: Type.String({ minLength: 1, maxLength: 100, pattern: '^[^/]+$', description: 'a name without a slash' }),
		channel_configs: Type.Array(SharedChannelSchema, { default: [] }),
		...foreignReceiverProperties,
		...(Object.fromEntries(CHANNEL_KINDS.map(({ type, schema }) => [`${type}_configs`, Type.Array(schema, { default: [] })])) as Readonly<
			Record<never, TSchema>
		>),
	},
	{ additionalProperties: false },
);
export type ReceiverConfig = Static<typeof ReceiverSchema>;

/** A way out with a name: `{ name: sms, aliyun_sms: { … } }`, with the keys of `aliyun_sms_configs` but no recipients. */
const ChannelSchema = Type.Object(
	{
		name: Type.String({
			minLength: 1,
			maxLength: 64,
			pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]*$',
			description: 'a name of letters, digits, ".", "_" and "-"',
		}),
		...(Object.fromEntries(
			CHANNEL_KINDS.map(({ type, schema, to }) => [
				type,
				Type.Optional(
					Type.Object(Object.fromEntries(Object.entries(schema.properties).filter(([key]) => key !== to)), { additionalProperties: false }),
				),
			]),
		) as Readonly<Record<never, TSchema>>),
	},
	{ additionalProperties: false },
);

/** Key `alerts` of collector.yml. */
export const AlertsConfigSchema = Type.Object(
	{
		global: AlertsGlobalSchema,
		language: Type.Union([Type.Literal('zh-CN'), Type.Literal('en')], { default: 'zh-CN' }),
		route: RouteConfigSchema,
		receivers: Type.Array(ReceiverSchema, { default: [{ name: 'default' }] }),
		/** Ways to reach a person, and shared accounts of receivers (`channel_configs`). */
		channels: Type.Array(ChannelSchema, { default: [] }),
		/** Alerts of other systems (Zabbix, cloud consoles) in, and all alerts out to an Alertmanager. */
		intake: Type.Array(IntakeConfigSchema, { default: [] }),
		forward: Type.Array(ForwardConfigSchema, { default: [] }),
		/** Relays in the internet zone, from which callbacks and presses of links are fetched. */
		relays: Type.Array(RelayConfigSchema, { default: [], maxItems: 8 }),
		/** Texts of our own kind, and names of Alertmanager's template files; both in Go's template language. */
		templates: TemplatesConfigSchema,
		/** Kinds of receivers that there are no channels for here, and that an existing file may keep: their entries send nothing. */
		leave_out: Type.Array(Type.Union(FOREIGN_RECEIVERS.map((name) => Type.Literal(name))), { default: [] }),
		/** A person's next channel has its turn when this one could not send for so long. */
		next_channel_after: Type.String({ pattern: DURATION_PATTERN, default: '1m' }),
		/** Who has duty, and who is called when nobody takes an incident. */
		oncall: OnCallConfigSchema,
		inhibit_rules: Type.Array(InhibitRuleSchema, { default: [] }),
		/** Alerts that say that a machine or a service of the inventory is down; they hide what runs on it or needs it, and list it. */
		topology: Type.Object(
			{
				host_down: Type.Array(Type.String(), { default: ['alertname=~"CheckFailed|HostDown"'] }),
				service_down: Type.Array(Type.String(), { default: ['alertname="CheckFailed"'] }),
			},
			{ additionalProperties: false, default: {} },
		),
		time_intervals: Type.Array(NamedTimeIntervalSchema, { default: [] }),
		/** Alertmanager's older name of `time_intervals`. */
		mute_time_intervals: Type.Array(NamedTimeIntervalSchema, { default: [] }),
		/** An alert that fires more often than this within `window` is told once more, and then when it has been calm for `calm_after`. 0 switches it off. */
		flapping: Type.Object(
			{
				firings: Type.Integer({ default: 4, minimum: 0, maximum: 1000 }),
				window: Type.String({ pattern: DURATION_PATTERN, default: '1h' }),
				calm_after: Type.String({ pattern: DURATION_PATTERN, default: '15m' }),
			},
			{ additionalProperties: false, default: {} },
		),
		/** Beyond this many messages a minute to one receiver and team, one digest a minute carries the rest. 0 switches it off. */
		storm: Type.Object({ messages: Type.Integer({ default: 20, minimum: 0 }) }, { additionalProperties: false, default: {} }),
		/** Alerts that are open at the same time; further new ones are refused with 503 until some close. */
		max_alerts: Type.Integer({ default: 50_000, minimum: 1 }),
		/** Notifications that wait; when it is full, groups wait with what they have to tell, and nothing is lost. */
		max_outbox: Type.Integer({ default: 2000, minimum: 1 }),
		/** A notification that no attempt could deliver is given up, on record, after this long. */
		give_up_after: Type.String({ pattern: DURATION_PATTERN, default: '1d' }),
		/** How long closed alerts stay queryable, and how long events and notifications are kept. */
		retention: Type.String({ pattern: DURATION_PATTERN, default: '120h' }),
		history_retention: Type.String({ pattern: DURATION_PATTERN, default: '400d' }),
	},
	{ additionalProperties: false, default: {} },
);
export type AlertsConfig = Static<typeof AlertsConfigSchema>;
