import { Type } from 'typebox';
import { durationSchema } from '../inputs/entry-schema.ts';

/** Key `outbox` of agent.yml: signed files instead of requests, for a zone that only files can leave. Instead of `collector`. */
export const OutboxConfigSchema = Type.Optional(
	Type.Object(
		{
			/** From where the gap device or a carrier takes the files away. */
			folder: Type.String({ minLength: 1 }),
			/** How long samples are gathered for one file. */
			interval: durationSchema('30s'),
			/** Files that nobody takes away are not written over this size; the spool keeps what comes after. */
			max_bytes: Type.Integer({ default: 1024 * 1024 * 1024, minimum: 1024 * 1024 }),
			/** How long the way usually takes. The collector's rules wait so much longer before they call this host silent. */
			delay: durationSchema('10m'),
		},
		{ additionalProperties: false },
	),
);
