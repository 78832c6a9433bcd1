import type { SecretRef } from '../../../core/secret.ts';
import { PROVIDER_MANNERS } from '../../../protocol/provider-callbacks.ts';
import type { ChannelLine, LineContext } from '../channel-line.ts';
import { type Entry, type Incoming, providerCallback, providerTime, replyId, textAt } from '../provider-callback.ts';

interface CallbackConfig {
	readonly callback_token?: SecretRef;
}

/** SmsReport and SmsUp, pushed by HTTP in batches (help.aliyun.com, 短信服务 HTTP 批量推送); repeated after 1, 5 and 10 minutes. */
export function aliyunSmsCallback(config: CallbackConfig, context: LineContext): ChannelLine['callback'] {
	return providerCallback(context, {
		token: config.callback_token,
		way: 'aliyun_sms',
		answer: PROVIDER_MANNERS.aliyun_sms.taken,
		read: readSms,
	});
}

/** VoiceReport (help.aliyun.com, 语音服务 VoiceReport): 200000 is a call that was taken. */
export function aliyunVoiceCallback(config: CallbackConfig, context: LineContext): ChannelLine['callback'] {
	return providerCallback(context, {
		token: config.callback_token,
		way: 'aliyun_voice',
		answer: PROVIDER_MANNERS.aliyun_voice.taken,
		read: readCall,
	});
}

function readSms(entry: Entry, nowMs: number): Incoming {
	const phone = textAt(entry, 'phone_number');
	const content = textAt(entry, 'content');
	if (content !== '') {
		const at = textAt(entry, 'send_time');
		const id = textAt(entry, 'sequence_id') || replyId(phone, content, at);
		return { kind: 'reply', from: phone, text: content, id, atMs: providerTime(at, nowMs) };
	}
	const key = textAt(entry, 'biz_id');
	if (key === '') return null;
	const delivered = textAt(entry, 'success') === 'true';
	const code = textAt(entry, 'err_code') || (delivered ? 'DELIVERED' : 'failed');
	const atMs = providerTime(textAt(entry, 'report_time'), nowMs);
	return { kind: 'receipt', receipt: { key, to: phone, state: delivered ? 'delivered' : 'undelivered', code, atMs } };
}

function readCall(entry: Entry, nowMs: number): Incoming {
	const key = textAt(entry, 'call_id');
	const code = textAt(entry, 'status_code');
	if (key === '' || code === '') return null;
	const atMs = providerTime(textAt(entry, 'end_time'), nowMs);
	return {
		kind: 'receipt',
		receipt: { key, to: textAt(entry, 'callee'), state: code === '200000' ? 'delivered' : 'undelivered', code, atMs },
	};
}
