import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../../core/duration.ts';
import { SecretRefSchema } from '../../core/secret.ts';
import { HttpConfigSchema } from '../notify/http-config.ts';
import { DEFAULT_TIMEOUT } from '../notify/notifier.ts';

/** An Alertmanager that gets every alert as well, as if Prometheus sent it. */
export const ForwardConfigSchema = Type.Object(
	{
		/** Scheme and host, with a path prefix where there is one; `/api/v2/alerts` is appended. */
		url: Type.String({ pattern: '^https?://' }),
		/** Only alerts that all of these match. */
		matchers: Type.Array(Type.String(), { default: [] }),
		/** Header `Authorization`, whole. */
		authorization: Type.Optional(SecretRefSchema),
		/** What fires is repeated so often; the other side forgets it after four times as long. */
		interval: Type.String({ pattern: DURATION_PATTERN, default: '1m' }),
		timeout: Type.String({ default: DEFAULT_TIMEOUT, pattern: DURATION_PATTERN }),
		http_config: Type.Optional(HttpConfigSchema),
	},
	{ additionalProperties: false },
);
export type ForwardConfig = Static<typeof ForwardConfigSchema>;
