import { createHash, createHmac } from 'node:crypto';
import { type FakeRequest, type FaultQueue, faultQueue, startFakeServer } from './fake-server.ts';

export interface CloudSms {
	readonly phones: readonly string[];
	readonly params: Readonly<Record<string, string>> | readonly string[];
	readonly template: string;
	/** BizId, SerialNo or CallId. */
	readonly id: string;
}

/** A callback that asks for a receipt's worth of fields is built by the test; the id is what the message was answered with. */
export interface FakeCloudSms {
	readonly baseUrl: string;
	readonly messages: readonly CloudSms[];
	/** Phone numbers that are refused on their own (Tencent), or codes for the next request. */
	refuse(phone: string): void;
	fail(code: string): void;
	stop(): Promise<void>;
}

interface Key {
	readonly id: string;
	readonly secret: string;
	readonly now: () => number;
}

const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** Verifies what Aliyun's SendSms verifies: clock within 15 minutes, a fresh nonce, the V3 signature over what arrived, and 35 characters a variable. */
export function startFakeAliyunSms(key: Key): Promise<FakeCloudSms> {
	const nonces = new Set<string>();
	return start((request, state) => {
		const { headers, url } = request;
		const answer = (Code: string, Message: string) => ({ status: Code === 'OK' ? 200 : 400, body: { Code, Message, RequestId: 'R1' } });
		const [, id = '', names = '', signature = ''] =
			/^ACS3-HMAC-SHA256 Credential=(.*),SignedHeaders=(.*),Signature=(.*)$/.exec(headers['authorization'] ?? '') ?? [];
		if (id !== key.id) return answer('InvalidAccessKeyId.NotFound', 'Specified access key is not found.');
		if (Math.abs(Date.parse(headers['x-acs-date'] ?? '') - key.now()) > 900_000) return answer('InvalidTimeStamp.Expired', 'expired');
		const nonce = headers['x-acs-signature-nonce'] ?? '';
		if (nonce === '' || nonces.has(nonce)) return answer('SignatureNonceUsed', 'used');
		nonces.add(nonce);
		// As RFC 3986 writes them, whatever way they came.
		const query = [...url.searchParams]
			.map((pair) =>
				pair
					.map((part) => encodeURIComponent(part).replace(/[!'()*]/g, (its) => `%${its.charCodeAt(0).toString(16).toUpperCase()}`))
					.join('='),
			)
			.sort()
			.join('&');
		const signed = names.split(';').map((name) => `${name}:${headers[name] ?? ''}\n`);
		const canonical = `${request.method}\n${url.pathname}\n${query}\n${signed.join('')}\n${names}\n${sha256(request.body)}`;
		const expected = createHmac('sha256', key.secret)
			.update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
			.digest('hex');
		if (signature !== expected || !names.includes('host')) return answer('SignatureDoesNotMatch', 'signature does not match');
		const fault = state.faults.next();
		if (fault !== undefined) return answer(fault, 'as asked for');
		const action = headers['x-acs-action'] ?? '';
		const voice = action === 'SingleCallByTts';
		if (!voice && action !== 'SendSms') return answer('InvalidAction.NotFound', action);
		const params = JSON.parse(url.searchParams.get(voice ? 'TtsParam' : 'TemplateParam') ?? '{}') as Record<string, string>;
		if (Object.values(params).some((value) => value.length < 1 || value.length > 35)) return answer('isv.PARAM_LENGTH_LIMIT', 'too long');
		const phones = (url.searchParams.get(voice ? 'CalledNumber' : 'PhoneNumbers') ?? '').split(',');
		if (phones.some((phone) => state.refused.has(phone))) return answer('isv.MOBILE_NUMBER_ILLEGAL', 'refused');
		// One call a minute and number.
		if (voice && (phones.length !== 1 || called(state, phones[0] ?? '', key.now()))) return answer('isv.BUSINESS_LIMIT_CONTROL', 'limit');
		const messageId = `id-${state.messages.length + 1}`;
		state.messages.push({ phones, params, id: messageId, template: url.searchParams.get(voice ? 'TtsCode' : 'TemplateCode') ?? '' });
		return { status: 200, body: { Code: 'OK', Message: 'OK', RequestId: 'R1', [voice ? 'CallId' : 'BizId']: messageId } };
	});
}

/** Verifies what Tencent's SendSms verifies: clock within 5 minutes, the TC3 signature over what arrived; answers per number. */
export function startFakeTencentSms(key: Key): Promise<FakeCloudSms> {
	return start((request, state) => {
		const { headers } = request;
		const error = (Code: string) => ({ status: 200, body: { Response: { Error: { Code, Message: 'refused' }, RequestId: 'R1' } } });
		const timestamp = Number(headers['x-tc-timestamp']);
		if (!(Math.abs(timestamp - key.now() / 1000) <= 300)) return error('AuthFailure.SignatureExpire');
		const [, credential = '', names = '', signature = ''] =
			/^TC3-HMAC-SHA256 Credential=(.*), SignedHeaders=(.*), Signature=(.*)$/.exec(headers['authorization'] ?? '') ?? [];
		const [id = '', date = '', service = ''] = credential.split('/');
		if (id !== key.id) return error('AuthFailure.SecretIdNotFound');
		const signatureFor = (host: string) => {
			const signed = names.split(';').map((name) => `${name}:${(name === 'host' ? host : (headers[name] ?? '')).toLowerCase()}\n`);
			const canonical = `POST\n/\n\n${signed.join('')}\n${names}\n${sha256(request.body)}`;
			const toSign = `TC3-HMAC-SHA256\n${timestamp}\n${date}/${service}/tc3_request\n${sha256(canonical)}`;
			return hmac(hmac(hmac(hmac(`TC3${key.secret}`, date), service), 'tc3_request'), toSign).toString('hex');
		};
		// The vendor's own client signs the name alone; on the port that the real one has, nobody's header names a port.
		const host = headers['host'] ?? '';
		if (signature !== signatureFor(host) && signature !== signatureFor(host.replace(/:\d+$/, '')))
			return error('AuthFailure.SignatureFailure');
		const fault = state.faults.next();
		if (fault !== undefined) return error(fault);
		if (headers['x-tc-action'] === 'SendTtsVoice') return call(request, state, { error, now: key.now() });
		const body = JSON.parse(request.body.toString('utf8')) as { PhoneNumberSet: string[]; TemplateId: string; TemplateParamSet: string[] };
		const messageId = `id-${state.messages.length + 1}`;
		const taken = body.PhoneNumberSet.filter((phone) => !state.refused.has(phone));
		if (taken.length > 0) state.messages.push({ phones: taken, params: body.TemplateParamSet, template: body.TemplateId, id: messageId });
		const SendStatusSet = body.PhoneNumberSet.map((PhoneNumber) =>
			state.refused.has(PhoneNumber)
				? { PhoneNumber, SerialNo: '', Code: 'FailedOperation.PhoneNumberInBlacklist', Message: 'in blacklist' }
				: { PhoneNumber, SerialNo: messageId, Code: 'Ok', Message: 'send success' },
		);
		return { status: 200, body: { Response: { SendStatusSet, RequestId: 'R1' } } };
	});
}

function call(
	request: FakeRequest,
	state: State,
	world: { readonly error: (code: string) => { status: number; body: object }; readonly now: number },
) {
	const body = JSON.parse(request.body.toString('utf8')) as { CalledNumber: string; TemplateId: string; TemplateParamSet: string[] };
	if (request.headers['x-tc-version'] !== '2020-09-02') return world.error('InvalidParameter');
	if (called(state, body.CalledNumber, world.now)) return world.error('LimitExceeded.DeliveryFrequencyLimit');
	const messageId = `id-${state.messages.length + 1}`;
	state.messages.push({ phones: [body.CalledNumber], params: body.TemplateParamSet, template: body.TemplateId, id: messageId });
	return { status: 200, body: { Response: { SendStatus: { CallId: messageId, SessionContext: '' }, RequestId: 'R1' } } };
}

/** Whether the number was called within a minute; counts the call. */
function called(state: State, phone: string, nowMs: number): boolean {
	if (nowMs - (state.calledAtMs.get(phone) ?? Number.NEGATIVE_INFINITY) < 60_000) return true;
	state.calledAtMs.set(phone, nowMs);
	return false;
}

interface State {
	readonly calledAtMs: Map<string, number>;
	readonly messages: CloudSms[];
	readonly refused: Set<string>;
	readonly faults: FaultQueue<string>;
}

async function start(
	judge: (request: FakeRequest, state: State) => { readonly status: number; readonly body: object },
): Promise<FakeCloudSms> {
	const state: State = { calledAtMs: new Map(), messages: [], refused: new Set(), faults: faultQueue() };
	const server = await startFakeServer({
		handle: (request, exchange) => {
			const { status, body } = judge(request, state);
			exchange.answer(status, JSON.stringify(body), { 'content-type': 'application/json' });
		},
	});
	return {
		baseUrl: server.baseUrl,
		messages: state.messages,
		refuse: (phone) => state.refused.add(phone),
		fail: state.faults.fail,
		stop: server.stop,
	};
}
