import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';

const Duration = (text: string) => Type.String({ pattern: DURATION_PATTERN, default: text });

/** Another threshold for some of a rule's results. What fits best counts: a host before labels before a system before all, some hours before always. */
const ThresholdSchema = Type.Object(
	{
		/** Name of an alert. */
		rule: Type.String({ minLength: 1 }),
		/** In the unit of the rule's expression: a ratio stays a ratio. */
		value: Type.Number(),
		host: Type.Optional(Type.String({ minLength: 1 })),
		system: Type.Optional(Type.String({ minLength: 1 })),
		/** Further labels of the result, for example `mountpoint: /backup`. */
		labels: Type.Optional(Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String(), { minProperties: 1 })),
		/** Only inside the hours of this calendar of the inventory. */
		during: Type.Optional(Type.String({ minLength: 1 })),
		/** Only outside of the hours of this calendar. */
		outside: Type.Optional(Type.String({ minLength: 1 })),
	},
	{ additionalProperties: false },
);
export type ThresholdConfig = Static<typeof ThresholdSchema>;

/** Key `rules` of `collector.yml`. */
export const RulesConfigSchema = Type.Object(
	{
		/** Rule files; `*` stands for any part of a file name, a relative path starts at the configuration file's folder. */
		files: Type.Array(Type.String({ minLength: 1 }), { default: ['rules/*.yml'] }),
		/** Of groups that name no interval. */
		evaluation_interval: Duration('15s'),
		/** Alerts that go on firing are handed over again this often. */
		resend_delay: Duration('1m'),
		/** A pending or firing alert is taken up again after a restart when the collector was away no longer than this. */
		for_outage_tolerance: Duration('1h'),
		/** After a restart a restored pending alert waits at least this long before it fires. */
		for_grace_period: Duration('10m'),
		/** Rules of one group that do not depend on each other and may be under way at once; 1 keeps all in their order. Groups always run side by side. */
		concurrency: Type.Integer({ minimum: 1, maximum: 64, default: 1 }),
		/**
		 * Share of one core that may be spent on evaluating rules when their samples arrive, the most severe first; what is left waits for its
		 * group's slot. 0: all wait.
		 */
		arrival_cpu_share: Type.Number({ minimum: 0, maximum: 1, default: 0.1 }),
		/** From the first sample to that evaluation, so that what a host sends at once is judged once. */
		arrival_settle: Duration('100ms'),
		/** Other thresholds than the rules are written with; see docs/rules.md. */
		thresholds: Type.Array(ThresholdSchema, { default: [] }),
		external_labels: Type.Record(Type.String({ pattern: '^[a-zA-Z_][a-zA-Z0-9_]*$' }), Type.String(), { default: {} }),
	},
	{ additionalProperties: false, default: {} },
);
export type RulesConfig = Static<typeof RulesConfigSchema>;
