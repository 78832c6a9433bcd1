import { Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { baseUrl, httpChannelProperties } from '../channel-frame.ts';

/** Template messages of a WeChat official account (微信公众号模板消息). */
export const WechatOfficialConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		base_url: baseUrl('https://api.weixin.qq.com'),
		app_id: Type.String({ minLength: 1 }),
		secret: SecretRefSchema,
		template_id: Type.String({ minLength: 1 }),
		/** Keyword of the template → text with the same names as for short messages; a keyword `thing…` holds 20 characters. */
		template_params: Type.Record(Type.String(), Type.String(), {
			default: { thing1: '{what}', thing2: '{where}', phrase3: '{severity}', time4: '{time}', character_string5: '{number}' },
		}),
		openids: Type.Array(Type.String({ pattern: '^[0-9A-Za-z_-]{10,64}$' }), { minItems: 1, maxItems: 100 }),
		receipt_timeout: Type.Optional(Type.String({ pattern: '^[0-9]+(ms|s|m|h)$' })),
		/** The token of the account's server configuration (明文模式), which signs receipts; without one they are refused. */
		callback_token: Type.Optional(SecretRefSchema),
		rate_per_minute: Type.Integer({ default: 30, minimum: 1 }),
	},
	{ additionalProperties: false },
);
