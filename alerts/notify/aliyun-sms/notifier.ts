import type { Static } from 'typebox';
import { templateParams } from '../../templates/sms-params.ts';
import { aliyunCall } from '../aliyun/call.ts';
import { jsonObject, judgeBody } from '../body-code.ts';
import { notifierFrame } from '../channel-frame.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import type { AliyunSmsConfigSchema } from './config.ts';

const CODES = {
	code: ['Code'],
	text: ['Message'],
	success: ['OK'],
	retryAfterMs: {
		// The first counts per minute, hour and day and template; the text does not say which.
		'isv.BUSINESS_LIMIT_CONTROL': 60_000,
		'isp.SYSTEM_ERROR': 5000,
		'Throttling.User': 5000,
		Throttling: 5000,
		ServiceUnavailable: 5000,
	},
} as const;

/** `SendSms` (help.aliyun.com, dysmsapi 2017-05-25): all numbers in one request; receipts name its `BizId`. */
export function createAliyunSms(config: Static<typeof AliyunSmsConfigSchema>, context: NotifierContext): Notifier {
	const language = config.language ?? context.language;
	const call = aliyunCall(config, context, {
		action: 'SendSms',
		version: '2017-05-25',
		judge: (response, world) => {
			const result = judgeBody(response, CODES, world);
			const id = jsonObject(response.body)['BizId'];
			return result.kind !== 'sent' || typeof id !== 'string'
				? result
				: { ...result, receipts: config.phones.map((to) => ({ key: id, to })) };
		},
	});
	return {
		...notifierFrame('aliyun_sms', config, context, [config.base_url, config.phones.join()]),
		compose: async (notification) => {
			const params = templateParams(config.template_params, notification, language);
			const resolved = notification.firingCount === 0;
			const query = {
				PhoneNumbers: config.phones.join(','),
				SignName: config.sign_name,
				TemplateCode: resolved ? (config.resolved_template_code ?? config.template_code) : config.template_code,
				TemplateParam: JSON.stringify(params),
				OutId: notification.id,
			};
			return { text: `${query.TemplateCode} ${query.TemplateParam}`, send: (signal) => call(query, signal) };
		},
	};
}
