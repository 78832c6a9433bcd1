import { Type } from 'typebox';
import { baseUrl, httpChannelProperties, receiptProperties } from '../channel-frame.ts';
import { tencentProperties } from '../tencent/call.ts';

/** Telephone calls by Tencent Cloud's SendTtsVoice, version 2020-09-02. */
export const TencentVoiceConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		...receiptProperties,
		...tencentProperties,
		/** Nobody wants to be called because something is over. */
		send_resolved: Type.Boolean({ default: false }),
		base_url: baseUrl('https://vms.tencentcloudapi.com'),
		region: Type.String({ default: 'ap-guangzhou' }),
		voice_sdk_app_id: Type.String({ minLength: 1 }),
		template_id: Type.String({ minLength: 1 }),
		template_params: Type.Array(Type.String(), { default: ['{severity}', '{what}', '{number}'] }),
		play_times: Type.Integer({ default: 2, minimum: 1, maximum: 3 }),
		/** With the country: +8613800000000. */
		phones: Type.Array(Type.String({ pattern: '^\\+[0-9]{5,20}$' }), { minItems: 1, maxItems: 50 }),
		rate_per_minute: Type.Integer({ default: 1, minimum: 1, maximum: 2 }),
	},
	{ additionalProperties: false },
);
