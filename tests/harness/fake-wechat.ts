import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { httpExchange } from '../../core/http-client.ts';
import { type FakeRequest, faultQueue, startFakeServer } from './fake-server.ts';

export interface AppMessage {
	readonly touser: string;
	readonly msgtype: string;
	readonly text: string;
	readonly taskId: string;
	readonly buttonKey: string;
	/** All buttons that call back, in order. */
	readonly buttons: readonly { readonly text: string; readonly key: string }[];
	/** Addresses that the card opens: its own and those of its buttons. */
	readonly urls: readonly string[];
}

export interface FakeWechatWork {
	readonly baseUrl: string;
	readonly messages: readonly AppMessage[];
	/** Texts that cards' buttons were replaced with. */
	readonly updates: readonly string[];
	/** Cards that took the place of others. */
	readonly replaced: readonly AppMessage[];
	/** Errcodes of every message/send, in order. */
	readonly answers: readonly number[];
	readonly tokensGiven: () => number;
	/** The token that is in use ends now, hours before its time. */
	expireToken(): void;
	fail(errcode: number, times?: number): void;
	/** A member presses the card's only button, or the one of this key: the encrypted event goes to `callbackUrl`. */
	press(
		user: string,
		message: AppMessage,
		callbackUrl: string,
		change?: { readonly corpId?: string; readonly token?: string; readonly key?: string },
	): Promise<number>;
	/** What a member writes to the application. */
	write(user: string, text: string, callbackUrl: string): Promise<number>;
	/** The address check that the console makes; the decrypted answer. */
	checkAddress(callbackUrl: string): Promise<string>;
	stop(): Promise<void>;
}

export interface WechatWorkOptions {
	readonly corpId: string;
	readonly secret: string;
	readonly agentId: number;
	readonly members: readonly string[];
	readonly callback: { readonly token: string; readonly aesKey: string };
	readonly now?: () => number;
}

/**
 * Verifies what WeChat Work's application interface verifies: secret, token and its end, application, members (unknown ones are
 * a partial failure), bytes of a text, fields of a card, unique task ids, response codes once; drops the same message within
 * the interval; signs and encrypts its callbacks by code of its own.
 */
