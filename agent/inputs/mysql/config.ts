import { type Static, Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { entryProperties } from '../entry-schema.ts';

export const MysqlConfigSchema = Type.Object(
	{
		/** `host:port`, or the path of a socket. */
		address: Type.String({ minLength: 1 }),
		username: Type.String({ minLength: 1 }),
		password: Type.Optional(SecretRefSchema),
		...entryProperties(),
	},
	{ additionalProperties: false },
);
export type MysqlConfig = Static<typeof MysqlConfigSchema>;
