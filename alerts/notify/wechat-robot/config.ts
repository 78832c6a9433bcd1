import { Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { baseUrl, httpChannelProperties } from '../channel-frame.ts';

/** A WeChat Work group robot (企业微信群机器人), also of a private deployment: the path is the same on its own host. */
export const WechatRobotConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		/** Scheme and host, with a path prefix where a proxy adds one; `/cgi-bin/webhook/send` is appended. */
		base_url: baseUrl('https://qyapi.weixin.qq.com'),
		/** The `key` of the robot's address. Whoever knows it can write into the group. */
		key: SecretRefSchema,
		/** User ids and telephone numbers to call out, `@all` for everybody. Only for alerts of `mention_severities`, and as plain text. */
		mentioned_list: Type.Array(Type.String(), { default: [] }),
		mentioned_mobile_list: Type.Array(Type.String(), { default: [] }),
		mention_severities: Type.Array(Type.String(), { default: ['critical'] }),
		/** The service allows 20; a digest is sent when more is due. */
		rate_per_minute: Type.Integer({ default: 20, minimum: 1, maximum: 20 }),
	},
	{ additionalProperties: false },
);
