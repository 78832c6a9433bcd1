import { Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { baseUrl, httpChannelProperties } from '../channel-frame.ts';

/** A DingTalk group robot (钉钉群机器人). */
export const DingtalkConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		/** `/robot/send` is appended. */
		base_url: baseUrl('https://oapi.dingtalk.com'),
		access_token: SecretRefSchema,
		/** The robot's signing secret (加签); absent when it is protected by keyword or address. */
		secret: Type.Optional(SecretRefSchema),
		at_mobiles: Type.Array(Type.String({ pattern: '^[0-9]{5,20}$' }), { default: [] }),
		at_severities: Type.Array(Type.String(), { default: ['critical'] }),
		/** The service allows 20 and then blocks the robot for ten minutes. */
		rate_per_minute: Type.Integer({ default: 18, minimum: 1, maximum: 20 }),
	},
	{ additionalProperties: false },
);
