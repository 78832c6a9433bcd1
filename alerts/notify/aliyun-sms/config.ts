import { Type } from 'typebox';
import { DURATION_PATTERN } from '../../../core/duration.ts';
import { SecretRefSchema } from '../../../core/secret.ts';
import { HttpConfigSchema } from '../http-config.ts';
import { DEFAULT_TIMEOUT } from '../notifier.ts';

/** Short messages by Aliyun's SendSms, version 2017-05-25. */
export const AliyunSmsConfigSchema = Type.Object(
	{
		send_resolved: Type.Boolean({ default: true }),
		base_url: Type.String({ default: 'https://dysmsapi.aliyuncs.com', pattern: '^https?://' }),
		access_key_id: SecretRefSchema,
		access_key_secret: SecretRefSchema,
		sign_name: Type.String({ minLength: 1 }),
		template_code: Type.String({ minLength: 1 }),
		/** Template for recoveries; `template_code` when absent. */
		resolved_template_code: Type.Optional(Type.String({ minLength: 1 })),
		/** Variable of the template → text with `{severity}`, `{what}`, `{where}`, `{time}`, `{number}`, `{count}`, `{lasted}`. A variable holds 35 characters. */
		template_params: Type.Record(Type.String(), Type.String(), {
			default: { level: '{severity}', name: '{what}', place: '{where}', time: '{time}', no: '{number}' },
		}),
		phones: Type.Array(Type.String({ pattern: '^\\+?[0-9]{5,20}$' }), { minItems: 1, maxItems: 1000 }),
		rate_per_minute: Type.Integer({ default: 5, minimum: 1 }),
		timeout: Type.String({ default: DEFAULT_TIMEOUT, pattern: DURATION_PATTERN }),
		language: Type.Optional(Type.Union([Type.Literal('zh-CN'), Type.Literal('en')])),
		http_config: Type.Optional(HttpConfigSchema),
	},
	{ additionalProperties: false },
);
