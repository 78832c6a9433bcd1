import type { Static } from 'typebox';
import { templateList } from '../../templates/sms-params.ts';
import { notifierFrame } from '../channel-frame.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import { tencentCall } from '../tencent/call.ts';
import type { TencentVoiceConfigSchema } from './config.ts';

/** `SendTtsVoice` (cloud.tencent.com/document/api/1128/51558): one call to one number; receipts name its `CallId`. */
export function createTencentVoice(config: Static<typeof TencentVoiceConfigSchema>, context: NotifierContext): Notifier {
	const language = config.language ?? context.language;
	const [phone = ''] = config.phones;
	const call = tencentCall<SendResult>(config, context, {
		service: 'vms',
		action: 'SendTtsVoice',
		version: '2020-09-02',
		taken: (answer) => {
			const status = answer['SendStatus'] as { readonly CallId?: unknown } | undefined;
			if (typeof status?.CallId !== 'string')
				return { kind: 'retry', code: 'no-code', reason: 'the answer names no call', possiblySent: true };
			return { kind: 'sent', code: 'Ok', receipts: [{ key: status.CallId, to: phone }] };
		},
	});
	return {
		...notifierFrame('tencent_voice', config, context, [config.base_url, phone]),
		compose: async (notification) => {
			const params = templateList(config.template_params, notification, language);
			const payload = JSON.stringify({
				TemplateId: config.template_id,
				CalledNumber: phone,
				VoiceSdkAppid: config.voice_sdk_app_id,
				TemplateParamSet: params,
				PlayTimes: config.play_times,
				SessionContext: notification.id,
			});
			return { text: `${config.template_id} ${JSON.stringify(params)}`, send: (signal) => call(payload, signal) };
		},
	};
}
