import type { Static } from 'typebox';
import type { ChannelLine, LineContext } from '../channel-line.ts';
import { type Entry, type Incoming, providerCallback, replyId, textAt } from '../provider-callback.ts';
import type { SmsGatewayConfigSchema } from './config.ts';

/** Receipts and replies of a platform, read as the configuration says. */
export function gatewayCallback(config: Static<typeof SmsGatewayConfigSchema>, context: LineContext): ChannelLine['callback'] {
	const { callback } = config;
	if (callback === undefined) return undefined;
	const delivered = new Set(callback.delivered.map(String));
	const read = (entry: Entry, nowMs: number): Incoming => {
		const phone = textAt(entry, callback.phone);
		const text = callback.content === undefined ? '' : textAt(entry, callback.content);
		if (text !== '') return { kind: 'reply', from: phone, text, id: replyId(phone, text, JSON.stringify(entry)), atMs: nowMs };
		const key = callback.message_id === undefined ? '' : textAt(entry, callback.message_id);
		if (key === '' || callback.state === undefined) return null;
		const code = textAt(entry, callback.state);
		return { kind: 'receipt', receipt: { key, to: phone, state: delivered.has(code) ? 'delivered' : 'undelivered', code, atMs: nowMs } };
	};
	return providerCallback(context, {
		token: config.callback_token,
		way: 'sms_gateway',
		...(callback.items === undefined ? {} : { items: callback.items }),
		read,
		answer: callback.answer,
	});
}
