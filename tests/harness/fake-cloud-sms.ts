import { createHash, createHmac } from 'node:crypto';
import { type FakeRequest, type FaultQueue, faultQueue, startFakeServer } from './fake-server.ts';

export interface CloudSms {
	readonly phones: readonly string[];
	readonly params: Readonly<Record<string, string>> | readonly string[];
	readonly template: string;
	/** BizId, SerialNo or CallId. */
	readonly id: string;
	readonly atMs: number;
}

/** What the carrier says of a message, once it says something. */
export interface CarrierWord {
	readonly delivered: boolean;
	readonly code: string;
}

/** A callback that asks for a receipt's worth of fields is built by the test; the id is what the message was answered with. */
export interface FakeCloudSms {
	readonly baseUrl: string;
	readonly messages: readonly CloudSms[];
	/** Phone numbers that are refused on their own (Tencent), or codes for the next request. */
	refuse(phone: string): void;
	fail(code: string): void;
	/** The carrier’s word on every message to this number so far. */
	report(phone: string, word: CarrierWord): void;
	/** The person writes back; only Tencent gives replies to who asks. */
	reply(phone: string, text: string): void;
	/** Actions that were asked for with a good signature, in order. */
	readonly actions: readonly string[];
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
	return start(key.now, (request, state) => {
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
		state.actions.push(action);
		if (action === 'QuerySendDetails') return { status: 200, body: sendDetails(url.searchParams, state, key.now()) };
		if (action === 'QueryCallDetailByCallId') return { status: 200, body: callDetail(url.searchParams, state) };
		const voice = action === 'SingleCallByTts';
		if (!voice && action !== 'SendSms') return answer('InvalidAction.NotFound', action);
		const params = JSON.parse(url.searchParams.get(voice ? 'TtsParam' : 'TemplateParam') ?? '{}') as Record<string, string>;
		if (Object.values(params).some((value) => value.length < 1 || value.length > 35)) return answer('isv.PARAM_LENGTH_LIMIT', 'too long');
		const phones = (url.searchParams.get(voice ? 'CalledNumber' : 'PhoneNumbers') ?? '').split(',');
		if (phones.some((phone) => state.refused.has(phone))) return answer('isv.MOBILE_NUMBER_ILLEGAL', 'refused');
		// One call a minute and number.
		if (voice && (phones.length !== 1 || called(state, phones[0] ?? '', key.now()))) return answer('isv.BUSINESS_LIMIT_CONTROL', 'limit');
		const messageId = `id-${state.messages.length + 1}`;
		state.messages.push({
			phones,
			params,
			id: messageId,
			atMs: key.now(),
			template: url.searchParams.get(voice ? 'TtsCode' : 'TemplateCode') ?? '',
		});
		return { status: 200, body: { Code: 'OK', Message: 'OK', RequestId: 'R1', [voice ? 'CallId' : 'BizId']: messageId } };
	});
}

/** Verifies what Tencent's SendSms verifies: clock within 5 minutes, the TC3 signature over what arrived; answers per number. */
export function startFakeTencentSms(key: Key): Promise<FakeCloudSms> {
	return start(key.now, (request, state) => {
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
		const action = headers['x-tc-action'] ?? '';
		state.actions.push(action);
		if (action.startsWith('Pull')) return pulled(action, request, { state, error, now: key.now() });
		if (action === 'SendTtsVoice') return call(request, state, { error, now: key.now() });
		const body = JSON.parse(request.body.toString('utf8')) as { PhoneNumberSet: string[]; TemplateId: string; TemplateParamSet: string[] };
		const messageId = `id-${state.messages.length + 1}`;
		const taken = body.PhoneNumberSet.filter((phone) => !state.refused.has(phone));
		if (taken.length > 0)
			state.messages.push({ phones: taken, params: body.TemplateParamSet, template: body.TemplateId, id: messageId, atMs: key.now() });
		const SendStatusSet = body.PhoneNumberSet.map((PhoneNumber) =>
			state.refused.has(PhoneNumber)
				? { PhoneNumber, SerialNo: '', Code: 'FailedOperation.PhoneNumberInBlacklist', Message: 'in blacklist' }
				: { PhoneNumber, SerialNo: messageId, Code: 'Ok', Message: 'send success' },
		);
		return { status: 200, body: { Response: { SendStatusSet, RequestId: 'R1' } } };
	});
}

/** `2026-11-21 09:00:05` in Beijing. */
const beijing = (ms: number) => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');

/** Verifies number, date and page as the documentation asks, and says 等待回执 until the carrier has spoken. */
function sendDetails(query: URLSearchParams, state: State, nowMs: number): object {
	const phone = query.get('PhoneNumber') ?? '';
	const day = query.get('SendDate') ?? '';
	const size = Number(query.get('PageSize'));
	if (!/^\d{11}$/.test(phone)) return { Code: 'isv.MOBILE_NUMBER_ILLEGAL', Message: phone };
	if (!/^\d{8}$/.test(day) || day > beijing(nowMs).slice(0, 10).replaceAll('-', ''))
		return { Code: 'isv.INVALID_PARAMETERS', Message: day };
	if (!(size >= 1 && size <= 50) || query.get('CurrentPage') !== '1') return { Code: 'isv.INVALID_PARAMETERS', Message: 'page' };
	const found = state.messages.filter(
		({ id, phones, atMs }) => phones.includes(phone) && id === query.get('BizId') && beijing(atMs).slice(0, 10).replaceAll('-', '') === day,
	);
	const SmsSendDetailDTO = found.map(({ id, atMs }) => {
		const word = state.words.get(`${id} ${phone}`);
		const sent = { PhoneNum: phone, SendDate: beijing(atMs), TemplateCode: 'T', Content: '', OutId: '' };
		if (word === undefined) return { ...sent, SendStatus: 1 };
		return { ...sent, SendStatus: word.delivered ? 3 : 2, ErrCode: word.code, ReceiveDate: beijing(atMs + 5000) };
	});
	return { Code: 'OK', Message: 'OK', RequestId: 'R1', TotalCount: String(found.length), SmsSendDetailDTOs: { SmsSendDetailDTO } };
}

