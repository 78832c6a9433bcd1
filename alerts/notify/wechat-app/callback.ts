import type { SecretRef } from '../../../core/secret.ts';
import type { CallbackAnswer, ChannelLine, LineContext } from '../channel-line.ts';
import { assertFresh, callbackRefused, replyId } from '../provider-callback.ts';
import { WechatEnvelope, wechatSignature, xmlText } from '../wechat-crypto.ts';
import { type CardTake, readButtonKey } from './buttons.ts';

/** Who did it, by what the card is updated, and what else can be taken by it; `responseCode` is `''` for a message that was written. */
export interface AppEvent {
	readonly user: string;
	readonly responseCode: string;
	readonly left: readonly CardTake[];
}

/**
 * 接收消息与事件 (developer.work.weixin.qq.com). Signed and encrypted; the press of a card's button and what members write are
 * passed on, who did it is what the envelope says and not who holds the card. The service waits five seconds, so the card is
 * updated after the answer. Throws `FN_ALERTS_CALLBACK_KEY` for a key that is none.
 */
export function appCallback(
	config: { readonly token: SecretRef; readonly aes_key: SecretRef },
	options: { readonly context: LineContext; readonly corpId: string; readonly answer: (event: AppEvent, text: string) => void },
): NonNullable<ChannelLine['callback']> {
	const { context } = options;
	const token = context.secret(config.token);
	const envelope = new WechatEnvelope(context.secret(config.aes_key).reveal(), options.corpId);
	return async (request) => {
		const { msg_signature: signature = '', timestamp = '', nonce = '', echostr = '' } = request.query;
		const encrypted = request.method === 'GET' ? echostr : xmlText(request.body.toString('utf8'), 'Encrypt');
		if (signature === '' || signature !== wechatSignature([token.reveal(), timestamp, nonce, encrypted])) {
			throw callbackRefused(context.line, 'the signature is wrong');
		}
		const message = envelope.open(encrypted);
		if (request.method === 'GET') return plain(message);
		assertFresh(timestamp, request, context);
		await take(message, options);
		return plain('');
	};
}

async function take(
	xml: string,
	options: { readonly context: LineContext; readonly answer: (event: AppEvent, text: string) => void },
): Promise<void> {
	const { context, answer } = options;
	const user = xmlText(xml, 'FromUserName');
	const created = xmlText(xml, 'CreateTime');
	const atMs = Number(created) * 1000 || context.clock.now();
	const from = { channel: context.line, to: user };
	const pressed = readButtonKey(xmlText(xml, 'EventKey'));
	if (xmlText(xml, 'Event') === 'template_card_event' && pressed !== null) {
		const taskId = xmlText(xml, 'TaskId');
		// Whoever presses has read it.
		await context.inbound.receipts(context.line, [{ key: taskId, to: user, state: 'read', code: 'pressed', atMs }]);
		const said = { kind: 'acknowledge', incidentId: pressed.incidentId } as const;
		const id = replyId(user, created, taskId, pressed.incidentId);
		const text = await context.inbound.reply({ id, from, way: 'wechat_app', said, atMs });
		if (text !== '') answer({ user, responseCode: xmlText(xml, 'ResponseCode'), left: pressed.others }, text);
		return;
	}
	const content = xmlText(xml, 'Content').trim();
	if (xmlText(xml, 'MsgType') !== 'text' || content === '') return;
	const id = xmlText(xml, 'MsgId') || replyId(user, created, content);
	const text = await context.inbound.reply({ id, from, way: 'wechat_app', said: { kind: 'text', text: content }, atMs });
	if (text !== '') answer({ user, responseCode: '', left: [] }, text);
}

function plain(body: string): CallbackAnswer {
	return { status: 200, type: 'text/plain', body };
}
