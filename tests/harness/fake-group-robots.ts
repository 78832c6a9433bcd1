import { createHmac } from 'node:crypto';
import { faultQueue, startFakeServer } from './fake-server.ts';

export interface GroupMessage {
	readonly text: string;
	readonly at: readonly string[];
}

export interface FakeGroupRobot {
	readonly baseUrl: string;
	readonly messages: readonly GroupMessage[];
	/** Every request, by the code it got. */
	readonly answers: readonly number[];
	/** The next requests get this code instead of being judged. */
	fail(code: number, times?: number): void;
	stop(): Promise<void>;
}

interface RobotOptions {
	readonly token: string;
	readonly secret: string;
	readonly now?: () => number;
}

interface Verdict {
	readonly code: number;
	readonly text: string;
	readonly message?: GroupMessage;
}

/**
 * Verifies what DingTalk's group robot verifies: token, a timestamp within an hour, the signature in the query, message type
 * and 20 messages in a minute, after which it blocks with 130101.
 */
export function startFakeDingtalk(options: RobotOptions): Promise<FakeGroupRobot> {
	const now = options.now ?? Date.now;
	const acceptedAtMs: number[] = [];
	return start(
		'/robot/send',
		(query, body) => {
			if (query.get('access_token') !== options.token) return { code: 300005, text: 'token is not exist' };
			const timestamp = query.get('timestamp') ?? '';
			if (Math.abs(now() - Number(timestamp)) > 3_600_000) return { code: 310000, text: 'invalid timestamp' };
			const sign = createHmac('sha256', options.secret).update([timestamp, options.secret].join('\n'), 'utf8').digest('base64');
			if (query.get('sign') !== sign) return { code: 310000, text: 'sign not match' };
			const { msgtype, markdown, at } = body as {
				msgtype?: string;
				markdown?: { title?: string; text?: string };
				at?: { atMobiles?: string[] };
			};
			if (msgtype !== 'markdown' || !markdown?.title || !markdown.text) return { code: 400102, text: 'msgtype is invalid' };
			if (Buffer.byteLength(markdown.text) > 20_000) return { code: 460101, text: 'message too long' };
			while (acceptedAtMs.length > 0 && (acceptedAtMs[0] as number) <= now() - 60_000) acceptedAtMs.shift();
			if (acceptedAtMs.length >= 20) return { code: 130101, text: 'send too fast' };
			acceptedAtMs.push(now());
			// A number that is not in the text is not called out.
			const called = (at?.atMobiles ?? []).filter((mobile) => markdown.text?.includes(`@${mobile}`));
			return { code: 0, text: 'ok', message: { text: markdown.text, at: called } };
		},
		(code, text) => ({ errcode: code, errmsg: text }),
	);
}

/** Verifies what Feishu's group robot verifies: the hook, a timestamp within an hour, the signature in the body, and the size of the body. */
export function startFakeFeishu(options: RobotOptions): Promise<FakeGroupRobot> {
	const now = options.now ?? Date.now;
	return start(
		`/open-apis/bot/v2/hook/${options.token}`,
		(_query, body, sizeBytes) => {
			if (sizeBytes > 20 * 1024) return { code: 9499, text: 'Bad Request: too large' };
			const { timestamp, sign, msg_type, content } = body as {
				timestamp?: unknown;
				sign?: unknown;
				msg_type?: unknown;
				content?: { text?: unknown };
			};
			const key = Buffer.from(`${String(timestamp)}\n${options.secret}`, 'utf8');
			if (typeof timestamp !== 'string' || Math.abs(now() / 1000 - Number(timestamp)) > 3600)
				return { code: 19021, text: 'timestamp is not within one hour' };
			if (sign !== createHmac('sha256', key).digest('base64')) return { code: 19021, text: 'sign match fail' };
			if (msg_type !== 'text' || typeof content?.text !== 'string') return { code: 19002, text: 'params error, msg_type need' };
			return { code: 0, text: 'success', message: { text: content.text, at: [] } };
		},
		(code, msg) => ({ code, msg, data: {} }),
	);
}

async function start(
	path: string,
	judge: (query: URLSearchParams, body: unknown, sizeBytes: number) => Verdict,
	answerOf: (code: number, text: string) => object,
): Promise<FakeGroupRobot> {
	const messages: GroupMessage[] = [];
	const answers: number[] = [];
	const faults = faultQueue<number>();
	const server = await startFakeServer({
		handle: (request, exchange) => {
			if (request.method !== 'POST' || request.url.pathname !== path) return exchange.answer(404, 'not found');
			const fault = faults.next();
			const verdict: Verdict =
				fault === undefined
					? judge(request.url.searchParams, JSON.parse(request.body.toString('utf8')) as unknown, request.body.length)
					: { code: fault, text: 'as asked for' };
			answers.push(verdict.code);
			if (verdict.message !== undefined) messages.push(verdict.message);
			exchange.json(answerOf(verdict.code, verdict.text));
		},
	});
	return {
		baseUrl: server.baseUrl,
		messages,
		answers,
		fail: faults.fail,
		stop: server.stop,
	};
}
