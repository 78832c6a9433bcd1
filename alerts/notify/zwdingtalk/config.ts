import { Type } from 'typebox';
import { SecretRefSchema } from '../../../core/secret.ts';
import { httpChannelProperties } from '../channel-frame.ts';

/** 专有钉钉, on which 浙政钉 and other provinces' platforms run: work notifications of an application. */
export const ZwdingtalkConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		/** The platform's own address, for example https://openplatform-pro.ding.zj.gov.cn. */
		base_url: Type.String({ pattern: '^https?://' }),
		app_key: SecretRefSchema,
		app_secret: SecretRefSchema,
		tenant_id: Type.String({ minLength: 1 }),
		/** Address and MAC of this machine as it was registered; the platform checks their presence. */
		client_ip: Type.String({ default: '127.0.0.1' }),
		client_mac: Type.String({ default: '00:00:00:00:00:00' }),
		/** Account ids (accountId). */
		receiver_ids: Type.Array(Type.String({ pattern: '^[0-9A-Za-z_-]{1,64}$' }), { minItems: 1, maxItems: 100 }),
		/** About 100 messages a day reach one person. */
		rate_per_minute: Type.Integer({ default: 5, minimum: 1, maximum: 60 }),
	},
	{ additionalProperties: false },
);
