import { Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { baseUrl, httpChannelProperties } from '../channel-frame.ts';

/** A Feishu group robot (飞书自定义机器人), also of a private deployment. */
export const FeishuConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		/** `/open-apis/bot/v2/hook/<id>` is appended. */
		base_url: baseUrl('https://open.feishu.cn'),
		hook: SecretRefSchema,
		secret: Type.Optional(SecretRefSchema),
		/** The service allows 100. */
		rate_per_minute: Type.Integer({ default: 60, minimum: 1, maximum: 100 }),
	},
	{ additionalProperties: false },
);
