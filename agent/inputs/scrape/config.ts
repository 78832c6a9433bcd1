import { type Static, Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { entryProperties } from '../entry-schema.ts';

export const ScrapeConfigSchema = Type.Object(
	{
		/** Address of the exporter's `/metrics`. */
		url: Type.String({ pattern: '^https?://' }),
		/** Label `job`. */
		job: Type.String({ minLength: 1 }),
		...entryProperties(),
		username: Type.Optional(Type.String({ minLength: 1 })),
		password: Type.Optional(SecretRefSchema),
		bearer: Type.Optional(SecretRefSchema),
		ca_file: Type.Optional(Type.String({ minLength: 1 })),
		/** RE2 patterns of metric names, matched as a whole: what is kept, and of that what is dropped. */
		keep: Type.Optional(Type.String({ minLength: 1 })),
		drop: Type.Optional(Type.String({ minLength: 1 })),
		/** A page with more is refused as a whole. */
		max_samples: Type.Integer({ default: 20_000, minimum: 1, maximum: 1_000_000 }),
		max_body: Type.Integer({ default: 8 * 1024 * 1024, minimum: 1024, maximum: 64 * 1024 * 1024 }),
	},
	{ additionalProperties: false },
);
export type ScrapeConfig = Static<typeof ScrapeConfigSchema>;
