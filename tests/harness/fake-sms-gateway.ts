import { createHash } from 'node:crypto';
import iconv from 'iconv-lite';
import { faultQueue, startFakeServer } from './fake-server.ts';

export interface ReceivedSms {
	readonly atMs: number;
	readonly phones: readonly string[];
	readonly content: string;
	/** Parts the carrier would bill: 70 UCS-2 units, or 67 each when more. */
	readonly parts: number;
}

export type SmsGatewayFault =
	| { readonly kind: 'code'; readonly code: string; readonly message: string }
	| { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
	| { readonly kind: 'delay'; readonly ms: number }
	| { readonly kind: 'accept-and-drop' }
	| { readonly kind: 'drop' };

export interface FakeSmsGateway {
	readonly url: string;
	readonly port: number;
	readonly messages: readonly ReceivedSms[];
	readonly answers: readonly string[];
	/** The keys of a channel that sends here; `secret` says where its key is. A configuration in YAML takes it as JSON. */
	channel(
		secret: { readonly env: string } | { readonly file: string },
		more?: Readonly<Record<string, unknown>>,
	): Readonly<Record<string, unknown>>;
	fail(fault: SmsGatewayFault, times?: number): void;
	stop(): Promise<void>;
}

/**
 * A city's own SMS platform as they commonly are: a form in GBK or UTF-8 with `account`, `mobile`, `content`, `ts` and
 * `sign` = md5(account + secret + mobile + content + ts) over the bytes of the charset. Refuses a wrong digest, a clock more
 * than five minutes off, bad numbers, more than 500 characters, half a surrogate pair and undecodable bytes. Answers 200
 * with `{"code":"0","msg":…}`; any other code is a failure.
 */
export async function startFakeSmsGateway(options: {
	readonly account: string;
	readonly secret: string;
	readonly charset: 'utf8' | 'gbk';
	readonly port?: number;
	readonly now?: () => number;
}): Promise<FakeSmsGateway> {
	const messages: ReceivedSms[] = [];
	const answers: string[] = [];
	const faults = faultQueue<SmsGatewayFault>();
	const now = options.now ?? Date.now;
	const judge = (fields: ReadonlyMap<string, Buffer>): { code: string; msg: string; sms?: ReceivedSms } => {
		const bytes = (name: string) => fields.get(name) ?? Buffer.alloc(0);
		const text = (name: string) => iconv.decode(bytes(name), options.charset);
		if (text('account') !== options.account) return { code: '101', msg: '账号不存在' };
		const ts = Number(text('ts'));
		if (Math.abs(now() / 1000 - ts) > 300) return { code: '103', msg: '时间戳超出范围' };
		const signed = Buffer.concat([bytes('account'), Buffer.from(options.secret), bytes('mobile'), bytes('content'), bytes('ts')]);
		if (text('sign') !== createHash('md5').update(signed).digest('hex')) return { code: '102', msg: '签名错误' };
		const phones = text('mobile').split(',');
		if (phones.length > 100 || phones.some((phone) => !/^1[3-9]\d{9}$/.test(phone))) return { code: '201', msg: '手机号码错误' };
		const content = text('content');
		if (content === '') return { code: '301', msg: '内容为空' };
		if (content.length > 500) return { code: '302', msg: '内容超长' };
		if (!content.isWellFormed() || content.includes('\ufffd')) return { code: '303', msg: '内容编码错误' };
		const parts = content.length <= 70 ? 1 : Math.ceil(content.length / 67);
		return { code: '0', msg: '成功', sms: { atMs: now(), phones, content, parts } };
	};
	const server = await startFakeServer({
		...(options.port === undefined ? {} : { port: options.port }),
		handle: async (request, exchange) => {
			if (request.method !== 'POST' || request.url.pathname !== '/sms/send') return exchange.answer(404, 'not found');
			const fault = faults.next();
			if (fault?.kind === 'drop') return exchange.drop();
			if (fault?.kind === 'delay') await exchange.sleep(fault.ms);
			if (fault?.kind === 'status') {
				return exchange.answer(fault.status, 'unavailable', fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter });
			}
			const verdict =
				fault?.kind === 'code'
					? { code: fault.code, msg: fault.message, sms: undefined }
					: judge(parseForm(request.body.toString('latin1')));
			answers.push(verdict.code);
			if (verdict.sms !== undefined) messages.push(verdict.sms);
			if (fault?.kind === 'accept-and-drop') return exchange.drop();
			const body = iconv.encode(JSON.stringify({ code: verdict.code, msg: verdict.msg }), options.charset);
			exchange.answer(200, body, { 'content-type': `application/json; charset=${options.charset}` });
		},
	});
	const url = `${server.baseUrl}/sms/send`;
	return {
		url,
		port: server.port,
		messages,
		answers,
		channel: (secret, more = {}) => ({
			url,
			charset: options.charset,
			form: { account: options.account, mobile: '{phones}', content: '{content}', ts: '{unix}', sign: '{digest}' },
			secrets: { platform: secret },
			digest: { algorithm: 'md5', input: `${options.account}{secret.platform}{phones}{content}{unix}` },
			success: { json_path: 'code', equals: ['0'] },
			...more,
		}),
		fail: faults.fail,
		stop: server.stop,
	};
}

/** Form fields as bytes: which charset they are in is what this server is there to check. */
function parseForm(body: string): ReadonlyMap<string, Buffer> {
	const bytes = (text: string) =>
		Buffer.from(
			text.replace(/\+/g, ' ').replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
			'latin1',
		);
	return new Map(
		body.split('&').map((pair) => {
			const at = pair.indexOf('=');
			return [bytes(pair.slice(0, at)).toString('latin1'), bytes(pair.slice(at + 1))];
		}),
	);
}
