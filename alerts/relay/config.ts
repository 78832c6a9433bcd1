import { type Static, Type } from 'typebox';
import { SecretRefSchema } from '../../core/secret.ts';
import { HttpConfigSchema } from '../notify/http-config.ts';

/** A relay in the internet zone (`relay.callbacks` of an agent there): the collector opens the connection, nobody there reaches the collector. */
export const RelayConfigSchema = Type.Object(
	{
		name: Type.String({ pattern: '^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$' }),
		/** Scheme, host and port of the relay's `collector_listen`. */
		url: Type.String({ pattern: '^https?://' }),
		/** The relay's `token`. */
		token: SecretRefSchema,
		/** Under which telephones reach the relay. When it is given, links of messages lead there instead of to `server.external_url`. */
		ack_url: Type.Optional(Type.String({ pattern: '^https?://' })),
		http_config: Type.Optional(HttpConfigSchema),
	},
	{ additionalProperties: false },
);
export type RelayConfig = Static<typeof RelayConfigSchema>;