/** A call that goes on has no state yet; asked for another product or day, the service knows of no call. */
function callDetail(query: URLSearchParams, state: State): object {
	const call = state.messages.find(({ id }) => id === query.get('CallId'));
	const sameDay = call !== undefined && beijing(Number(query.get('QueryDate'))).slice(0, 10) === beijing(call.atMs).slice(0, 10);
	if (call === undefined || !sameDay || query.get('ProdId') !== '11000000300006') return { Code: 'OK', Message: 'OK', RequestId: 'R1' };
	const [callee = ''] = call.phones;
	const word = state.words.get(`${call.id} ${callee}`);
	const ended = word === undefined ? { state: '', endDate: '' } : { state: word.code, endDate: beijing(call.atMs + 20_000) };
	return { Code: 'OK', Message: 'OK', RequestId: 'R1', Data: JSON.stringify({ callee, caller: '0571', ...ended }) };
}

/** Verifies window, page and number; giving out takes nothing away. */
function pulled(
	action: string,
	request: FakeRequest,
	{
		state,
		error,
		now,
	}: { readonly state: State; readonly error: (code: string) => { status: number; body: object }; readonly now: number },
): { readonly status: number; readonly body: object } {
	const body = JSON.parse(request.body.toString('utf8')) as Record<string, unknown>;
	const { BeginTime: begin, EndTime: end, Limit: limit, Offset: offset, PhoneNumber: phone, SmsSdkAppId: app } = body;
	if (request.headers['x-tc-version'] !== '2021-01-11' || typeof app !== 'string' || app === '') return error('InvalidParameter');
	if (typeof phone !== 'string' || !/^\+\d{5,20}$/.test(phone)) return error('InvalidParameterValue.IncorrectPhoneNumber');
	if (offset !== 0 || typeof limit !== 'number' || limit < 1 || limit > 100) return error('InvalidParameterValue.LimitInvalid');
	if (typeof begin !== 'number' || typeof end !== 'number' || begin < now / 1000 - 7 * 86_400 || end < begin)
		return error('InvalidParameterValue.BeginTimeVerifyFail');
	const inside = (atMs: number) => atMs / 1000 >= begin && atMs / 1000 <= end;
	const number = { CountryCode: '86', SubscriberNumber: phone.slice(3), PhoneNumber: phone };
	const PullSmsReplyStatusSet = state.replies
		.filter((reply) => reply.phone === phone && inside(reply.atMs))
		.map(({ text, atMs }) => ({ ...number, ExtendCode: '', SignName: 's', ReplyContent: text, ReplyTime: Math.floor(atMs / 1000) }));
	const PullSmsSendStatusSet = state.messages.flatMap(({ id, phones, atMs }) => {
		const word = state.words.get(`${id} ${phone}`);
		if (word === undefined || !phones.includes(phone) || !inside(atMs)) return [];
		const said = { ReportStatus: word.delivered ? 'SUCCESS' : 'FAIL', Description: word.code, SessionContext: '' };
		return [{ ...number, ...said, SerialNo: id, UserReceiveTime: Math.floor(atMs / 1000) + 5 }];
	});
	const set = action === 'PullSmsReplyStatusByPhoneNumber' ? { PullSmsReplyStatusSet } : { PullSmsSendStatusSet };
	if (!['PullSmsReplyStatusByPhoneNumber', 'PullSmsSendStatusByPhoneNumber'].includes(action)) return error('InvalidAction');
	return { status: 200, body: { Response: { ...set, RequestId: 'R1' } } };
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
	state.messages.push({
		phones: [body.CalledNumber],
		params: body.TemplateParamSet,
		template: body.TemplateId,
		id: messageId,
		atMs: world.now,
	});
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
	readonly actions: string[];
	/** By message and number. */
	readonly words: Map<string, CarrierWord>;
	readonly replies: { readonly phone: string; readonly text: string; readonly atMs: number }[];
}

async function start(
	now: () => number,
	judge: (request: FakeRequest, state: State) => { readonly status: number; readonly body: object },
): Promise<FakeCloudSms> {
	const state: State = {
		calledAtMs: new Map(),
		messages: [],
		refused: new Set(),
		faults: faultQueue(),
		actions: [],
		words: new Map(),
		replies: [],
	};
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
		report: (phone, word) => {
			for (const { id, phones } of state.messages) if (phones.includes(phone)) state.words.set(`${id} ${phone}`, word);
		},
		reply: (phone, text) => {
			state.replies.push({ phone, text, atMs: now() });
		},
		actions: state.actions,
		stop: server.stop,
	};
}
