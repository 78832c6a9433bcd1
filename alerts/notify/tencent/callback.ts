import type { SecretRef } from '../../../core/secret.ts';
import { PROVIDER_MANNERS } from '../../../protocol/provider-callbacks.ts';
import type { ChannelLine, LineContext } from '../channel-line.ts';
import { type Entry, type Incoming, providerCallback, providerTime, replyId, textAt } from '../provider-callback.ts';

interface CallbackConfig {
	readonly callback_token?: SecretRef;
}

/** Status and reply of short messages (cloud.tencent.com, 短信 回调配置). */
export function tencentSmsCallback(config: CallbackConfig, context: LineContext): ChannelLine['callback'] {
	return providerCallback(context, {
		token: config.callback_token,
		way: 'tencent_sms',
		answer: PROVIDER_MANNERS.tencent_sms.taken,
		read: readSms,
	});
}

/** Result of a call, and the key that was pressed (cloud.tencent.com/document/api/1128/37724 and product/216/37726). */
export function tencentVoiceCallback(config: CallbackConfig, context: LineContext): ChannelLine['callback'] {
	return providerCallback(context, {
		token: config.callback_token,
		way: 'tencent_voice',
		answer: PROVIDER_MANNERS.tencent_voice.taken,
		read: readCall,
	});
}

function phoneOf(entry: Entry, prefix = ''): string {
	const mobile = textAt(entry, `${prefix}mobile`);
	return mobile.startsWith('+') ? mobile : `+${textAt(entry, `${prefix}nationcode`) || '86'}${mobile}`;
}

function readSms(entry: Entry, nowMs: number): Incoming {
	const text = textAt(entry, 'text');
	if (text !== '') {
		const at = textAt(entry, 'time');
		return { kind: 'reply', from: phoneOf(entry), text, id: replyId(phoneOf(entry), text, at), atMs: providerTime(at, nowMs) };
	}
	const key = textAt(entry, 'sid');
	if (key === '') return null;
	const delivered = textAt(entry, 'report_status') === 'SUCCESS';
	const atMs = providerTime(textAt(entry, 'user_receive_time'), nowMs);
	const code = textAt(entry, 'errmsg') || textAt(entry, 'report_status');
	return { kind: 'receipt', receipt: { key, to: phoneOf(entry), state: delivered ? 'delivered' : 'undelivered', code, atMs } };
}

function readCall(entry: Entry, nowMs: number): Incoming {
	const pressed = textAt(entry, 'voicekey_callback.keypress');
	if (pressed !== '') {
		const from = phoneOf(entry, 'voicekey_callback.');
		return { kind: 'reply', from, text: pressed, id: replyId(textAt(entry, 'voicekey_callback.callid'), pressed), atMs: nowMs };
	}
	const key = textAt(entry, 'voiceprompt_callback.callid');
	if (key === '') return null;
	const code = textAt(entry, 'voiceprompt_callback.result');
	const atMs = providerTime(textAt(entry, 'voiceprompt_callback.end_calltime'), nowMs);
	const to = phoneOf(entry, 'voiceprompt_callback.');
	return { kind: 'receipt', receipt: { key, to, state: code === '0' ? 'delivered' : 'undelivered', code, atMs } };
}
