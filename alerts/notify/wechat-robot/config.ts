import { Type } from 'typebox';
import { DURATION_PATTERN } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { HttpConfigSchema } from '../http-config.ts';
import { DEFAULT_TIMEOUT } from '../notifier.ts';

/** A WeChat Work group robot (企业微信群机器人), also of a private deployment: the path is the same on its own host. */
export const WechatRobotConfigSchema = Type.Object(
	{
		send_resolved: Type.Boolean({ default: true }),
		/** Scheme and host, with a path prefix where a proxy adds one; `/cgi-bin/webhook/send` is appended. */
		base_url: Type.String({ default: 'https://qyapi.weixin.qq.com', pattern: '^https?://' }),
		/** The `key` of the robot's address. Whoever knows it can write into the group. */
		key: SecretRefSchema,
		/** User ids and telephone numbers to call out, `@all` for everybody. Only for alerts of `mention_severities`, and as plain text. */
		mentioned_list: Type.Array(Type.String(), { default: [] }),
		mentioned_mobile_list: Type.Array(Type.String(), { default: [] }),
		mention_severities: Type.Array(Type.String(), { default: ['critical'] }),
		/** The service allows 20; a digest is sent when more is due. */
		rate_per_minute: Type.Integer({ default: 20, minimum: 1, maximum: 20 }),
		timeout: Type.String({ default: DEFAULT_TIMEOUT, pattern: DURATION_PATTERN }),
		language: Type.Optional(Type.Union([Type.Literal('zh-CN'), Type.Literal('en')])),
		http_config: Type.Optional(HttpConfigSchema),
	},
	{ additionalProperties: false },
);
