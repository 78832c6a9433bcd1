import { createHash, createHmac } from 'node:crypto';
import { faultQueue, startFakeServer } from './fake-server.ts';

export interface GovernmentMessage {
	readonly to: readonly string[];
	readonly text: string;
	readonly id: string;
}

export interface FakeGovernmentChannel {
	readonly baseUrl: string;
	readonly messages: readonly GovernmentMessage[];
	fail(code: string): void;
	stop(): Promise<void>;
}

/** China Mobile's cloud MAS: base64 of JSON, and the MD5 over fields and secret in the order of the interface's description. */
export function startFakeMas(options: {
	readonly ecName: string;
	readonly apId: string;
	readonly secretKey: string;
}): Promise<FakeGovernmentChannel> {
	return start('/sms/norsubmit', (body, state) => {
		const fields = JSON.parse(Buffer.from(body.toString('utf8'), 'base64').toString('utf8')) as Record<string, string>;
		const { ecName = '', apId = '', mobiles = '', content = '', sign = '', addSerial = '', mac } = fields;
		const refuse = (rspcod: string) => ({ rspcod, success: false, msgGroup: '' });
		if (ecName !== options.ecName || apId !== options.apId) return refuse('InvalidUsrOrPwd');
		const wanted = createHash('md5').update(`${ecName}${apId}${options.secretKey}${mobiles}${content}${sign}${addSerial}`).digest('hex');
		if (mac !== wanted) return refuse('IllegalMac');
		if (mobiles.split(',').some((mobile) => !/^1[3-9]\d{9}$/.test(mobile))) return refuse('InvalidMobile');
		if (content === '' || content.length > 500) return refuse('InvalidMessage');
		const id = `group-${state.messages.length + 1}`;
		state.messages.push({ to: mobiles.split(','), text: content, id });
		return { rspcod: 'success', success: true, msgGroup: id };
	});
}

/** 专有钉钉: the HMAC headers over what arrived, a clock within five minutes, 2,048 bytes, and `bizMsgId` that drops a repetition. */
export function startFakeZwdingtalk(options: {
	readonly key: string;
	readonly secret: string;
	readonly tenantId: string;
}): Promise<FakeGovernmentChannel> {
	return start('/message/workNotification', (body, state, headers) => {
		const params = Object.fromEntries(new URLSearchParams(body.toString('utf8')));
		const refuse = (errorCode: string) => ({ success: false, errorCode, errorMsg: 'refused', content: null });
		const stamp = headers['x-hmac-auth-timestamp'] ?? '';
		if (headers['apikey'] !== options.key) return refuse('InvalidApiKey');
		if (!(Math.abs(Date.parse(stamp) - Date.now()) < 300_000)) return refuse('TimestampExpired');
		const names = Object.keys(params).sort();
		const sorted = names.map((name) => `${name}=${params[name]}`).join('&');
		const text = `POST\n${stamp}\n${headers['x-hmac-auth-nonce']}\n/message/workNotification\n${sorted}`;
		if (headers['x-hmac-auth-signature'] !== createHmac('sha256', options.secret).update(text).digest('base64'))
			return refuse('InvalidSignature');
		if (!headers['x-hmac-auth-ip'] || !headers['x-hmac-auth-mac'] || headers['x-hmac-auth-version'] !== '1.0')
			return refuse('MissingHeader');
		if (params['tenantId'] !== options.tenantId) return refuse('InvalidTenant');
		const message = JSON.parse(params['msg'] ?? '{}') as { msgtype?: string; text?: { content?: string } };
		const content = message.text?.content ?? '';
		const inner = (responseCode: string, success: boolean) => ({
			success: true,
			content: { success, responseCode, responseMessage: responseCode },
		});
		if (message.msgtype !== 'text' || Buffer.byteLength(params['msg'] ?? '') > 4096 || Buffer.byteLength(content) > 2048)
			return inner('MSG_TOO_LONG', false);
		const id = params['bizMsgId'] ?? '';
		if (!state.messages.some((known) => known.id === id))
			state.messages.push({ to: (params['receiverIds'] ?? '').split(','), text: content, id });
		return inner('0', true);
	});
}

interface State {
	readonly messages: GovernmentMessage[];
}

async function start(
	path: string,
	judge: (body: Buffer, state: State, headers: Readonly<Record<string, string>>) => object,
): Promise<FakeGovernmentChannel> {
	const state: State = { messages: [] };
	const faults = faultQueue<string>();
	const server = await startFakeServer({
		handle: (request, exchange) => {
			if (request.method !== 'POST' || request.url.pathname !== path) return exchange.answer(404, 'not found');
			const fault = faults.next();
			exchange.json(
				fault === undefined ? judge(request.body, state, request.headers) : { rspcod: fault, success: false, errorCode: fault },
			);
		},
	});
	return { baseUrl: server.baseUrl, messages: state.messages, fail: faults.fail, stop: server.stop };
}
