import { Type } from 'typebox';
import { DURATION_PATTERN } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { HttpConfigSchema } from '../http-config.ts';
import { DEFAULT_TIMEOUT } from '../notifier.ts';

/** A Feishu group robot (飞书自定义机器人), also of a private deployment. */
export const FeishuConfigSchema = Type.Object(
	{
		send_resolved: Type.Boolean({ default: true }),
		/** `/open-apis/bot/v2/hook/<id>` is appended. */
		base_url: Type.String({ default: 'https://open.feishu.cn', pattern: '^https?://' }),
		hook: SecretRefSchema,
		secret: Type.Optional(SecretRefSchema),
		/** The service allows 100. */
		rate_per_minute: Type.Integer({ default: 60, minimum: 1, maximum: 100 }),
		timeout: Type.String({ default: DEFAULT_TIMEOUT, pattern: DURATION_PATTERN }),
		language: Type.Optional(Type.Union([Type.Literal('zh-CN'), Type.Literal('en')])),
		http_config: Type.Optional(HttpConfigSchema),
	},
	{ additionalProperties: false },
);
