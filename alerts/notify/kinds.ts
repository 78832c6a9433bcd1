import type { Static, TObject } from 'typebox';
import { aliyunSmsCallback, aliyunVoiceCallback } from './aliyun/callback.ts';
import { aliyunSmsPull, aliyunVoicePull } from './aliyun/pull.ts';
import { AliyunSmsConfigSchema } from './aliyun-sms/config.ts';
import { createAliyunSms } from './aliyun-sms/notifier.ts';
import { AliyunVoiceConfigSchema } from './aliyun-voice/config.ts';
import { createAliyunVoice } from './aliyun-voice/notifier.ts';
import type { CallbackRequest, ChannelKind, ChannelLine, LineContext } from './channel-line.ts';
import { plainLine } from './channel-line.ts';
import { CmppConfigSchema } from './cmpp/config.ts';
import { openCmpp } from './cmpp/line.ts';
import { DingtalkConfigSchema } from './dingtalk/config.ts';
import { createDingtalk } from './dingtalk/notifier.ts';
import { checkEmail, type EmailConfig, EmailConfigSchema, mailTexts, missingMailKey, withMailDefaults } from './email/config.ts';
import { createEmail } from './email/notifier.ts';
import { FeishuConfigSchema } from './feishu/config.ts';
import { createFeishu } from './feishu/notifier.ts';
import { FolderConfigSchema } from './folder/config.ts';
import { createFolder } from './folder/notifier.ts';
import { MasSmsConfigSchema } from './mas-sms/config.ts';
import { createMasSms, masCallback } from './mas-sms/notifier.ts';
import type { Notifier, NotifierContext } from './notifier.ts';
import { gatewayCallback } from './sms-gateway/callback.ts';
import { checkSmsGateway } from './sms-gateway/check.ts';
import { SmsGatewayConfigSchema } from './sms-gateway/config.ts';
import { createSmsGateway, splitPhones } from './sms-gateway/notifier.ts';
import { tencentSmsCallback, tencentVoiceCallback } from './tencent/callback.ts';
import { tencentSmsPull } from './tencent/pull.ts';
import { TencentSmsConfigSchema } from './tencent-sms/config.ts';
import { createTencentSms } from './tencent-sms/notifier.ts';
import { TencentVoiceConfigSchema } from './tencent-voice/config.ts';
import { createTencentVoice } from './tencent-voice/notifier.ts';
import { checkWebhook, WebhookConfigSchema } from './webhook/config.ts';
import { createWebhook } from './webhook/notifier.ts';
import { checkWechat, missingWechatKey, WechatConfigSchema, wechatTexts, withWechatDefaults } from './wechat/config.ts';
import { openWechat } from './wechat/line.ts';
import { WechatAppConfigSchema } from './wechat-app/config.ts';
import { openWechatApp } from './wechat-app/line.ts';
import { WechatOfficialConfigSchema } from './wechat-official/config.ts';
import { openWechatOfficial } from './wechat-official/line.ts';
import { WechatRobotConfigSchema } from './wechat-robot/config.ts';
import { createWechatRobot } from './wechat-robot/notifier.ts';
import { ZwdingtalkConfigSchema } from './zwdingtalk/config.ts';
import { createZwdingtalk } from './zwdingtalk/notifier.ts';