export async function startFakeWechatWork(options: WechatWorkOptions): Promise<FakeWechatWork> {
	const now = options.now ?? Date.now;
	const messages: AppMessage[] = [];
	const updates: string[] = [];
	const replaced: AppMessage[] = [];
	const answers: number[] = [];
	const faults = faultQueue<number>();
	const tasks = new Set<string>();
	const seen = new Map<string, number>();
	const responseCodes = new Set<string>();
	let given = 0;
	let token = '';
	let tokenUntilMs = 0;
	const send = (body: Record<string, unknown>): { errcode: number; errmsg: string; [key: string]: unknown } => {
		const fault = faults.next();
		if (fault !== undefined) return { errcode: fault, errmsg: 'as asked for' };
		if (body['agentid'] !== options.agentId) return { errcode: 301002, errmsg: 'not allow operate another agent' };
		const users = String(body['touser'] ?? '').split('|');
		const invalid = users.filter((user) => !options.members.includes(user));
		if (invalid.length === users.length) return { errcode: 81013, errmsg: 'all user/party/tag are invalid' };
		const identical = JSON.stringify(body);
		const interval = Number(body['duplicate_check_interval'] ?? 1800) * 1000;
		const repeated = body['enable_duplicate_check'] === 1 && now() - (seen.get(identical) ?? Number.NEGATIVE_INFINITY) < interval;
		seen.set(identical, now());
		const message = readMessage(body, tasks, repeated);
		if ('errcode' in message) return message;
		if (!repeated) messages.push({ ...message, touser: users.filter((user) => !invalid.includes(user)).join('|') });
		return { errcode: 0, errmsg: 'ok', msgid: `m${messages.length}`, invaliduser: invalid.join('|') };
	};
	const server = await startFakeServer({
		handle: (request, exchange) => {
			const { pathname, searchParams: query } = request.url;
			if (pathname === '/cgi-bin/gettoken') {
				if (query.get('corpid') !== options.corpId) return exchange.json({ errcode: 40013, errmsg: 'invalid corpid' });
				if (query.get('corpsecret') !== options.secret) return exchange.json({ errcode: 40001, errmsg: 'invalid credential' });
				given++;
				token = `token-${given}`;
				tokenUntilMs = now() + 7_200_000;
				return exchange.json({ errcode: 0, errmsg: 'ok', access_token: token, expires_in: 7200 });
			}
			const code = query.get('access_token') !== token ? 40014 : now() >= tokenUntilMs ? 42001 : 0;
			if (code !== 0) {
				answers.push(code);
				return exchange.json({ errcode: code, errmsg: 'invalid access_token' });
			}
			const body = JSON.parse(request.body.toString('utf8')) as Record<string, unknown>;
			if (pathname === '/cgi-bin/message/update_template_card') {
				if (!responseCodes.delete(String(body['response_code']))) return exchange.json({ errcode: 41096, errmsg: 'invalid response_code' });
				if (body['template_card'] === undefined) {
					updates.push(String((body['button'] as { replace_name?: unknown }).replace_name));
					return exchange.json({ errcode: 0, errmsg: 'ok' });
				}
				const card = readCard(body['template_card'] as Card);
				if ('errcode' in card) return exchange.json(card);
				replaced.push({ ...card, touser: String((body['userids'] as string[] | undefined)?.join('|')) });
				return exchange.json({ errcode: 0, errmsg: 'ok' });
			}
			if (pathname !== '/cgi-bin/message/send') return exchange.answer(404, 'not found');
			const answer = send(body);
			answers.push(answer.errcode);
			exchange.json(answer);
		},
	});
	const post = async (url: string, xml: string, change: { readonly corpId?: string; readonly token?: string } = {}): Promise<number> => {
		const encrypted = encrypt(xml, options.callback.aesKey, change.corpId ?? options.corpId);
		const address = signed(url, encrypted, { token: change.token ?? options.callback.token, nowMs: now() });
		const body = `<xml><ToUserName><![CDATA[${options.corpId}]]></ToUserName><Encrypt><![CDATA[${encrypted}]]></Encrypt></xml>`;
		return (await httpExchange(address, { method: 'POST', headers: { 'content-type': 'text/xml' }, body, timeoutMs: 5000 })).status;
	};
	const head = (user: string) =>
		`<ToUserName><![CDATA[${options.corpId}]]></ToUserName><FromUserName><![CDATA[${user}]]></FromUserName><CreateTime>${Math.floor(now() / 1000)}</CreateTime>`;
	return {
		baseUrl: server.baseUrl,
		messages,
		updates,
		replaced,
		answers,
		tokensGiven: () => given,
		expireToken: () => {
			tokenUntilMs = 0;
		},
		fail: faults.fail,
		press: (user, message, url, change) => {
			const code = `response-${randomBytes(4).toString('hex')}`;
			responseCodes.add(code);
			const event = `<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[template_card_event]]></Event><EventKey><![CDATA[${change?.key ?? message.buttonKey}]]></EventKey><TaskId><![CDATA[${message.taskId}]]></TaskId><CardType><![CDATA[button_interaction]]></CardType><ResponseCode><![CDATA[${code}]]></ResponseCode><AgentID>${options.agentId}</AgentID>`;
			return post(url, `<xml>${head(user)}${event}</xml>`, change);
		},
		write: (user, text, url) =>
			post(
				url,
				`<xml>${head(user)}<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[${text}]]></Content><MsgId>${randomBytes(4).readUInt32BE()}</MsgId></xml>`,
			),
		checkAddress: async (url) => {
			const encrypted = encrypt('echo-1234', options.callback.aesKey, options.corpId);
			const address = `${signed(url, encrypted, { token: options.callback.token, nowMs: now() })}&echostr=${encodeURIComponent(encrypted)}`;
			return (await httpExchange(address, { timeoutMs: 5000 })).body.toString('utf8');
		},
		stop: server.stop,
	};
}

