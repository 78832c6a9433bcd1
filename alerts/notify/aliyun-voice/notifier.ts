import type { Static } from 'typebox';
import { aliyunTemplateNotifier } from '../aliyun/template-notifier.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import type { AliyunVoiceConfigSchema } from './config.ts';

/** `SingleCallByTts` (help.aliyun.com, dyvmsapi 2017-05-25): one call to one number; receipts name its `CallId`. */
export function createAliyunVoice(config: Static<typeof AliyunVoiceConfigSchema>, context: NotifierContext): Notifier {
	return aliyunTemplateNotifier(config, context, {
		type: 'aliyun_voice',
		action: 'SingleCallByTts',
		idKey: 'CallId',
		template: () => config.tts_code,
		query: (template, params, { id }) => ({
			...(config.called_show_number === undefined ? {} : { CalledShowNumber: config.called_show_number }),
			CalledNumber: config.phones[0] ?? '',
			TtsCode: template,
			TtsParam: params,
			PlayTimes: String(config.play_times),
			OutId: id.replaceAll('-', '').slice(0, 15),
		}),
	});
}
