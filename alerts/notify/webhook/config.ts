import { Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { httpChannelProperties } from '../channel-frame.ts';

/** Anything that takes Alertmanager's webhook, version 4. */
export const WebhookConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		/** An address that carries a token belongs into a file or the environment. */
		url: Type.Union([Type.String({ pattern: '^https?://' }), SecretRefSchema]),
		headers: Type.Record(Type.String(), Type.Union([Type.String(), SecretRefSchema]), { default: {} }),
		/** When set, `X-Fournines-Signature: sha256=<hex>` over `<X-Fournines-Timestamp>.<body>`. */
		hmac_secret: Type.Optional(SecretRefSchema),
		/** 0 for all (of the at most 200 that a notification carries); the rest is counted in `truncatedAlerts`. */
		max_alerts: Type.Integer({ default: 0, minimum: 0 }),
	},
	{ additionalProperties: false },
);
