import { type Static, Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { httpChannelProperties } from '../channel-frame.ts';

/** Anything that takes Alertmanager's webhook, version 4. */
export const WebhookConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		/** An address that carries a token belongs into a file or the environment. */
		url: Type.Optional(Type.Union([Type.String({ pattern: '^https?://' }), SecretRefSchema])),
		/** Alertmanager's way to say `url: { file: … }`. */
		url_file: Type.Optional(Type.String({ minLength: 1 })),
		headers: Type.Record(Type.String(), Type.Union([Type.String(), SecretRefSchema]), { default: {} }),
		/** When set, `X-Fournines-Signature: sha256=<hex>` over `<X-Fournines-Timestamp>.<body>`. */
		hmac_secret: Type.Optional(SecretRefSchema),
		/** 0 for all (of the at most 200 that a notification carries); the rest is counted in `truncatedAlerts`. */
		max_alerts: Type.Integer({ default: 0, minimum: 0 }),
	},
	{ additionalProperties: false },
);

/** What the schema cannot say. */
export function checkWebhook(
	{ url, url_file }: Static<typeof WebhookConfigSchema>,
	report: (path: readonly string[], message: string) => void,
): void {
	if ((url === undefined) === (url_file === undefined)) report([], 'needs exactly one of the keys "url" and "url_file"');
}
