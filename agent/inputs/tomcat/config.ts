import { type Static, Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { entryProperties } from '../entry-schema.ts';

export const TomcatConfigSchema = Type.Object(
	{
		/** Address of the server, for example `http://127.0.0.1:8080`; a path other than `/` replaces `/manager/status`. */
		url: Type.String({ pattern: '^https?://' }),
		/** Account with the role `manager-status`. */
		username: Type.Optional(Type.String({ minLength: 1 })),
		password: Type.Optional(SecretRefSchema),
		/**
		 * `manager` reads the manager's status document; `process` the JVM's own counters and `/proc`; `auto` the first, and the
		 * second where there is no manager.
		 */
		way: Type.Union([Type.Literal('auto'), Type.Literal('manager'), Type.Literal('process')], { default: 'auto' }),
		/** Also reads data sources, collections, sessions and executors; the account needs the role `manager-jmx`, which could write. */
		jmxproxy: Type.Boolean({ default: false }),
		...entryProperties(),
	},
	{ additionalProperties: false },
);
export type TomcatConfig = Static<typeof TomcatConfigSchema>;
