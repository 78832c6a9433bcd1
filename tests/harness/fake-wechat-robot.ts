import { type FakeServer, faultQueue, startFakeServer } from './fake-server.ts';

export interface WechatRobotMessage {
	readonly atMs: number;
	readonly msgtype: 'text' | 'markdown';
	readonly content: string;
	readonly mentionedList: readonly string[];
	readonly mentionedMobileList: readonly string[];
}

/** What the next requests meet instead of a normal answer. */
export type WechatRobotFault =
	| { readonly kind: 'errcode'; readonly errcode: number; readonly errmsg: string }
	| { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string }
	| { readonly kind: 'delay'; readonly ms: number }
	/** Takes the message and never answers. */
	| { readonly kind: 'accept-and-hang' }
	/** Takes the message and breaks the connection before it answers. */
	| { readonly kind: 'accept-and-drop' }
	/** Breaks the connection without having taken anything. */
	| { readonly kind: 'drop' };

export interface FakeWechatRobot {
	readonly baseUrl: string;
	readonly port: number;
	/** Delivered to the group. */
	readonly messages: readonly WechatRobotMessage[];
	/** Every request, refused ones included, by the code it got. */
	readonly answers: readonly number[];
	/** Applies to the next `times` requests. */
	fail(fault: WechatRobotFault, times?: number): void;
	stop(): Promise<void>;
}

interface Verdict {
	readonly errcode: number;
	readonly errmsg: string;
	readonly message?: WechatRobotMessage;
}

/**
 * Verifies what the group robot of WeChat Work verifies: path, key, message type, UTF-8 byte limits (2,048 for text, 4,096
 * for markdown), 20 messages in a minute per key; answers 200 with an errcode as the service does.
 */
export async function startFakeWechatRobot(options: {
	readonly key: string;
	readonly port?: number;
	readonly ratePerMinute?: number;
	readonly now?: () => number;
}): Promise<FakeWechatRobot> {
	const messages: WechatRobotMessage[] = [];
	const answers: number[] = [];
	const faults = faultQueue<WechatRobotFault>();
	const accepted: number[] = [];
	const now = options.now ?? Date.now;
	const judge = (query: URLSearchParams, body: string): Verdict => {
		if (query.get('key') !== options.key) return { errcode: 93000, errmsg: 'invalid webhook url, hint: [1700000000000001]' };
		const parsed = parseMessage(body, now());
		if ('errcode' in parsed) return parsed;
		const minuteAgo = now() - 60_000;
		while (accepted.length > 0 && (accepted[0] as number) <= minuteAgo) accepted.shift();
		if (accepted.length >= (options.ratePerMinute ?? 20)) return { errcode: 45009, errmsg: 'api freq out of limit' };
		accepted.push(now());
		return { errcode: 0, errmsg: 'ok', message: parsed };
	};
	const server: FakeServer = await startFakeServer({
		...(options.port === undefined ? {} : { port: options.port }),
		handle: async (request, exchange) => {
			if (request.method !== 'POST' || request.url.pathname !== '/cgi-bin/webhook/send') return exchange.answer(404, 'not found');
			const fault = faults.next();
			if (fault?.kind === 'drop') return exchange.drop();
			if (fault?.kind === 'delay') await exchange.sleep(fault.ms);
			if (fault?.kind === 'status') {
				return exchange.answer(fault.status, 'unavailable', fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter });
			}
			const verdict: Verdict = fault?.kind === 'errcode' ? fault : judge(request.url.searchParams, request.body.toString('utf8'));
			answers.push(verdict.errcode);
			if (verdict.message !== undefined) messages.push(verdict.message);
			if (fault?.kind === 'accept-and-drop') return exchange.drop();
			if (fault?.kind === 'accept-and-hang') return;
			exchange.json({ errcode: verdict.errcode, errmsg: verdict.errmsg });
		},
	});
	return {
		baseUrl: server.baseUrl,
		port: server.port,
		messages,
		answers,
		fail: faults.fail,
		stop: server.stop,
	};
}

function parseMessage(body: string, atMs: number): WechatRobotMessage | { errcode: number; errmsg: string } {
	let parsed: unknown;
	try {
		parsed = JSON.parse(body);
	} catch {
		return { errcode: 47001, errmsg: 'data format error' };
	}
	const { msgtype } = parsed as { msgtype?: unknown };
	if (msgtype !== 'text' && msgtype !== 'markdown') return { errcode: 40008, errmsg: 'invalid message type' };
	const part = (parsed as Record<string, { content?: unknown; mentioned_list?: unknown; mentioned_mobile_list?: unknown } | undefined>)[
		msgtype
	];
	const content = part?.content;
	if (typeof content !== 'string' || content === '') return { errcode: 44004, errmsg: 'empty content' };
	const limit = msgtype === 'text' ? 2048 : 4096;
	if (Buffer.byteLength(content, 'utf8') > limit) return { errcode: 40058, errmsg: `${msgtype}.content exceed max length ${limit}` };
	const list = (value: unknown) => (Array.isArray(value) ? value.map(String) : []);
	return { atMs, msgtype, content, mentionedList: list(part?.mentioned_list), mentionedMobileList: list(part?.mentioned_mobile_list) };
}
