import { type Static, Type } from 'typebox';
import { DURATION_PATTERN } from '../core/duration.ts';
import { foreignGlobalProperties } from './foreign-receivers.ts';
import { mailDefaultProperties } from './notify/email/config.ts';
import { HttpConfigSchema } from './notify/http-config.ts';
import { wechatDefaultProperties } from './notify/wechat/config.ts';

/** Key `alerts.global`, with Alertmanager's names: what receivers do not say themselves. */
export const AlertsGlobalSchema = Type.Object(
	{
		resolve_timeout: Type.String({ pattern: DURATION_PATTERN, default: '5m' }),
		/** Of every channel over HTTP that has none of its own. */
		http_config: Type.Optional(HttpConfigSchema),
		...mailDefaultProperties,
		...wechatDefaultProperties,
		...foreignGlobalProperties,
	},
	{ additionalProperties: false, default: {} },
);
export type AlertsGlobal = Static<typeof AlertsGlobalSchema>;
