import { Type } from 'typebox';
import { SecretRefSchema } from '../../core/secret.ts';
import { durationSchema } from '../inputs/entry-schema.ts';

/** Where to send. Base address of a Fournines collector; the paths are appended. */
export const CollectorConfigSchema = Type.Object(
	{
		/** For example `http://10.0.0.5:9999`. */
		url: Type.String({ pattern: '^https?://' }),
		token: Type.Optional(SecretRefSchema),
		/** One-time token: exchanged at the first start for a key of this agent's own, which is kept in the data folder. Instead of `token`. */
		enrol_token: Type.Optional(SecretRefSchema),
		/** PEM file of a private CA. */
		ca_file: Type.Optional(Type.String({ minLength: 1 })),
		timeout: durationSchema('30s'),
	},
	{ additionalProperties: false },
);

/** Anything that takes Prometheus' remote write, beside the collector or instead of it. */
export const RemoteWriteConfigSchema = Type.Object(
	{
		/** Names its spool and its metrics. */
		name: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,39}$' }),
		/** The whole address, for example `https://prometheus.example.cn/api/v1/write`. */
		url: Type.String({ pattern: '^https?://' }),
		token: Type.Optional(SecretRefSchema),
		username: Type.Optional(Type.String({ minLength: 1 })),
		password: Type.Optional(SecretRefSchema),
		/** Sent with every request, for example `X-Scope-OrgID`. Credentials belong into `token` or `password`. */
		headers: Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]+$' }), Type.String(), { default: {} }),
		ca_file: Type.Optional(Type.String({ minLength: 1 })),
		timeout: durationSchema('30s'),
		max_bytes: Type.Integer({ default: 256 * 1024 * 1024, minimum: 256 * 1024 }),
	},
	{ additionalProperties: false },
);

export const SpoolConfigSchema = Type.Object(
	{
		max_bytes: Type.Integer({ default: 512 * 1024 * 1024, minimum: 256 * 1024 }),
		max_age: durationSchema('7d'),
		/** What goes first after an outage: `newest_first` shows the present at once, and makes up for the past beside it. */
		order: Type.Union([Type.Literal('newest_first'), Type.Literal('oldest_first')], { default: 'newest_first' }),
	},
	{ additionalProperties: false, default: {} },
);
