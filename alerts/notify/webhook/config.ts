import { Type } from 'typebox';
import { DURATION_PATTERN } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { HttpConfigSchema } from '../http-config.ts';
import { DEFAULT_TIMEOUT } from '../notifier.ts';

/** Anything that takes Alertmanager's webhook, version 4. */
export const WebhookConfigSchema = Type.Object(
	{
		send_resolved: Type.Boolean({ default: true }),
		/** An address that carries a token belongs into a file or the environment. */
		url: Type.Union([Type.String({ pattern: '^https?://' }), SecretRefSchema]),
		headers: Type.Record(Type.String(), Type.Union([Type.String(), SecretRefSchema]), { default: {} }),
		/** When set, `X-Fournines-Signature: sha256=<hex>` over `<X-Fournines-Timestamp>.<body>`. */
		hmac_secret: Type.Optional(SecretRefSchema),
		/** 0 for all (of the at most 200 that a notification carries); the rest is counted in `truncatedAlerts`. */
		max_alerts: Type.Integer({ default: 0, minimum: 0 }),
		timeout: Type.String({ default: DEFAULT_TIMEOUT, pattern: DURATION_PATTERN }),
		http_config: Type.Optional(HttpConfigSchema),
	},
	{ additionalProperties: false },
);