function readMessage(
	body: Record<string, unknown>,
	tasks: Set<string>,
	repeated: boolean,
): AppMessage | { errcode: number; errmsg: string } {
	const touser = '';
	if (body['msgtype'] === 'text') {
		const text = String((body['text'] as { content?: unknown }).content ?? '');
		if (text === '' || Buffer.byteLength(text) > 2048) return { errcode: 40058, errmsg: 'content exceed max length 2048' };
		return { touser, msgtype: 'text', text, taskId: '', buttonKey: '', buttons: [], urls: [] };
	}
	const card = body['template_card'] as Card | undefined;
	const task = card?.task_id ?? '';
	if (body['msgtype'] !== 'template_card' || card === undefined) return { errcode: 40008, errmsg: 'invalid message type' };
	if (!/^[0-9A-Za-z_@-]{1,128}$/.test(task) || (tasks.has(task) && !repeated))
		return { errcode: 42014, errmsg: 'task_id is invalid or was used' };
	const read = readCard(card);
	if (!('errcode' in read)) tasks.add(task);
	return read;
}

interface Card {
	readonly card_type?: string;
	readonly task_id?: string;
	readonly main_title?: { readonly title?: string };
	readonly sub_title_text?: string;
	readonly card_action?: { readonly url?: string };
	readonly button_list?: readonly { readonly text?: string; readonly type?: number; readonly key?: string; readonly url?: string }[];
}

/** 按钮交互型: one to six buttons, each with a key of its own or an address, and texts within their lengths. */
function readCard(card: Card): AppMessage | { errcode: number; errmsg: string } {
	const bad = (errmsg: string) => ({ errcode: 40058, errmsg });
	if (card.card_type !== 'button_interaction') return { errcode: 40008, errmsg: 'invalid message type' };
	const all = card.button_list ?? [];
	const buttons = all.filter(({ type = 0 }) => type === 0).map(({ text = '', key = '' }) => ({ text, key }));
	const links = all.filter(({ type }) => type === 1).map(({ url = '' }) => url);
	if (all.length < 1 || all.length > 6 || all.some(({ text }) => !text)) return bad('invalid button_list');
	if (buttons.some(({ key }) => key === '' || Buffer.byteLength(key) > 1024)) return bad('invalid button key');
	if (new Set(buttons.map(({ key }) => key)).size < buttons.length) return bad('a button key is there twice');
	if (links.some((url) => !/^https?:/.test(url))) return bad('invalid button url');
	const title = card.main_title?.title ?? '';
	const detail = card.sub_title_text ?? '';
	if (title === '' || title.length > 36 || detail.length > 160) return bad('text too long');
	return {
		touser: '',
		msgtype: 'template_card',
		text: `${title}\n${detail}`,
		taskId: card.task_id ?? '',
		buttonKey: buttons[0]?.key ?? '',
		buttons,
		urls: [...(card.card_action?.url === undefined ? [] : [card.card_action.url]), ...links],
	};
}

function encrypt(text: string, aesKey: string, receiver: string): string {
	const key = Buffer.from(`${aesKey}=`, 'base64');
	const message = Buffer.from(text);
	const length = Buffer.from([message.length >>> 24, (message.length >>> 16) & 255, (message.length >>> 8) & 255, message.length & 255]);
	const plain = Buffer.concat([randomBytes(16), length, message, Buffer.from(receiver)]);
	const fill = 32 - (plain.length % 32);
	const cipher = createCipheriv('aes-256-cbc', key, key.subarray(0, 16));
	cipher.setAutoPadding(false);
	return cipher.update(Buffer.concat([plain, Buffer.alloc(fill, fill)])).toString('base64');
}

