import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';
import { SecretRefSchema } from '../../core/secret.ts';

const Duration = (text: string) => Type.String({ pattern: DURATION_PATTERN, default: text });
const OptionalDuration = () => Type.Optional(Type.String({ pattern: DURATION_PATTERN }));
const Limit = (description: string) => Type.Integer({ minimum: 0, default: 0, description: `${description} 0: no limit.` });
const closed = { additionalProperties: false } as const;

const RelabelActionSchema = Type.Union(
	[
		Type.Literal('replace'),
		Type.Literal('keep'),
		Type.Literal('drop'),
		Type.Literal('keepequal'),
		Type.Literal('dropequal'),
		Type.Literal('hashmod'),
		Type.Literal('labelmap'),
		Type.Literal('labeldrop'),
		Type.Literal('labelkeep'),
		Type.Literal('lowercase'),
		Type.Literal('uppercase'),
	],
	{ default: 'replace' },
);
export type RelabelAction = Static<typeof RelabelActionSchema>;

/** One step of relabelling, in Prometheus' words (https://prometheus.io/docs/prometheus/latest/configuration/configuration/#relabel_config). */
export const RelabelConfigSchema = Type.Object(
	{
		source_labels: Type.Array(Type.String(), { default: [] }),
		separator: Type.String({ default: ';' }),
		target_label: Type.String({ default: '' }),
		regex: Type.String({ default: '(.*)', description: 'RE2, anchored at both ends.' }),
		modulus: Type.Integer({ minimum: 0, default: 0 }),
		replacement: Type.String({ default: '$1' }),
		action: RelabelActionSchema,
	},
	closed,
);
export type RelabelConfig = Static<typeof RelabelConfigSchema>;

const TargetGroupSchema = Type.Object(
	{
		targets: Type.Array(Type.String({ minLength: 1 }), { default: [] }),
		labels: Type.Record(Type.String(), Type.String(), { default: {} }),
	},
	closed,
);
export type TargetGroup = Static<typeof TargetGroupSchema>;

const ScrapeJobSchema = Type.Object(
	{
		job_name: Type.String({ minLength: 1 }),
		scrape_interval: OptionalDuration(),
		scrape_timeout: OptionalDuration(),
		metrics_path: Type.String({ default: '/metrics' }),
		scheme: Type.Union([Type.Literal('http'), Type.Literal('https')], { default: 'http' }),
		params: Type.Record(Type.String(), Type.Array(Type.String()), { default: {} }),
		honor_labels: Type.Boolean({ default: false }),
		honor_timestamps: Type.Boolean({ default: true }),
		follow_redirects: Type.Boolean({ default: true }),
		basic_auth: Type.Optional(Type.Object({ username: Type.String(), password: SecretRefSchema }, closed)),
		authorization: Type.Optional(Type.Object({ type: Type.String({ default: 'Bearer' }), credentials: SecretRefSchema }, closed)),
		tls_config: Type.Object(
			{
				ca_file: Type.String({ default: '' }),
				insecure_skip_verify: Type.Boolean({ default: false }),
				server_name: Type.String({ default: '' }),
			},
			{ ...closed, default: {} },
		),
		static_configs: Type.Array(TargetGroupSchema, { default: [] }),
		file_sd_configs: Type.Array(
			Type.Object({ files: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }), refresh_interval: Duration('5m') }, closed),
			{ default: [] },
		),
		relabel_configs: Type.Array(RelabelConfigSchema, { default: [] }),
		metric_relabel_configs: Type.Array(RelabelConfigSchema, { default: [] }),
		sample_limit: Limit('Samples of one scrape after relabelling.'),
		label_limit: Limit('Labels of a series.'),
		label_name_length_limit: Limit('Bytes of a label name.'),
		label_value_length_limit: Limit('Bytes of a label value.'),
		target_limit: Limit('Targets of the job after relabelling.'),
		body_size_limit: Type.String({
			pattern: '^(0|[0-9]+(B|KB|MB|GB|KiB|MiB|GiB))$',
			default: '16MB',
			description: 'Size of an answer, compressed and not. As in Prometheus, KB and KiB are both 1024 bytes.',
		}),
	},
	closed,
);
export type ScrapeJobConfig = Static<typeof ScrapeJobSchema>;

/** Key `scrape` of `collector.yml`: Prometheus' `scrape_configs`, with its global interval and timeout beside them. */
export const ScrapeConfigSchema = Type.Object(
	{
		scrape_interval: Duration('15s'),
		scrape_timeout: Duration('10s'),
		scrape_configs: Type.Array(ScrapeJobSchema, { default: [] }),
	},
	{ ...closed, default: {} },
);
export type ScrapeConfig = Static<typeof ScrapeConfigSchema>;

const SIZE_UNITS: Readonly<Record<string, number>> = {
	B: 1,
	KB: 1024,
	MB: 1024 ** 2,
	GB: 1024 ** 3,
	KiB: 1024,
	MiB: 1024 ** 2,
	GiB: 1024 ** 3,
};

/** Bytes of a size as the schema takes it; `0` means the largest that is ever taken. */
export function parseSize(text: string): number {
	const [, digits = '0', unit = 'B'] = /^([0-9]+)([A-Za-z]*)$/.exec(text) ?? [];
	const bytes = Number(digits) * (SIZE_UNITS[unit] ?? 1);
	return bytes === 0 ? LARGEST_BODY_BYTES : Math.min(bytes, LARGEST_BODY_BYTES);
}

/** An answer is read as one piece and parsed on the main thread. */
const LARGEST_BODY_BYTES = 1024 ** 3;
