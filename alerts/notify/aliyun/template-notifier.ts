import type { SecretRef } from '../../../core/secret.ts';
import type { Language } from '../../templates/language.ts';
import { templateParams } from '../../templates/sms-params.ts';
import { type BodyCodes, jsonObject, judgeBody } from '../body-code.ts';
import { notifierFrame } from '../channel-frame.ts';
import type { Notification } from '../notification.ts';
import type { Notifier, NotifierContext, SendResult } from '../notifier.ts';
import { aliyunCall } from './call.ts';

/** What both services answer (help.aliyun.com, 短信服务 and 语音服务 API 错误码). Every other code is final: a key, a signature, a template, a number. */
export const ALIYUN_CODES = {
	code: ['Code'],
	text: ['Message'],
	success: ['OK'],
	retryAfterMs: {
		'isv.BUSINESS_LIMIT_CONTROL': 60_000,
		'isv.DAY_LIMIT_CONTROL': 3_600_000,
		'isp.SYSTEM_ERROR': 5000,
		'isp.UNKNOWN': 5000,
		InternalError: 5000,
		ServiceUnavailable: 5000,
		Throttling: 5000,
		'Throttling.User': 5000,
		'Throttling.Api': 5000,
		SignatureNonceUsed: 1000,
	},
} as const satisfies BodyCodes;

/** 触发分钟级流控, 小时级 and 天级 have one code; asking each minute would not bring tomorrow nearer. */
const LIMITS: readonly (readonly [RegExp, number])[] = [
	[/天级/, 3_600_000],
	[/小时级/, 600_000],
];

interface TemplateConfig {
	readonly base_url: string;
	readonly access_key_id: SecretRef;
	readonly access_key_secret: SecretRef;
	readonly timeout: string;
	readonly send_resolved: boolean;
	readonly language?: Language;
	readonly template_params: Readonly<Record<string, string>>;
	readonly phones: readonly string[];
}

export interface TemplateService {
	readonly type: string;
	readonly action: string;
	/** Key of the answer by which receipts name the message. */
	readonly idKey: string;
	/** The approved template for this notification. */
	readonly template: (notification: Notification) => string;
	/** Parameters of the call, from the template and its variables as JSON. */
	readonly query: (template: string, params: string, notification: Notification) => Readonly<Record<string, string>>;
}

/** One request that fills an approved template and sends it to all numbers. */
export function aliyunTemplateNotifier(config: TemplateConfig, context: NotifierContext, service: TemplateService): Notifier {
	const language = config.language ?? context.language;
	const call = aliyunCall<SendResult>(config, context, {
		action: service.action,
		judge: (response, world) => {
			const result = judgeBody(response, ALIYUN_CODES, world);
			if (result.kind === 'retry' && result.code === 'isv.BUSINESS_LIMIT_CONTROL') {
				const afterMs = LIMITS.find(([said]) => said.test(result.reason))?.[1];
				return afterMs === undefined ? result : { ...result, afterMs };
			}
			const id = jsonObject(response.body)[service.idKey];
			return result.kind !== 'sent' || typeof id !== 'string'
				? result
				: { ...result, receipts: config.phones.map((to) => ({ key: id, to })) };
		},
	});
	return {
		...notifierFrame(service.type, config, context, [config.base_url, config.phones.join()]),
		compose: async (notification) => {
			const params = JSON.stringify(templateParams(config.template_params, notification, language));
			const template = service.template(notification);
			return { text: `${template} ${params}`, send: (signal) => call(service.query(template, params, notification), signal) };
		},
	};
}