function signed(url: string, encrypted: string, how: { readonly token: string; readonly nowMs: number }): string {
	const timestamp = String(Math.floor(how.nowMs / 1000));
	const nonce = randomBytes(5).toString('hex');
	const digest = createHash('sha1').update([how.token, timestamp, nonce, encrypted].sort().join('')).digest('hex');
	return `${url}?msg_signature=${digest}&timestamp=${timestamp}&nonce=${nonce}`;
}

export interface FakeWechatOfficial {
	readonly baseUrl: string;
	readonly messages: readonly {
		readonly openid: string;
		readonly data: Readonly<Record<string, { readonly value: string }>>;
		readonly msgid: string;
	}[];
	fail(errcode: number, times?: number): void;
	/** TEMPLATESENDJOBFINISH for a message. */
	finish(msgid: string, openid: string, status: string, callbackUrl: string, token: string): Promise<number>;
	stop(): Promise<void>;
}

/** Verifies what an official account's template messages need: stable token, template, openid, keyword lengths; drops a repeated `client_msg_id`. */
export async function startFakeWechatOfficial(options: {
	readonly appId: string;
	readonly secret: string;
	readonly templateId: string;
	readonly followers: readonly string[];
}): Promise<FakeWechatOfficial> {
	const messages: { openid: string; data: Readonly<Record<string, { readonly value: string }>>; msgid: string }[] = [];
	const known = new Map<string, string>();
	const faults = faultQueue<number>();
	const judge = (request: FakeRequest): object => {
		const body = JSON.parse(request.body.toString('utf8')) as Record<string, unknown>;
		if (request.url.pathname === '/cgi-bin/stable_token') {
			if (body['appid'] !== options.appId || body['secret'] !== options.secret || body['grant_type'] !== 'client_credential') {
				return { errcode: 40125, errmsg: 'invalid appsecret' };
			}
			return { access_token: 'stable', expires_in: 7200 };
		}
		if (request.url.searchParams.get('access_token') !== 'stable') return { errcode: 40001, errmsg: 'invalid credential' };
		const fault = faults.next();
		if (fault !== undefined) return { errcode: fault, errmsg: 'as asked for' };
		const openid = String(body['touser']);
		if (body['template_id'] !== options.templateId) return { errcode: 40037, errmsg: 'invalid template_id' };
		if (!options.followers.includes(openid)) return { errcode: 43004, errmsg: 'require subscribe' };
		const data = body['data'] as Record<string, { value: string }>;
		if (Object.entries(data).some(([name, { value }]) => value === '' || (name.startsWith('thing') && value.length > 20))) {
			return { errcode: 47003, errmsg: 'argument invalid' };
		}
		const client = String(body['client_msg_id']);
		const before = known.get(`${openid}${client}`);
		if (before !== undefined) return { errcode: 0, errmsg: 'ok', msgid: before };
		const msgid = String(1000 + messages.length);
		known.set(`${openid}${client}`, msgid);
		messages.push({ openid, data, msgid });
		return { errcode: 0, errmsg: 'ok', msgid };
	};
	const server = await startFakeServer({ handle: (request, exchange) => exchange.json(judge(request)) });
	return {
		baseUrl: server.baseUrl,
		messages,
		fail: faults.fail,
		finish: async (msgid, openid, status, url, token) => {
			const timestamp = String(Math.floor(Date.now() / 1000));
			const signature = createHash('sha1').update([token, timestamp, 'n'].sort().join('')).digest('hex');
			const body = `<xml><FromUserName><![CDATA[${openid}]]></FromUserName><CreateTime>${timestamp}</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event><MsgID>${msgid}</MsgID><Status><![CDATA[${status}]]></Status></xml>`;
			const address = `${url}?signature=${signature}&timestamp=${timestamp}&nonce=n`;
			return (await httpExchange(address, { method: 'POST', headers: { 'content-type': 'text/xml' }, body, timeoutMs: 5000 })).status;
		},
		stop: server.stop,
	};
}
