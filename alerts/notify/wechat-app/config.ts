import { Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { baseUrl, httpChannelProperties } from '../channel-frame.ts';

/** An application of WeChat Work (企业微信自建应用), also of a private deployment such as 政务微信: its own `base_url` and CA. */
export const WechatAppConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		base_url: baseUrl('https://qyapi.weixin.qq.com'),
		corp_id: Type.String({ minLength: 1 }),
		agent_id: Type.Integer({ minimum: 0 }),
		secret: SecretRefSchema,
		/** User ids; `@all` for everybody who sees the application. */
		to_user: Type.Array(Type.String({ minLength: 1, maxLength: 64, pattern: '^[^|]+$' }), { minItems: 1, maxItems: 1000 }),
		/** Older private deployments know no cards: false sends text only. */
		cards: Type.Boolean({ default: true }),
		/** Token and EncodingAESKey of 接收消息. Cards have buttons only with it. */
		callback: Type.Optional(Type.Object({ token: SecretRefSchema, aes_key: SecretRefSchema }, { additionalProperties: false })),
		/** A member gets 30 a minute; the excess is dropped without a word. */
		rate_per_minute: Type.Integer({ default: 25, minimum: 1, maximum: 30 }),
	},
	{ additionalProperties: false },
);
