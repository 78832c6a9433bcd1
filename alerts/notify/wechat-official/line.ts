import type { Static } from 'typebox';
import { PROVIDER_MANNERS } from '../../../protocol/provider-callbacks.ts';
import { shorten, unitLength } from '../../templates/shorten.ts';
import { templateParams } from '../../templates/sms-params.ts';
import { jsonObject, judgeBody } from '../body-code.ts';
import { JSON_HEADERS, type Judge, notifierFrame } from '../channel-frame.ts';
import { type CallbackRequest, type ChannelLine, type LineContext, placeEach } from '../channel-line.ts';
import { onlyLink } from '../notification.ts';
import type { Notifier, NotifierContext } from '../notifier.ts';
import { assertFresh, callbackRefused, providerTime, replyId } from '../provider-callback.ts';
import { openWechatAccount, WECHAT_CODES } from '../wechat-account.ts';
import { wechatSignature, xmlText } from '../wechat-crypto.ts';
import type { WechatOfficialConfigSchema } from './config.ts';

type Config = Static<typeof WechatOfficialConfigSchema>;

/** A keyword of the type `thing` holds this many characters. */
const THING_UNITS = 20;
/** 45009 is the day's quota here: asking each minute would not bring midnight nearer, and a person's next channel has its turn meanwhile. */
const CODES = { ...WECHAT_CODES, retryAfterMs: { ...WECHAT_CODES.retryAfterMs, '45009': 600_000 } };

/**
 * `POST /cgi-bin/message/template/send` (developers.weixin.qq.com, 模板消息), one per openid. `client_msg_id` is the
 * notification's: the service drops a repetition, so none is marked. Receipts: event TEMPLATESENDJOBFINISH.
 */
export function openWechatOfficial(config: Config, context: LineContext): ChannelLine {
	const account = openWechatAccount(config, context, (base, secret) => ({
		url: `${base}/cgi-bin/stable_token`,
		headers: JSON_HEADERS,
		body: JSON.stringify({ grant_type: 'client_credential', appid: config.app_id, secret: secret.reveal() }),
	}));
	const create = (openid: string, place: NotifierContext): Notifier => {
		const language = config.language ?? place.language;
		const judge: Judge = (response, world) => {
			const result = judgeBody(response, CODES, world);
			const id = jsonObject(response.body)['msgid'];
			return result.kind !== 'sent' || id === undefined ? result : { ...result, receipts: [{ key: String(id), to: openid }] };
		};
		return {
			...notifierFrame('wechat_official', config, place, [config.app_id, openid]),
			compose: async (notification) => {
				const params = templateParams(config.template_params, notification, language);
				const data = Object.fromEntries(
					Object.entries(params).map(([name, value]) => [
						name,
						{ value: name.startsWith('thing') ? shorten(value, THING_UNITS, unitLength) : value },
					]),
				);
				const link = onlyLink(notification, place.externalUrl);
				const body = {
					touser: openid,
					template_id: config.template_id,
					...(link === '' ? {} : { url: link }),
					client_msg_id: notification.id.replaceAll('-', ''),
					data,
				};
				const send = (signal: AbortSignal) => account.post('template/send', body, judge, signal);
				return { text: `${config.template_id} ${JSON.stringify(data)}`, send };
			},
		};
	};
	const callbackToken = config.callback_token === undefined ? null : context.secret(config.callback_token);
	return {
		type: 'wechat_official',
		notifiers: (place, to) => placeEach(to === null ? config.openids : [to], context, place, create),
		...(callbackToken === null ? {} : { callback: (request) => takeEvent(request, callbackToken.reveal(), context) }),
	};
}

async function takeEvent(request: CallbackRequest, token: string, context: LineContext) {
	const { signature = '', timestamp = '', nonce = '', echostr = '' } = request.query;
	if (signature !== wechatSignature([token, timestamp, nonce])) throw callbackRefused(context.line, 'the signature is wrong');
	assertFresh(timestamp, request, context);
	if (request.method === 'GET') return { status: 200, type: 'text/plain', body: echostr };
	const xml = request.body.toString('utf8');
	const openid = xmlText(xml, 'FromUserName');
	const nowMs = context.clock.now();
	const atMs = providerTime(xmlText(xml, 'CreateTime'), nowMs);
	if (xmlText(xml, 'Event') === 'TEMPLATESENDJOBFINISH') {
		const status = xmlText(xml, 'Status');
		const receipt = {
			key: xmlText(xml, 'MsgID'),
			to: openid,
			state: status === 'success' ? 'delivered' : 'undelivered',
			code: status,
			atMs,
		} as const;
		await context.inbound.receipts(context.line, [receipt]);
	} else if (xmlText(xml, 'MsgType') === 'text') {
		const text = xmlText(xml, 'Content').trim();
		const id = xmlText(xml, 'MsgId') || replyId(openid, text, String(atMs));
		await context.inbound.reply({
			id,
			from: { channel: context.line, to: openid },
			way: 'wechat_official',
			said: { kind: 'text', text },
			atMs,
		});
	}
	return { status: 200, type: 'text/plain', body: PROVIDER_MANNERS.wechat_official.taken };
}
