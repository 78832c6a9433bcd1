import { Type } from 'typebox';
import { aliyunProperties } from '../aliyun/call.ts';
import { baseUrl, httpChannelProperties, phoneNumber, receiptProperties } from '../channel-frame.ts';
import { pullProperties } from '../receipt-pull.ts';

/** Telephone calls by Aliyun's SingleCallByTts, version 2017-05-25. */
export const AliyunVoiceConfigSchema = Type.Object(
	{
		...httpChannelProperties,
		...receiptProperties,
		...pullProperties,
		...aliyunProperties,
		/** Nobody wants to be called because something is over. */
		send_resolved: Type.Boolean({ default: false }),
		base_url: baseUrl('https://dyvmsapi.aliyuncs.com'),
		/** The number that is shown; absent in the public mode. */
		called_show_number: Type.Optional(Type.String({ minLength: 3 })),
		tts_code: Type.String({ minLength: 1 }),
		/** Variables of the template, with the same names as for short messages. */
		template_params: Type.Record(Type.String(), Type.String(), { default: { level: '{severity}', name: '{what}', no: '{number}' } }),
		play_times: Type.Integer({ default: 2, minimum: 1, maximum: 3 }),
		phones: Type.Array(phoneNumber, { minItems: 1, maxItems: 50 }),
		/** The service allows one call a minute and number, five an hour. */
		rate_per_minute: Type.Integer({ default: 1, minimum: 1, maximum: 1 }),
	},
	{ additionalProperties: false },
);
