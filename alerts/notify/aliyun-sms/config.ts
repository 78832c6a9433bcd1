import { Type } from 'typebox';
import { aliyunProperties } from '../aliyun/call.ts';
import { baseUrl, httpChannelProperties, phoneNumber, receiptProperties } from '../channel-frame.ts';
import { pullProperties } from '../receipt-pull.ts';

/** Short messages by Aliyun's SendSms, version 2017-05-25. */
export const AliyunSmsConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		...receiptProperties,
		...pullProperties,
		...aliyunProperties,
		base_url: baseUrl('https://dysmsapi.aliyuncs.com'),
		sign_name: Type.String({ minLength: 1 }),
		template_code: Type.String({ minLength: 1 }),
		/** Template for recoveries; `template_code` when absent. */
		resolved_template_code: Type.Optional(Type.String({ minLength: 1 })),
		/** Variable of the template → text with `{severity}`, `{what}`, `{where}`, `{time}`, `{number}`, `{count}`, `{lasted}`, `{code}`, `{clock}`. A variable holds 35 characters. */
		template_params: Type.Record(Type.String(), Type.String(), {
			default: { level: '{severity}', name: '{what}', place: '{where}', time: '{time}', no: '{number}' },
		}),
		phones: Type.Array(phoneNumber, { minItems: 1, maxItems: 1000 }),
		rate_per_minute: Type.Integer({ default: 5, minimum: 1 }),
	},
	{ additionalProperties: false },
);
