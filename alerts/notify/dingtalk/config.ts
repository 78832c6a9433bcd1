import { Type } from 'typebox';
import { DURATION_PATTERN } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { HttpConfigSchema } from '../http-config.ts';
import { DEFAULT_TIMEOUT } from '../notifier.ts';

/** A DingTalk group robot (钉钉群机器人). */
export const DingtalkConfigSchema = Type.Object(
	{
		send_resolved: Type.Boolean({ default: true }),
		/** `/robot/send` is appended. */
		base_url: Type.String({ default: 'https://oapi.dingtalk.com', pattern: '^https?://' }),
		access_token: SecretRefSchema,
		/** The robot's signing secret (加签); absent when it is protected by keyword or address. */
		secret: Type.Optional(SecretRefSchema),
		at_mobiles: Type.Array(Type.String({ pattern: '^[0-9]{5,20}$' }), { default: [] }),
		at_severities: Type.Array(Type.String(), { default: ['critical'] }),
		/** The service allows 20 and then blocks the robot for ten minutes. */
		rate_per_minute: Type.Integer({ default: 18, minimum: 1, maximum: 20 }),
		timeout: Type.String({ default: DEFAULT_TIMEOUT, pattern: DURATION_PATTERN }),
		language: Type.Optional(Type.Union([Type.Literal('zh-CN'), Type.Literal('en')])),
		http_config: Type.Optional(HttpConfigSchema),
	},
	{ additionalProperties: false },
);
