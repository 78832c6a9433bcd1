import { Type } from 'typebox';
import { DURATION_PATTERN } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { channelProperties } from '../channel-frame.ts';

/** Mail, keys as in Alertmanager where it has them. */
export const EmailConfigSchema = Type.Object(
	{
		/** `send_resolved` is true here, and false in Alertmanager: people who were woken want to know that it is over. */
		...channelProperties,
		/** Addresses, separated by commas. */
		to: Type.String({ minLength: 3 }),
		from: Type.String({ minLength: 3 }),
		/** Host and port of the server; port 465 speaks TLS from the first byte. */
		smarthost: Type.String({ pattern: '^[^:]+:[0-9]{1,5}$' }),
		hello: Type.Optional(Type.String()),
		auth_username: Type.Optional(Type.String()),
		auth_password: Type.Optional(SecretRefSchema),
		/** Refuse to send where the server offers no STARTTLS. */
		require_tls: Type.Boolean({ default: true }),
		tls_config: Type.Object({ ca_file: Type.Optional(Type.String({ minLength: 1 })) }, { additionalProperties: false, default: {} }),
		rate_per_minute: Type.Integer({ default: 20, minimum: 1, maximum: 600 }),
		timeout: Type.String({ default: '30s', pattern: DURATION_PATTERN }),
	},
	{ additionalProperties: false },
);
