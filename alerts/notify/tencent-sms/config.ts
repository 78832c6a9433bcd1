import { Type } from 'typebox';
import { baseUrl, httpChannelProperties, receiptProperties } from '../channel-frame.ts';
import { pullProperties } from '../receipt-pull.ts';
import { tencentProperties } from '../tencent/call.ts';

/** Short messages by Tencent Cloud's SendSms, version 2021-01-11. */
export const TencentSmsConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		...receiptProperties,
		...pullProperties,
		...tencentProperties,
		base_url: baseUrl('https://sms.tencentcloudapi.com'),
		region: Type.String({ default: 'ap-guangzhou' }),
		sdk_app_id: Type.String({ minLength: 1 }),
		sign_name: Type.String({ minLength: 1 }),
		template_id: Type.String({ minLength: 1 }),
		resolved_template_id: Type.Optional(Type.String({ minLength: 1 })),
		/** Texts of {1}, {2}, … of the template, with the same names as for Aliyun. */
		template_params: Type.Array(Type.String(), { default: ['{severity}', '{what}', '{where}', '{time}', '{number}'] }),
		/** With the country: +8613800000000. */
		phones: Type.Array(Type.String({ pattern: '^\\+[0-9]{5,20}$' }), { minItems: 1, maxItems: 200 }),
		rate_per_minute: Type.Integer({ default: 5, minimum: 1 }),
	},
	{ additionalProperties: false },
);
