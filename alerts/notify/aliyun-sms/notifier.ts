import type { Static } from 'typebox';
import { aliyunTemplateNotifier } from '../aliyun/template-notifier.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import type { AliyunSmsConfigSchema } from './config.ts';

/** `SendSms` (help.aliyun.com, dysmsapi 2017-05-25): all numbers in one request; receipts name its `BizId`. */
export function createAliyunSms(config: Static<typeof AliyunSmsConfigSchema>, context: NotifierContext): Notifier {
	const resolvedCode = config.resolved_template_code ?? config.template_code;
	return aliyunTemplateNotifier(config, context, {
		type: 'aliyun_sms',
		action: 'SendSms',
		idKey: 'BizId',
		template: ({ firingCount }) => (firingCount === 0 ? resolvedCode : config.template_code),
		query: (template, params, { id }) => ({
			PhoneNumbers: config.phones.join(','),
			SignName: config.sign_name,
			TemplateCode: template,
			TemplateParam: params,
			OutId: id,
		}),
	});
}