/** Every type of channel, in the order in which a receiver's channels are told. */
export const CHANNEL_KINDS: readonly ChannelKind[] = [
	place('wechat_robot', WechatRobotConfigSchema, createWechatRobot),
	{ type: 'wechat_app', schema: WechatAppConfigSchema, to: 'to_user', open: openWechatApp },
	{
		type: 'wechat',
		schema: WechatConfigSchema,
		to: 'to_user',
		check: checkWechat,
		missing: missingWechatKey,
		withDefaults: withWechatDefaults,
		texts: wechatTexts,
		open: openWechat,
	},
	{ type: 'wechat_official', schema: WechatOfficialConfigSchema, to: 'openids', open: openWechatOfficial },
	phones('sms_gateway', SmsGatewayConfigSchema, createSmsGateway, {
		split: splitPhones,
		check: checkSmsGateway,
		callback: gatewayCallback,
	}),
	phones('aliyun_sms', AliyunSmsConfigSchema, createAliyunSms, { callback: aliyunSmsCallback, pull: aliyunSmsPull }),
	phones('tencent_sms', TencentSmsConfigSchema, createTencentSms, { callback: tencentSmsCallback, pull: tencentSmsPull }),
	phones('mas_sms', MasSmsConfigSchema, createMasSms, { callback: masCallback }),
	{ type: 'cmpp', schema: CmppConfigSchema, to: 'phones', open: openCmpp },
	phones('aliyun_voice', AliyunVoiceConfigSchema, createAliyunVoice, {
		split: eachPhone,
		callback: aliyunVoiceCallback,
		pull: aliyunVoicePull,
	}),
	phones('tencent_voice', TencentVoiceConfigSchema, createTencentVoice, { split: eachPhone, callback: tencentVoiceCallback }),
	{
		type: 'zwdingtalk',
		schema: ZwdingtalkConfigSchema,
		to: 'receiver_ids',
		open: (config: Static<typeof ZwdingtalkConfigSchema>, context) =>
			plainLine('zwdingtalk', context, { config, addressed: (own, to) => ({ ...own, receiver_ids: [to] }), create: createZwdingtalk }),
	},
	place('dingtalk', DingtalkConfigSchema, createDingtalk),
	place('feishu', FeishuConfigSchema, createFeishu),
	{
		type: 'email',
		schema: EmailConfigSchema,
		to: 'to',
		check: checkEmail,
		missing: missingMailKey,
		withDefaults: withMailDefaults,
		texts: mailTexts,
		open: (config: EmailConfig, context) =>
			plainLine('email', context, { config, addressed: (own, to) => ({ ...own, to }), create: createEmail }),
	},
	place('webhook', WebhookConfigSchema, createWebhook, checkWebhook),
	place('folder', FolderConfigSchema, createFolder),
];

/** A kind whose configuration is the place: it has no recipients. */
function place<S extends TObject>(
	type: string,
	schema: S,
	create: (config: Static<S>, context: NotifierContext) => Notifier,
	check?: PhoneOptions<Static<S>>['check'],
): ChannelKind {
	return {
		type,
		schema,
		to: null,
		...(check === undefined ? {} : { check }),
		open: (config: Static<S>, context: LineContext) =>
			plainLine(type, context, { config: config as Static<S> & object, addressed: (own) => own, create }),
	};
}

interface PhoneOptions<C> {
	/** Into configurations whose recipients one request can take. */
	readonly split?: (config: C) => readonly C[];
	readonly check?: (config: C, report: (path: readonly (string | number)[], message: string) => void) => void;
	readonly callback?: (
		config: C,
		context: LineContext,
	) => ((request: CallbackRequest) => ReturnType<NonNullable<ChannelLine['callback']>>) | undefined;
	/** Asks the provider, where it can be asked. */
	readonly pull?: (config: C, context: LineContext) => Pick<ChannelLine, 'start' | 'close'>;
}

/** A kind that sends to telephone numbers. */
function phones<S extends TObject>(
	type: string,
	schema: S,
	create: (config: Static<S>, context: NotifierContext) => Notifier,
	options: PhoneOptions<Static<S>> = {},
): ChannelKind {
	const { split, check, callback, pull } = options;
	return {
		type,
		schema,
		to: 'phones',
		...(check === undefined ? {} : { check }),
		open: (config: Static<S>, context: LineContext) =>
			plainLine(type, context, {
				config: config as Static<S> & object,
				addressed: (own, to) => ({ ...own, phones: [to] }),
				...(split === undefined ? {} : { split }),
				create,
				callback: callback?.(config, context),
				...(pull === undefined ? {} : { pull: pull(config, context) }),
			}),
	};
}

function eachPhone<C extends { readonly phones: readonly string[] }>(config: C): readonly C[] {
	return config.phones.map((phone) => ({ ...config, phones: [phone] }));
}
