import type { Static } from 'typebox';
import { templateList } from '../../templates/sms-params.ts';
import { notifierFrame, type Redact } from '../channel-frame.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import { tencentCall, tencentFailure } from '../tencent/call.ts';
import type { TencentSmsConfigSchema } from './config.ts';

/** `SendSms` (cloud.tencent.com/document/api/382/55981): one answer per number, each of which can fail on its own; receipts name its `SerialNo`. */
export function createTencentSms(config: Static<typeof TencentSmsConfigSchema>, context: NotifierContext): Notifier {
	const language = config.language ?? context.language;
	const call = tencentCall<SendResult>(config, context, { service: 'sms', action: 'SendSms', version: '2021-01-11', taken });
	return {
		...notifierFrame('tencent_sms', config, context, [config.base_url, config.phones.join()]),
		compose: async (notification) => {
			const resolved = notification.firingCount === 0;
			const template = resolved ? (config.resolved_template_id ?? config.template_id) : config.template_id;
			const params = templateList(config.template_params, notification, language);
			const payload = JSON.stringify({
				PhoneNumberSet: config.phones,
				SmsSdkAppId: config.sdk_app_id,
				SignName: config.sign_name,
				TemplateId: template,
				TemplateParamSet: params,
				SessionContext: notification.id,
			});
			return { text: `${template} ${JSON.stringify(params)}`, send: (signal) => call(payload, signal) };
		},
	};
}

interface NumberStatus {
	readonly PhoneNumber?: unknown;
	readonly SerialNo?: unknown;
	readonly Code?: unknown;
	readonly Message?: unknown;
}

function taken(answer: Readonly<Record<string, unknown>>, redact: Redact): SendResult {
	const statuses = (Array.isArray(answer['SendStatusSet']) ? answer['SendStatusSet'] : []) as readonly NumberStatus[];
	const failed = statuses.filter((status) => status.Code !== 'Ok');
	const [first] = failed;
	if (first === undefined) {
		return {
			kind: 'sent',
			code: 'Ok',
			receipts: statuses.map(({ SerialNo, PhoneNumber }) => ({ key: String(SerialNo), to: String(PhoneNumber) })),
		};
	}
	const reason = redact(
		failed.map(({ PhoneNumber, Code, Message }) => `${String(PhoneNumber)}: ${String(Code)} ${String(Message)}`).join('; '),
	);
	// Some have it already: sending again would tell them twice, so the failure stands on record.
	if (failed.length < statuses.length) return { kind: 'refused', code: 'partly', reason };
	return tencentFailure(String(first.Code), reason);
}
