import { Type } from 'typebox';
import { DURATION_PATTERN } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { HttpConfigSchema } from '../http-config.ts';
import { DEFAULT_TIMEOUT } from '../notifier.ts';

/** Short messages by Tencent Cloud's SendSms, version 2021-01-11. */
export const TencentSmsConfigSchema = Type.Object(
	{
		send_resolved: Type.Boolean({ default: true }),
		base_url: Type.String({ default: 'https://sms.tencentcloudapi.com', pattern: '^https?://' }),
		region: Type.String({ default: 'ap-guangzhou' }),
		secret_id: SecretRefSchema,
		secret_key: SecretRefSchema,
		sdk_app_id: Type.String({ minLength: 1 }),
		sign_name: Type.String({ minLength: 1 }),
		template_id: Type.String({ minLength: 1 }),
		resolved_template_id: Type.Optional(Type.String({ minLength: 1 })),
		/** Texts of {1}, {2}, … of the template, with the same names as for Aliyun. */
		template_params: Type.Array(Type.String(), { default: ['{severity}', '{what}', '{where}', '{time}', '{number}'] }),
		/** With the country: +8613800000000. */
		phones: Type.Array(Type.String({ pattern: '^\\+[0-9]{5,20}$' }), { minItems: 1, maxItems: 200 }),
		rate_per_minute: Type.Integer({ default: 5, minimum: 1 }),
		timeout: Type.String({ default: DEFAULT_TIMEOUT, pattern: DURATION_PATTERN }),
		language: Type.Optional(Type.Union([Type.Literal('zh-CN'), Type.Literal('en')])),
		http_config: Type.Optional(HttpConfigSchema),
	},
	{ additionalProperties: false },
);
