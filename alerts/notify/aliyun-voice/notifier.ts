import type { Static } from 'typebox';
import { templateParams } from '../../templates/sms-params.ts';
import { aliyunCall } from '../aliyun/call.ts';
import { jsonObject, judgeBody } from '../body-code.ts';
import { notifierFrame } from '../channel-frame.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import type { AliyunVoiceConfigSchema } from './config.ts';

const CODES = {
	code: ['Code'],
	text: ['Message'],
	success: ['OK'],
	retryAfterMs: {
		// A minute's limit, or the hour's: the number was called a moment ago.
		'isv.BUSINESS_LIMIT_CONTROL': 60_000,
		'isp.SYSTEM_ERROR': 5000,
		'isp.UNKNOWN': 5000,
		Throttling: 5000,
		'Throttling.User': 5000,
	},
} as const;

/** `SingleCallByTts` (help.aliyun.com, dyvmsapi 2017-05-25): one call to one number; receipts name its `CallId`. */
export function createAliyunVoice(config: Static<typeof AliyunVoiceConfigSchema>, context: NotifierContext): Notifier {
	const language = config.language ?? context.language;
	const [phone = ''] = config.phones;
	const call = aliyunCall(config, context, {
		action: 'SingleCallByTts',
		version: '2017-05-25',
		judge: (response, world) => {
			const result = judgeBody(response, CODES, world);
			const id = jsonObject(response.body)['CallId'];
			return result.kind !== 'sent' || typeof id !== 'string' ? result : { ...result, receipts: [{ key: id, to: phone }] };
		},
	});
	return {
		...notifierFrame('aliyun_voice', config, context, [config.base_url, phone]),
		compose: async (notification) => {
			const params = JSON.stringify(templateParams(config.template_params, notification, language));
			const query = {
				...(config.called_show_number === undefined ? {} : { CalledShowNumber: config.called_show_number }),
				CalledNumber: phone,
				TtsCode: config.tts_code,
				TtsParam: params,
				PlayTimes: String(config.play_times),
				OutId: notification.id.replaceAll('-', '').slice(0, 15),
			};
			return { text: `${config.tts_code} ${params}`, send: (signal) => call(query, signal) };
		},
	};
}
